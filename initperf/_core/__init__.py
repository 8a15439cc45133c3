"""Registries, rules, argument checks, keys, threads and storage that every other package uses."""

"""Registries, rules, argument checks, sources of draws, threads and storage for all packages."""

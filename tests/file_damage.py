"""Kinds of damage to a file, each a function of the file and of those beside it; seeded."""

import os
import random

rng = random.Random(20)


def flip(content, at):
    """Flip a bit of a byte."""
    content = bytearray(content)
    content[at] ^= 1 << rng.randrange(8)
    return bytes(content)


def zero(content, begin, end):
    return content[:begin] + bytes(len(content[begin:end])) + content[end:]


def written(change):
    """Damage by what a file holds."""

    def damage(path, others):
        path.write_bytes(change(path.read_bytes()))

    return damage


def exchanged(fitting):
    """Damage by the place of a file: the content is another's, which is whole in itself."""

    def damage(path, others):
        for other in others:
            if other.suffix == path.suffix and fitting(path.name, other.name):
                path.write_bytes(other.read_bytes())
                return

    return damage


def in_its_place(make):
    """Damage by what is there instead of a file."""

    def damage(path, others):
        path.unlink()
        make(path)

    return damage


def sparse(path):
    with path.open("wb") as file:
        file.truncate(10 * 2**30)


def same_function(one, other):
    return one != other and one.partition("-")[0] == other.partition("-")[0]


DAMAGES = {
    "empty": written(lambda c: b""),
    "one byte": written(lambda c: c[:1]),
    "cut in the first line": written(lambda c: c[:20]),
    "cut after a page": written(lambda c: c[:4096]),
    "cut in half": written(lambda c: c[: len(c) // 2]),
    "cut by one byte": written(lambda c: c[:-1]),
    "zeroed": written(lambda c: bytes(len(c))),
    "first page zeroed": written(lambda c: zero(c, 0, 4096)),
    "last half zeroed": written(lambda c: zero(c, len(c) // 2, len(c))),
    "a sector zeroed": written(lambda c: zero(c, 1024, 1536)),
    "first byte flipped": written(lambda c: flip(c, 0)),
    "byte 10 flipped": written(lambda c: flip(c, 10)),
    "byte 30 flipped": written(lambda c: flip(c, 30)),
    "last byte flipped": written(lambda c: flip(c, -1)),
    "one more byte": written(lambda c: c + b"\0"),
    "twice": written(lambda c: c + c),
    "noise": written(lambda c: rng.randbytes(len(c))),
    "text": written(lambda c: b"<html>no space left on device</html>"),
    "another pickle": written(lambda c: b"\x80\x04}\x94."),
    "that of other types": exchanged(same_function),
    "that of another function": exchanged(lambda one, other: not same_function(one, other)),
    "ten gigabytes of nothing": in_its_place(sparse),
}
if hasattr(os, "mkfifo"):
    DAMAGES["a pipe"] = in_its_place(os.mkfifo)
for count in range(20):
    DAMAGES[f"flip {count}"] = written(lambda c: flip(c, rng.randrange(len(c))))

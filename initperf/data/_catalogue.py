"""Catalogue of data sets: where each may be found, and the digests of its files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from initperf._core.registry import Registry
from initperf.data._dataset import PARTS
from initperf.data._idx import sha256
from initperf.errors import DataError

Parts = dict[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class Published:
    """One file as its authors published it.

    Attributes
    ----------
    count : int
        Number of images or labels.
    sha256 : str
        SHA-256 of the decompressed IDX file, hexadecimal.
    """

    count: int
    sha256: str


@dataclass(frozen=True, eq=False)
class Spec:
    """Places and digests of a data set.

    Parameters
    ----------
    title : str
        Its name in prose.
    folders : tuple of str
        Customary directories of its IDX files; torchvision's is the first.
    openml : int, optional
        Its number at OpenML.
    published : mapping of str to Published
        The count and SHA-256 of its decompressed IDX files, by part.
    mirrors : tuple of str
        Addresses to download from, each ending in a slash, the first tried first.
    embedded : callable, optional
        Returns the part of it that an installed package contains.
    names : mapping of str to str
        The names of its files by part, without ``.gz``, where they are not those of MNIST.
    transposed : bool
        Whether the files hold the pixels of an image column by column.
    archive : str
        Name of Keras's archive of it, ``.npz``; empty where there is none.
    installed : tuple of str
        Directories in which packages of operating systems put its IDX files.
    """

    title: str
    folders: tuple[str, ...] = ()
    openml: int | None = None
    published: Mapping[str, Published] = field(default_factory=dict)
    mirrors: tuple[str, ...] = ()
    embedded: Callable[[], Parts] | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    transposed: bool = False
    archive: str = ""
    installed: tuple[str, ...] = ()


DATASETS: Registry[Spec] = Registry("data set")


def recognise(spec: Spec, parts: Parts, places: Mapping[str, str]) -> tuple[str, ...]:
    """Return the parts that are the published ones, in words.

    Parameters
    ----------
    spec : Spec
        The data set that the parts were loaded as.
    parts : dict of str to ndarray of uint8
        The four arrays.
    places : mapping of str to str
        The file of each part, for error messages.

    Returns
    -------
    tuple of str
        Such as ``"the published MNIST training images"``.

    Raises
    ------
    DataError
        When a part is a published one of another kind or another data set, or when it has the
        size of the published one but not its digest, while other parts are the published ones.
    """
    known = {
        file.sha256: (other.title, part)
        for other in DATASETS.values()
        for part, file in other.published.items()
    }
    digests = {part: sha256(array) for part, array in parts.items()}
    recognised = []
    for part, digest in digests.items():
        title, words = spec.title, PARTS[part]
        owner = known.get(digest)
        if owner == (title, part):
            recognised.append(f"the published {title} {words}")
        elif owner is not None:
            held = f"the published {owner[0]} {PARTS[owner[1]]}"
            raise DataError(f"{places[part]}: holds {held}, expected {title}'s {words}")
    for part, digest in digests.items():
        file = spec.published.get(part)
        if recognised and file and file.count == len(parts[part]) and file.sha256 != digest:
            found = f"sha256 {digest[:16]}…, published {file.sha256[:16]}…"
            what = f"not the published {spec.title} {PARTS[part]} though other files are"
            raise DataError(f"{places[part]}: corrupted or altered: {found}: {what}")
    return tuple(recognised)

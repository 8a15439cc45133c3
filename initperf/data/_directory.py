"""The four IDX files of a data set in a directory, under their usual names and layouts."""

from pathlib import Path

from initperf.data._catalogue import Parts, Spec
from initperf.data._dataset import CLASSES
from initperf.data._idx import IMAGES_MAGIC, LABELS_MAGIC, decode, read_bytes
from initperf.errors import DataError

FILES = {
    "train_images": ("train-images", "idx3", IMAGES_MAGIC),
    "train_labels": ("train-labels", "idx1", LABELS_MAGIC),
    "test_images": ("t10k-images", "idx3", IMAGES_MAGIC),
    "test_labels": ("t10k-labels", "idx1", LABELS_MAGIC),
}


def file_name(part: str) -> str:
    """Return the published name of a part's compressed file."""
    stem, kind, _ = FILES[part]
    return f"{stem}-{kind}-ubyte.gz"


def find(directory: Path, spec: Spec) -> dict[str, Path]:
    """Return the files of a data set, all from one directory, or none where there are none.

    Searches ``FOLDER/raw`` and ``FOLDER`` for each of the data set's customary folders, then
    ``raw`` and the directory itself; plain files are preferred to compressed ones.

    Parameters
    ----------
    directory : pathlib.Path
        Where to search.
    spec : Spec
        The data set.

    Raises
    ------
    DataError
        When some of them are missing, or the directory cannot be read.
    """
    folders = [place for name in spec.folders for place in (f"{name}/raw", name)]
    try:
        for place in (directory / folder for folder in (*folders, "raw", ".")):
            found = {part: path for part in FILES for path in _candidates(place, part)[:1]}
            if found:
                for part in FILES:
                    if part not in found:
                        expected = place / file_name(part)
                        raise DataError(f"{expected}: missing, and not there without .gz either")
                return found
    except OSError as error:
        raise DataError(f"{directory}: cannot be read: {error.strerror or error}") from error
    return {}


def _candidates(place: Path, part: str) -> list[Path]:
    stem, kind, _ = FILES[part]
    names = [f"{stem}-{kind}-ubyte", f"{stem}.{kind}-ubyte"]
    paths = [place / f"{name}{suffix}" for suffix in ("", ".gz") for name in names]
    return [path for path in paths if path.is_file()]


def read(files: dict[str, Path]) -> Parts:
    """Return the four arrays of the files that `find` found.

    Raises
    ------
    DataError
        When a file is damaged or of another kind, or images and labels differ in number.
    """
    contents = {part: read_bytes(path) for part, path in files.items()}
    return decode_all(contents, {part: str(path) for part, path in files.items()})


def decode_all(contents: dict[str, bytes], places: dict[str, str]) -> Parts:
    """Return the four arrays of four decompressed IDX files.

    Parameters
    ----------
    contents : dict of str to bytes
        The files, decompressed, by part.
    places : dict of str to str
        Their names, for error messages.

    Raises
    ------
    DataError
        When a file is damaged or of another kind, or images and labels differ in number.
    """
    parts = {part: decode(contents[part], places[part], FILES[part][2]) for part in FILES}
    for split in ("train", "test"):
        images, labels = parts[f"{split}_images"], parts[f"{split}_labels"]
        where = places[f"{split}_labels"]
        if len(images) != len(labels):
            counts = f"{len(labels):,} labels for the {len(images):,} images"
            raise DataError(f"{where}: {counts} of {places[f'{split}_images']}")
        if not len(labels):
            raise DataError(f"{where}: no labels, expected at least one")
        if labels.max() >= CLASSES:
            first = int((labels >= CLASSES).argmax())
            found = f"label {labels[first]} at position {first:,}"
            raise DataError(f"{where}: {found}, expected 0 to {CLASSES - 1}")
    return parts

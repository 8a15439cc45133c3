"""Downloads of data sets, the only use of the network, on request."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from initperf._core.storage import cache_directory, replacing
from initperf.data._catalogue import DATASETS, Spec, recognise
from initperf.data._directory import FILES, decode_all, file_name
from initperf.data._idx import PIXELS, decompress
from initperf.data._loading import from_directory, named_directory
from initperf.errors import DataError, UsageError

TIMEOUT_S = 30
LARGEST_BYTES = 64 * 2**20
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")

Report = Callable[[str], None]


def fetch(
    name: str,
    directory: str | os.PathLike[str] | None = None,
    *,
    base_url: str | None = None,
    report: Report = lambda line: None,
) -> Path:
    """Download a data set's four IDX files, unless they are there already and undamaged.

    All four are checked in memory before the first is written, and each replaces an old file
    atomically. They have torchvision's layout, ``DIRECTORY/MNIST/raw/train-images-idx3-ubyte.gz``
    and so on, so that `load` finds them and torchvision can share them.

    Parameters
    ----------
    name : str
        One of ``DATASETS`` that can be downloaded.
    directory : path, optional
        Where to; created where it is missing. By default the one that ``INITPERF_DATA`` names, or
        else initperf's cache.
    base_url : str, optional
        Another mirror, by https, or by http from this very machine, where the files have their
        usual names. Its files need not be the published data; those of the well-known mirrors
        must be, to the bit.
    report : callable, optional
        Called with a line of text for each file downloaded and each mirror that failed, except for
        the last one, whose failure is raised.

    Returns
    -------
    pathlib.Path
        The directory that holds the files.

    Raises
    ------
    UnknownNameError
        When there is no such data set; suggests the nearest name.
    UsageError
        When it cannot be downloaded, or `base_url` is no address.
    DataError
        When the download fails, a file is damaged or altered, or it cannot be written.
    """
    name = DATASETS.canonical(name)
    spec = DATASETS[name]
    if not spec.mirrors:
        raise UsageError(f"{name} is not downloaded: {_where_from(spec)}")
    if base_url is not None and not is_safe(base_url):
        allowed = "https://, or with http:// and the name of this machine"
        raise UsageError(f"base_url must begin with {allowed}, not {base_url!r}")
    try:
        root = named_directory(directory) or cache_directory("data")
    except OSError as error:
        raise DataError(f"the cache cannot be written: {error}") from error
    if present := _good(root, name, spec):
        return present
    target = root / spec.folders[0] / "raw"
    _write(target, _download(spec, base_url, report))
    from_directory(root, name, spec)  # raises if a damaged plain file there hides a good .gz
    return target


def _where_from(spec: Spec) -> str:
    """Return where a data set that cannot be downloaded comes from."""
    if spec.embedded:
        return "it comes with an installed package"
    return "name the directory of its IDX files with --data-dir or INITPERF_DATA"


def _good(root: Path, name: str, spec: Spec) -> Path | None:
    try:
        dataset = from_directory(root, name, spec)
    except DataError:
        return None
    return Path(dataset.location) if dataset else None


def _write(target: Path, contents: dict[str, bytes]) -> None:
    try:
        target.mkdir(parents=True, exist_ok=True)
        for part, content in contents.items():
            with replacing(target / file_name(part)) as temporary:
                temporary.write_bytes(content)
    except OSError as error:
        raise DataError(f"{target}: cannot be written: {error.strerror or error}") from error


def _download(spec: Spec, base_url: str | None, report: Report) -> dict[str, bytes]:
    """Return the four files, as downloaded, of the first mirror whose files are all right.

    Parameters
    ----------
    spec : Spec
    base_url : str or None
        The one mirror to try, instead of those of `spec`.
    report : callable
        Called with the failure of each mirror but the last, whose failure is raised.
    """
    *others, last = spec.mirrors if base_url is None else (base_url,)
    for mirror in others:
        try:
            return _from_mirror(spec, mirror, base_url, report)
        except DataError as error:
            report(f"{error}; the next mirror is tried")
    return _from_mirror(spec, last, base_url, report)


def _from_mirror(spec: Spec, mirror: str, base_url: str | None, report: Report) -> dict[str, bytes]:
    """Return the four files of a mirror.

    Parameters
    ----------
    spec : Spec
    mirror : str
        Its address.
    base_url : str or None
        As of `_download`: None where the files must be the published ones.
    report : callable
        Called with a line for each file.

    Raises
    ------
    DataError
        When one cannot be downloaded, or is damaged or another.
    """
    urls = {part: f"{mirror.rstrip('/')}/{file_name(part)}" for part in FILES}
    contents = {
        part: _get(url, _most_bytes(spec, part, base_url), report) for part, url in urls.items()
    }
    plain = {part: decompress(contents[part], url) for part, url in urls.items()}
    published = recognise(spec, decode_all(plain, urls), urls)
    if base_url is None and len(published) < len(FILES):
        raise DataError(f"{mirror}: holds other files than the published {spec.title}")
    return contents


def _most_bytes(spec: Spec, part: str, base_url: str | None) -> int:
    """Return the most bytes of a compressed file: gzip adds 5 to each 32 KiB that it cannot pack.

    The published files have a known length; those of another mirror may be of other data.
    """
    published = spec.published.get(part)
    if base_url is not None or published is None:
        return LARGEST_BYTES
    plain = published.count * (PIXELS if part.endswith("images") else 1)
    return plain + plain // 1000 + 1000


def is_safe(url: str) -> bool:
    """Return whether nobody on the way can alter what is downloaded: https, or this machine."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _THIS_MACHINE)


def _get(url: str, most: int, report: Report) -> bytes:
    import http.client
    import urllib.error
    import urllib.request

    class SafeRedirects(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments: Any) -> urllib.request.Request | None:
            if not is_safe(new := arguments[-1]):
                raise DataError(f"{url}: leads to {new}, which is not https")
            return super().redirect_request(*arguments)

    try:
        opener = urllib.request.build_opener(SafeRedirects)
        with opener.open(url, timeout=TIMEOUT_S) as response:
            content: bytes = response.read(most + 1)
    except urllib.error.HTTPError as error:
        with error:
            raise DataError(f"{url}: cannot be downloaded: {error}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise DataError(f"{url}: cannot be downloaded: {reason}") from error
    if len(content) > most:
        raise DataError(f"{url}: more than {most:,} bytes, no file of this data set")
    report(f"{url}: {len(content):,} bytes")
    return content

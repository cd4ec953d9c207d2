"""One file from one address: resumed where it was cut, and never mistaken for whole.

What has arrived is in ``NAME.<address>.part``, and beside it, in ``….part.json``, of which version
of the file it is the beginning. A later run goes on from there if the server still has that
version (``If-Range``, RFC 9110 §13.1.5), and starts anew where the server cannot say so.

The standard library is enough for this: students install the package on Colab, and of the libraries
at hand pooch does not resume, and requests would leave all of what follows to do.
"""

import hashlib
import http.client
import json
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO
from urllib import error, request

from tqdm import tqdm

from autograder.problem import BadInputError, Problem

_BLOCK = 2**18
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_TITLE = re.compile(rb"<title[^>]*>\s*([^<]{1,80})", re.IGNORECASE)
_AGAIN = {408, 425, 429, 500, 502, 503, 504}  # may be different in a moment
_HEADERS = {
    "User-Agent": "receptive-field",
    "Accept-Encoding": "identity",  # lengths and ranges count the bytes of the file itself
}


class MirrorError(Exception):
    """Why an address did not give the file, in words for a person."""


class UnreachableError(MirrorError):
    """Nothing answered at that address."""


class _CutError(Exception):
    """The transfer ended early, or the server asks for patience: worth another attempt."""


@dataclass(frozen=True)
class Patience:
    """How long one address is tried.

    Attributes:
        timeout: seconds without a single byte.
        attempts: in a row that bring nothing new.
        pause: seconds before the second attempt; doubled before each further one.
    """

    timeout: float = 30
    attempts: int = 4
    pause: float = 1


@dataclass(frozen=True)
class _Version:
    """What tells a version of a file from another: a strong ETag or a date; and its size."""

    validator: str = ""
    total: int = -1


class _Part:
    """What has arrived so far."""

    def __init__(self, url: str, to: Path) -> None:
        address = hashlib.sha256(url.encode()).hexdigest()[:8]
        self.url = url
        self.path = to.with_name(f"{to.name}.{address}.part")
        self.notes = self.path.with_name(self.path.name + ".json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def version(self) -> _Version:
        """What we have the beginning of; without a validator, if that cannot be told."""
        try:
            return _Version(**json.loads(self.notes.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return _Version()

    @property
    def is_whole(self) -> bool:
        version = self.version
        return bool(version.validator) and 0 < version.total == self.size

    def forget(self) -> None:
        """Removes what has arrived; the notes last, for without them the rest counts nothing."""
        self.path.unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)

    def start(self, version: _Version) -> None:
        self.forget()
        self.notes.write_text(json.dumps(asdict(version)), encoding="utf-8")


def download(url: str, to: Path, max_bytes: int, patience: Patience) -> None:
    """Gets a file of at most ``max_bytes``; what is at ``to`` afterwards is all of it.

    Raises:
        MirrorError: this address does not give it.
        BadInputError: there is no room for it here.
    """
    part = _Part(url, to)
    attempts = 0
    while not part.is_whole:
        before = part.size
        try:
            _receive(part, max_bytes, patience.timeout)
            break
        except _CutError as cut:
            attempts = attempts + 1 if part.size <= before else 1
            if attempts >= patience.attempts:
                raise MirrorError(_with_part(str(cut), part)) from cut
            time.sleep(patience.pause * 2 ** (attempts - 1))
    part.path.replace(to)
    part.notes.unlink(missing_ok=True)


def _with_part(reason: str, part: _Part) -> str:
    kept = f"; {part.size:,} bytes of it are kept" if part.size and part.version.validator else ""
    return f"{reason}{kept}"


def _receive(part: _Part, max_bytes: int, timeout: float) -> None:
    """Asks for what is missing and appends it, or for everything where it must be."""
    with _opened(part, timeout) as response:
        _refuse_page(response)
        _begin(part, response)
        total = part.version.total
        if total > max_bytes:
            raise MirrorError(f"{total:,} bytes, more than the {max_bytes:,} it may have")
        with part.path.open("ab") as file:
            _copy(response, file, total, max_bytes)
    if 0 <= total != part.size:
        raise _CutError(f"the connection ended after {part.size:,} of {total:,} bytes")


def _opened(part: _Part, timeout: float) -> http.client.HTTPResponse:
    asked = request.Request(part.url, headers={**_HEADERS, **_range(part)})
    try:
        response: http.client.HTTPResponse = _opener().open(asked, timeout=timeout)
    except error.HTTPError as answer:
        with answer:
            raise _refused(part, answer) from answer
    except (OSError, http.client.HTTPException, ValueError) as failure:
        reason = _words(getattr(failure, "reason", failure))
        # Something has come from there already, so it is worth another look.
        raise _CutError(reason) if part.size else UnreachableError(reason) from failure
    return response


def _opener() -> request.OpenerDirector:
    """Follows redirections within the web; the default one would follow them to ``ftp:`` too."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.UnknownHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPRedirectHandler,
        request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _range(part: _Part) -> Mapping[str, str]:
    if part.size and part.version.validator:
        return {"Range": f"bytes={part.size}-", "If-Range": part.version.validator}
    return {}


def _refused(part: _Part, answer: error.HTTPError) -> Exception:
    said = f"HTTP {answer.code} {answer.reason}"
    if answer.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.forget()  # the file has become shorter than what we have
        return _CutError(said)
    return _CutError(said) if answer.code in _AGAIN else MirrorError(said)


def _refuse_page(response: http.client.HTTPResponse) -> None:
    """Google Drive, log-in pages and parked domains answer 200 with a page for people."""
    if response.headers.get_content_type() != "text/html":
        return
    title = _TITLE.search(response.read(2**16))
    named = f" ({title[1].decode('utf-8', 'replace').strip()!r})" if title else ""
    raise MirrorError(f"a web page{named} instead of the file; in a browser it may work")


def _begin(part: _Part, response: http.client.HTTPResponse) -> None:
    """Goes on with what we have if that is what the answer continues; otherwise starts anew."""
    if response.status == http.client.PARTIAL_CONTENT:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found and int(found[1]) == part.size and found[3] == str(part.version.total):
            return
        part.forget()
        raise _CutError(f"bytes {response.headers.get('Content-Range')}, which were not asked for")
    part.start(_Version(_validator(response), _length(response)))


def _validator(response: http.client.HTTPResponse) -> str:
    tag = response.headers.get("ETag", "")
    strong = tag if tag.startswith('"') else ""
    return strong or response.headers.get("Last-Modified", "")


def _length(response: http.client.HTTPResponse) -> int:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else -1


def _copy(response: http.client.HTTPResponse, file: IO[bytes], total: int, max_bytes: int) -> None:
    title = Path(file.name).name.rsplit(".", 2)[0]
    size = total if total >= 0 else None
    with tqdm(
        total=size, initial=file.tell(), unit="B", unit_scale=True, desc=title, disable=None
    ) as bar:
        while block := _block(response):
            if file.tell() + len(block) > max_bytes:
                raise MirrorError(f"more than the {max_bytes:,} bytes it may have")
            _write(file, block)
            bar.update(len(block))


def _block(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(_BLOCK)
    except (OSError, http.client.HTTPException) as failure:
        raise _CutError(f"the connection broke: {_words(failure)}") from failure


def _write(file: IO[bytes], block: bytes) -> None:
    try:
        file.write(block)
        file.flush()  # or closing the file would be what fails
    except OSError as failure:
        got = failure.strerror or str(failure)
        fix = "Make room, or choose another folder with --into; what has arrived is kept."
        raise BadInputError(Problem(file.name, got, "room to write", fix)) from failure


def _words(failure: object) -> str:
    return str(failure) or type(failure).__name__

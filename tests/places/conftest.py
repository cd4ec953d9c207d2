"""A server on loopback that misbehaves as told, and a miniPlaces of six images."""

import hashlib
import io
import tarfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autograder.places import manifest
from autograder.places.download import Patience

MINIPLACES = Path(__file__).parents[3] / "shared" / "miniplaces"


@dataclass
class Page:
    """What an address answers.

    Attributes:
        data: the file.
        etag, modified: headers; empty ones are not sent.
        ranges: whether it can send a part.
        cuts: after how many bytes it hangs up, for one request after the other.
        errors: statuses it gives first, one for each request.
        redirect: where to, if anywhere.
        kind: the content type.
        length: whether it says how long the answer is.
        shift: how much earlier than asked a part begins.
    """

    data: bytes = b""
    etag: str = '"one"'
    modified: str = ""
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)
    redirect: str = ""
    kind: str = "application/octet-stream"
    length: bool = True
    shift: int = 0


class Site(ThreadingHTTPServer):
    """Pages by path, and the headers of all requests."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages = {}
        self.requests = []

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"

    def put(self, path, data=b"", **page):
        self.pages[path] = Page(data, **page)
        return self.url(path)

    def ranges(self, path):
        """The Range header of each request for a page."""
        return [headers.get("Range") for asked, headers in self.requests if asked == path]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers)))
        page = self.server.pages.get(self.path)
        if page is None:
            self.send_error(404)
        elif page.errors:
            self.send_error(page.errors.pop(0))
        elif page.redirect:
            self.send_response(302)
            self.send_header("Location", page.redirect)
            self.end_headers()
        else:
            self._send(page)

    def _send(self, page):
        start = self._start(page)
        if start >= len(page.data) > 0:
            self.send_error(416)
            return
        first = start - page.shift if start else 0
        last = len(page.data) - 1 - (page.shift if start else 0)
        body = page.data[first : last + 1]
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", page.kind)
        if start:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(page.data)}")
        if page.length:
            self.send_header("Content-Length", str(len(body)))
        for name, value in (("ETag", page.etag), ("Last-Modified", page.modified)):
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: page.cuts.pop(0)] if page.cuts else body)
        self.close_connection = True

    def _start(self, page):
        asked = self.headers.get("Range", "")
        same = self.headers.get("If-Range", "") in ("", page.etag, page.modified)
        return int(asked[len("bytes=") : -1]) if asked and page.ranges and same else 0

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def impatient():
    return Patience(timeout=2, attempts=3, pause=0)


@pytest.fixture
def nowhere():
    """An address at which nothing listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as closed:
        return f"http://127.0.0.1:{closed.server_port}/data.tar.gz"


def jpeg(seed=0, size=(128, 128)):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (8, 8, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(small).resize(size).save(stream, "JPEG")
    return stream.getvalue()


def packed(members):
    """A .tar.gz of (TarInfo or name, bytes)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as tar:
        for member, data in members:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member)
            info.size = info.size or len(data)
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


LABELS = {
    "categories.txt": "/a/abbey 0\n/b/bakery/shop 1\n",
    "train.txt": "train/a/abbey/00000001.jpg 0\ntrain/a/abbey/00000002.jpg 0\n"
    "train/b/bakery/shop/00000001.jpg 1\n",
    "val.txt": "val/00000001.jpg 1\nval/00000002.jpg 0\n",
}
XML = (
    "<filename>7.jpg</filename>\n<folder>/a/abbey</folder>\n<class>0</class>\n"
    "<objects>\n\t<class>169</class>\n\t<polygon>\n"
    "\t\t<pt>\n\t\t\t<x>11</x>\n\t\t\t<y>21</y>\n\t\t</pt>\n"
    "\t\t<pt>\n\t\t\t<x>30</x>\n\t\t\t<y>21</y>\n\t\t</pt>\n"
    "\t\t<pt>\n\t\t\t<x>11</x>\n\t\t\t<y>60</y>\n\t\t</pt>\n\t</polygon>\n"
    "\t<bndbox>\n\t\t<xmin>11</xmin>\n\t\t<xmax>30</xmax>\n"
    "\t\t<ymin>21</ymin>\n\t\t<ymax>60</ymax>\n\t</bndbox>\n</objects>\n"
)
FILES = {
    **{
        f"images/{line.split()[0]}": jpeg(k)
        for k, line in enumerate((LABELS["train.txt"] + LABELS["val.txt"]).splitlines())
    },
    "images/test/00000001.jpg": jpeg(9),
    "objects/train/a/abbey/00000002.xml": XML.encode(),
}


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


MANIFEST = """
[archive]
file = "data.tar.gz"
md5 = "{md5}"
max_bytes = 1_000_000
mirrors = {mirrors}
[unpacked]
max_files = 100
max_file_bytes = 50_000
max_bytes = 500_000
[contents]
images = "images"
objects = "objects"
categories = "categories.txt"
labels = ["train.txt", "val.txt"]
test_images = 1
objects_train = 1
objects_val = 0
"""


@pytest.fixture
def mini(site, tmp_path):
    """Puts a small miniPlaces on the site; makes manifests of it."""

    class Mini:
        def __init__(self):
            self.files, self.labels = dict(FILES), dict(LABELS)

        def archive(self):
            return packed(self.files.items())

        def manifest(self, *mirrors, archive=None):
            data = archive or self.archive()
            mirrors = list(mirrors) or [site.put("/data.tar.gz", data)]
            text = MANIFEST.format(md5=md5(data), mirrors=mirrors)
            for name, content in self.labels.items():
                url = site.put(f"/{name}", content.encode())
                text += f'[files."{name}"]\nmax_bytes = 5000\nmd5 = "{md5(content.encode())}"\n'
                text += f'mirrors = ["{url}"]\n'
            path = tmp_path / "manifest.toml"
            path.write_text(text)
            return manifest.load(path)

    return Mini()


@pytest.fixture
def make_jpeg():
    return jpeg


@pytest.fixture
def tar_gz():
    return packed


@pytest.fixture
def xml():
    return XML


@pytest.fixture(scope="session")
def miniplaces():
    if not MINIPLACES.is_dir():
        pytest.skip("miniPlaces' label files are not in ../shared/miniplaces")
    return MINIPLACES

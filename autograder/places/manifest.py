"""What can be downloaded, from where, and how to know that it is the right thing.

The manifest is part of the package, so that a notebook on Colab has it, too.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from autograder.problem import BadInputError, Problem

T = TypeVar("T")

_ITEM = {"file", "md5", "sha256", "max_bytes", "mirrors", "classes"}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
# A full md5; of a sha256 at least the eight digits that torchvision puts into names.
_DIGESTS = {"md5": re.compile(r"[0-9a-f]{32}"), "sha256": re.compile(r"[0-9a-f]{8,64}")}
_FIX = "Mend that line of the manifest."


@dataclass(frozen=True)
class Item:
    """A file that is downloaded.

    Attributes:
        name: of the file.
        mirrors: addresses, in the order in which they are tried.
        max_bytes: nothing larger is written to the disk.
        digests: hexadecimal digests by algorithm, or how they begin.
        classes: of weights, how many classes the network tells apart.
    """

    name: str
    mirrors: Sequence[str]
    max_bytes: int
    digests: Mapping[str, str]
    classes: int = 0


@dataclass(frozen=True)
class Bounds:
    """What an archive may unpack to: files and folders, bytes of one file, and of all."""

    files: int
    file_bytes: int
    bytes: int


@dataclass(frozen=True)
class Contents:
    """What has to be there once the archive is unpacked.

    Attributes:
        images: the folder that image names begin in.
        objects: the folder of the annotations.
        categories: the label file that names the classes.
        labels: label files whose images must be there.
        test_images: how many images ``test/`` must have.
        annotations: how many XML files each folder in ``objects`` must have.
    """

    images: str
    objects: str
    categories: str
    labels: Sequence[str]
    test_images: int
    annotations: Mapping[str, int]


@dataclass(frozen=True)
class Manifest:
    """The archive, what is in it, the files beside it, and weights of trained networks."""

    archive: Item
    bounds: Bounds
    contents: Contents
    files: Mapping[str, Item]
    weights: Mapping[str, Item]


def load(path: Path | None = None) -> Manifest:
    """Reads a manifest, by default the package's own.

    Raises:
        BadInputError: the file cannot be read, or lacks something.
    """
    name, text = _text(path)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInputError(Problem(name, str(error), "TOML", _FIX)) from error
    try:
        return _manifest(name, table)
    except KeyError as missing:
        raise BadInputError(
            Problem(name, f"no setting {missing}", "it to be there", _FIX)
        ) from None


def with_mirrors(item: Item, first: Sequence[str]) -> Item:
    """The same item, tried at other addresses first.

    Raises:
        BadInputError: an address is not one that can be downloaded from.
    """
    for url in first:
        _web_address("--mirror", url)
    return replace(item, mirrors=(*first, *item.mirrors))


def _text(path: Path | None) -> tuple[str, str]:
    if path is None:
        resource = files(__package__).joinpath("manifest.toml")
        return "manifest.toml", resource.read_text(encoding="utf-8")
    try:
        return str(path), path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fix = "Check the name given with --manifest."
        raise BadInputError(Problem(str(path), str(error), "a manifest to read", fix)) from error


def _manifest(name: str, table: Mapping[str, Any]) -> Manifest:
    unpacked, contents = table["unpacked"], table["contents"]
    return Manifest(
        archive=_item(f"{name}, [archive]", table["archive"]),
        bounds=Bounds(unpacked["max_files"], unpacked["max_file_bytes"], unpacked["max_bytes"]),
        contents=Contents(
            images=_file_name(name, contents["images"]),
            objects=_file_name(name, contents["objects"]),
            categories=contents["categories"],
            labels=tuple(contents["labels"]),
            test_images=contents["test_images"],
            annotations={"train": contents["objects_train"], "val": contents["objects_val"]},
        ),
        files=_by_name(
            table["files"], lambda key, row: _item(f"{name}, [files.{key!r}]", {"file": key, **row})
        ),
        weights=_by_name(
            table.get("weights", {}), lambda key, row: _item(f"{name}, [weights.{key}]", row)
        ),
    )


def _by_name(
    table: Mapping[str, Any], read: Callable[[str, Mapping[str, Any]], T]
) -> Mapping[str, T]:
    return {key: read(key, row) for key, row in table.items()}


def _item(where: str, row: Mapping[str, Any]) -> Item:
    unknown = sorted(row.keys() - _ITEM)
    if unknown:
        expected = "only " + ", ".join(sorted(_ITEM))
        raise BadInputError(Problem(where, f"the setting {unknown[0]!r}", expected, _FIX))
    for url in row["mirrors"]:
        _web_address(where, url)
    return Item(
        name=_file_name(where, row["file"]),
        mirrors=tuple(row["mirrors"]),
        max_bytes=row["max_bytes"],
        digests={key: _digest(where, key, row[key]) for key in _DIGESTS if key in row},
        classes=row.get("classes", 0),
    )


def _digest(where: str, algorithm: str, value: str) -> str:
    if not _DIGESTS[algorithm].fullmatch(value.lower()):
        expected = "32 hexadecimal digits" if algorithm == "md5" else "8 to 64 hexadecimal digits"
        raise BadInputError(Problem(where, f"{algorithm} = {value!r}", expected, _FIX))
    return value.lower()


def _file_name(where: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadInputError(Problem(where, f"the name {name!r}", "a plain file name", _FIX))
    return name


def _web_address(where: str, url: str) -> None:
    if urlsplit(url).scheme not in ("http", "https"):
        fix = "For a file on this machine or a mounted drive say --archive FILE instead."
        raise BadInputError(Problem(where, f"the address {url!r}", "http:// or https://", fix))

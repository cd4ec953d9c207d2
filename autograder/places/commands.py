"""``autograder places``: gets miniPlaces or draws scenes, packs, holds out a test, gets weights."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from autograder.places.fetch import fetch, obtain
from autograder.places.labels import read_images, read_labels
from autograder.places.manifest import load, with_mirrors
from autograder.places.packing import pack
from autograder.places.scenes import commands as scenes
from autograder.places.split import read_seed, split, write
from autograder.places.weights import choose, read, require, resnet18_shapes
from autograder.problem import BadInputError, Problem

_ABOUT = "get and prepare images of places"
_PLACE, _WEIGHTS_PLACE = Path("data/miniplaces"), Path("data/weights")

_FETCH = """\
Get miniPlaces: 100,000 training, 10,000 validation and 10,000 test images of 100
kinds of places, 128×128 pixels, and where objects are in some of them.

Mirrors are tried in turn. A download that was cut goes on where it ended: run the
same command again. The archive's md5 is compared (nothing stronger is published),
it is unpacked so that nothing leaves its folder, and the images are counted by
class against the label files. FOLDER appears when all of that is done, not before.
"""
_FETCH_EXAMPLES = """
examples:
  autograder places fetch
  autograder places fetch --archive /content/drive/MyDrive/data.tar.gz \\
      --into /content/miniplaces
"""
_PACK = """\
Decode images once, into a file that is then mapped into memory: whole batches are
read from it much faster than JPEGs can be decoded.

LABELS is a label file such as train.txt, or a list of names such as test.txt; the
images are looked for in the folder "images" beside it. Each LABELS becomes a folder
of its name, of 49 kB for an image of 128×128 pixels: 5 GB for all of train.txt.
"""
_PACK_EXAMPLES = """
example:
  autograder places pack data/miniplaces/train.txt data/miniplaces/val.txt \\
      --into data/packed
"""
_SPLIT = """\
Hold out a hidden test from images whose labels are known, equally many of each
class, chosen by a secret seed: the same seed gives the same test again.

The folder --students gets the label file without them, the hidden images under new
names, and a list of these. The folder --staff gets truth.txt, which `autograder
leaderboard` reads; nothing of that is in the other. Keep it and the seed secret.

miniPlaces is public: whoever looks for an image's double in it finds the label.
This keeps honest people honest; for more, take photographs of your own.
"""
_SPLIT_EXAMPLES = """
example:
  python -c 'import secrets; print(secrets.token_hex(32))' > ../seed
  autograder places split data/miniplaces/val.txt --per-class 50 \\
      --seed-file ../seed --students data/course --staff ../truth
"""
_WEIGHTS = """\
Fetch a ResNet-18 that others have trained: imagenet (torchvision) or places365
(B. Zhou et al.). Names and shapes of its tensors are compared with the network's
where PyTorch is installed.
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds ``places`` and its commands to the command line."""
    places = commands.add_parser("places", help=_ABOUT, description=f"{_ABOUT.capitalize()}.")
    leaves = places.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_fetch(leaves)
    _add_pack(leaves)
    _add_split(leaves)
    _add_weights(leaves)
    scenes.add_to(leaves)


def _leaf(
    leaves: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    about: str,
    description: str,
    examples: str = "",
) -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    return leaves.add_parser(
        name, help=about, description=description, epilog=examples, formatter_class=form
    )


def _add_fetch(leaves: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    leaf = _leaf(leaves, "fetch", "download miniPlaces and unpack it", _FETCH, _FETCH_EXAMPLES)
    leaf.add_argument(
        "--into", metavar="FOLDER", type=Path, default=_PLACE, help="default: %(default)s"
    )
    leaf.add_argument(
        "--archive", metavar="FILE", type=Path, help="use this data.tar.gz and download none"
    )
    leaf.add_argument(
        "--labels", metavar="FOLDER", type=Path, help="use the label files in it, download none"
    )
    _add_sources(leaf)
    leaf.set_defaults(run=_on_disk(_run_fetch))


def _add_sources(leaf: argparse.ArgumentParser) -> None:
    leaf.add_argument(
        "--mirror", metavar="URL", action="append", default=[], help="try this address first"
    )
    leaf.add_argument(
        "--manifest", metavar="FILE", type=Path, help="addresses and checksums other than ours"
    )


def _add_pack(leaves: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    leaf = _leaf(leaves, "pack", "decode images once, for fast loading", _PACK, _PACK_EXAMPLES)
    leaf.add_argument("labels", metavar="LABELS", type=Path, nargs="+", help="which images")
    leaf.add_argument(
        "--into", metavar="FOLDER", type=Path, required=True, help="where the packed sets go"
    )
    leaf.add_argument("--images", metavar="FOLDER", type=Path, help="where the images are")
    leaf.add_argument("--workers", metavar="N", type=_positive, help="default: one for each core")
    leaf.add_argument(
        "--shuffle", metavar="SEED", type=int, help="store them in a random order: for slow disks"
    )
    leaf.set_defaults(run=_on_disk(_run_pack))


def _add_split(leaves: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    leaf = _leaf(leaves, "split", "hold out a hidden test", _SPLIT, _SPLIT_EXAMPLES)
    leaf.add_argument("labels", metavar="LABELS", type=Path, help="the label file to take it from")
    leaf.add_argument(
        "--per-class", metavar="N", type=_positive, required=True, help="how many of each class"
    )
    for name, metavar, about in (
        ("seed-file", "FILE", "the secret"),
        ("students", "FOLDER", "what is handed out; must not exist yet"),
        ("staff", "FOLDER", "what is kept secret; must not exist yet"),
    ):
        leaf.add_argument(f"--{name}", metavar=metavar, type=Path, required=True, help=about)
    leaf.add_argument("--images", metavar="FOLDER", type=Path, help="where the images are")
    leaf.set_defaults(run=_on_disk(_run_split))


def _add_weights(leaves: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    leaf = _leaf(leaves, "weights", "fetch a trained ResNet-18", _WEIGHTS)
    leaf.add_argument("name", metavar="NAME", help="imagenet or places365")
    leaf.add_argument(
        "--into", metavar="FOLDER", type=Path, default=_WEIGHTS_PLACE, help="default: %(default)s"
    )
    _add_sources(leaf)
    leaf.set_defaults(run=_on_disk(_run_weights))


def _on_disk(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The command, with what the disk refuses told as a problem of the user's folders."""

    def told(arguments: argparse.Namespace) -> int:
        try:
            return run(arguments)
        except OSError as error:
            where, got = str(error.filename or "the disk"), error.strerror or str(error)
            fix = "Name folders that you may write to, on a disk with room."
            problem = Problem(where, got, "files and folders to read and write", fix)
            raise BadInputError(problem) from error

    return told


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return number


def _run_fetch(arguments: argparse.Namespace) -> int:
    manifest = load(arguments.manifest)
    archive = with_mirrors(manifest.archive, arguments.mirror)
    try:
        fetch(
            replace(manifest, archive=archive), arguments.into, arguments.archive, arguments.labels
        )
    except KeyboardInterrupt:
        print("\nInterrupted. Run it again: what has arrived is kept.", file=sys.stderr)
        return 1
    return 0


def _run_pack(arguments: argparse.Namespace) -> int:
    targets = {path: arguments.into / path.stem for path in arguments.labels}
    _require_different(arguments.labels)
    for path, into in targets.items():
        labels = read_images(path)
        images = arguments.images or path.parent / "images"
        pack(labels, images, into, arguments.workers, arguments.shuffle)
        print(f"{into}: {len(labels):,} images")
    return 0


def _require_different(paths: Sequence[Path]) -> None:
    if len({path.stem for path in paths}) < len(paths):
        got, fix = "two label files of one name", "Rename one, or pack them one after the other."
        raise BadInputError(Problem("LABELS", got, "different names", fix))


def _run_split(arguments: argparse.Namespace) -> int:
    path, images = arguments.labels, arguments.images or arguments.labels.parent / "images"
    seed = read_seed(arguments.seed_file)
    made = split(read_labels(path), arguments.per_class, seed)
    beside = [path.parent / name for name in ("categories.txt",) if (path.parent / name).is_file()]
    write(made, images, path.name, arguments.students, arguments.staff, beside)
    print(f"{arguments.students}: {len(made.rest):,} labelled images, {len(made.truth):,} hidden")
    print(f"{arguments.staff}: their truth. Keep it, and {arguments.seed_file}, to yourself.")
    return 0


def _run_weights(arguments: argparse.Namespace) -> int:
    manifest = load(arguments.manifest)
    item = choose(manifest.weights, arguments.name)
    path = obtain(with_mirrors(item, arguments.mirror), arguments.into)
    if find_spec("torch"):
        require(read(path), resnet18_shapes(item.classes), str(path))
    print(path)
    return 0

"""``autograder places scenes``: writes the drawn stand-in for miniPlaces into a folder."""

import argparse
from pathlib import Path

from autograder.places.scenes.classes import CLASSES, PRETRAINING, TASK
from autograder.places.scenes.dataset import write
from autograder.places.scenes.draw import SIZE, SMALLEST
from autograder.problem import BadInputError, Problem

_CLASSES = {"all": CLASSES, "task": TASK, "pretraining": PRETRAINING}
_EXAMPLE = """
example:
  autograder places scenes --into data/scenes --count 2400 --val 240 --test 240

writes images/train/a/aquarium/00000001.png ..., train.txt, val.txt and categories.txt in the
layout of miniPlaces, and truth/ with the objects' boxes and masks.
"""


def add_to(leaves: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds ``places scenes`` to the command line, below ``places``."""
    about = "draw scenes, the stand-in for miniPlaces, into a folder"
    leaf = leaves.add_parser(
        "scenes",
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    leaf.add_argument("--into", metavar="FOLDER", type=Path, required=True, help="where to write")
    for name, default, what in (
        ("count", 2400, "training images"),
        ("val", 240, "validation images"),
        ("test", 0, "test images"),
        ("size", SIZE, "height and width in pixels"),
        ("seed", 0, "another seed, other scenes"),
        ("processes", 2, "how many draw at a time"),
    ):
        leaf.add_argument(
            f"--{name}", metavar="N", type=int, default=default, help=f"{what} ({default})"
        )
    for name, what in (
        ("background", "a class is shown where it is at home"),
        ("companion", "what stands by is the class's own"),
    ):
        help_ = f"how often, from 0 to 1, {what} (0)"
        leaf.add_argument(f"--{name}-bias", metavar="SHARE", type=float, default=0.0, help=help_)
    leaf.add_argument("--classes", choices=_CLASSES, default="all", help="which classes (all)")
    leaf.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    _check(arguments)
    classes = _CLASSES[arguments.classes]
    counts = {"train": arguments.count, "val": arguments.val, "test": arguments.test}
    try:
        write(
            arguments.into,
            {split: count for split, count in counts.items() if count},
            seed=arguments.seed,
            size=arguments.size,
            classes=classes,
            background_bias=arguments.background_bias,
            companion_bias=arguments.companion_bias,
            processes=arguments.processes,
        )
    except OSError as error:
        got, fix = error.strerror or str(error), "Name a folder that you may write to."
        where = str(error.filename or arguments.into)
        raise BadInputError(Problem(where, got, "a folder to write to", fix)) from error
    print(f"{sum(counts.values())} images of {len(classes)} places in {arguments.into}")
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Raises `BadInputError` for every number that is out of range."""
    ranges = [
        *((name, 0, 10**6) for name in ("count", "val", "test")),
        *(("size", SMALLEST, 512), ("seed", 0, 2**63 - 1), ("processes", 1, 64)),
        *((name, 0, 1) for name in ("background_bias", "companion_bias")),
    ]
    problems = [
        Problem(
            f"--{name.replace('_', '-')}",
            str(getattr(arguments, name)),
            f"a number from {low} to {high}",
            "Change this option.",
        )
        for name, low, high in ranges
        if not low <= getattr(arguments, name) <= high
    ]
    if problems:
        raise BadInputError(*problems)

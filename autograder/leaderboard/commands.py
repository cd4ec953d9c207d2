"""``autograder leaderboard``: reads files, calls the pure core, prints tables."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from tabulate import tabulate

from autograder.leaderboard.check import check
from autograder.leaderboard.files import bytes_of, cannot_write, file_of, printable
from autograder.leaderboard.parse import NUM_CLASSES, parse, parse_images, parse_labels
from autograder.leaderboard.rank import Row, rank, wilson
from autograder.leaderboard.score import Score, score
from autograder.problem import BadInputError, Problem

_FORMAT = """\
A prediction file has one line for each image and exactly five labels a line, best first:

  val/00000001.jpg 71 12 5 99 0

A label file has one label a line, like miniPlaces' val.txt:

  val/00000001.jpg 71
"""
_SCORE_EXAMPLE = """
example:
  autograder leaderboard score predictions.txt --truth val.txt
"""
_BOARD_EXAMPLE = """
A team is called as its file, without the ending. A file that cannot be scored is left out of the
board, its problems are printed, and the status is 1.

example:
  autograder leaderboard board teams/*.txt --truth val.txt --json board.json
"""
_CHECK_EXAMPLE = """
A manifest says what the predictions came from; autograder.leaderboard.write makes one. The status
is 0 if the leaderboard would accept the files, and 1 if it would not; all that is wrong is printed.

examples:
  autograder leaderboard check predictions.txt --images test.txt
  autograder leaderboard check predictions.txt --images val.txt --manifest run.json --classes 12
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds ``leaderboard check``, ``score`` and ``board`` to the command line."""
    about = "score and rank miniPlaces predictions"
    leaderboard = commands.add_parser("leaderboard", help=about, description=about)
    leaves = leaderboard.add_subparsers(title="commands", metavar="COMMAND", required=True)

    _add_check(leaves)

    one = _leaf(leaves, "score", "score one prediction file: top-1 and top-5", _SCORE_EXAMPLE)
    _add_truth(one)
    one.add_argument("predictions", metavar="PREDICTIONS", type=Path, help="the file to score")
    one.set_defaults(run=_run_score)

    several = _leaf(leaves, "board", "rank several prediction files", _BOARD_EXAMPLE)
    _add_truth(several)
    several.add_argument(
        "predictions", metavar="PREDICTIONS", type=Path, nargs="+", help="one file for each team"
    )
    several.add_argument("--json", metavar="FILE", type=Path, help="write the rows there as well")
    several.set_defaults(run=_run_board)


def _add_check(leaves: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "say whether the leaderboard would accept a prediction file"
    leaf = _leaf(leaves, "check", about, _CHECK_EXAMPLE)
    leaf.add_argument("predictions", metavar="PREDICTIONS", type=Path, help="the file to check")
    leaf.add_argument(
        "--images",
        metavar="NAMES",
        type=Path,
        required=True,
        help="the images to be predicted, one a line, with or without a label",
    )
    leaf.add_argument(
        "--manifest", metavar="RUN.json", type=Path, help="the run's manifest, checked as well"
    )
    leaf.add_argument(
        "--classes",
        metavar="N",
        type=_positive,
        help="labels are 0 to N - 1; by default what the manifest says, without one 100",
    )
    leaf.set_defaults(run=_run_check)


def _positive(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is no number of classes")
    return int(word)


def _leaf(
    leaves: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    about: str,
    example: str,
) -> argparse.ArgumentParser:
    leaf = leaves.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.\n\n{_FORMAT}",
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    leaf.add_argument(
        "--categories",
        metavar="FILE",
        type=Path,
        help="miniPlaces' categories.txt: a refused category name is then translated",
    )
    return leaf


def _add_truth(leaf: argparse.ArgumentParser) -> None:
    leaf.add_argument(
        "--truth",
        metavar="LABELS",
        type=Path,
        required=True,
        help="the label file to score against",
    )


def _run_check(arguments: argparse.Namespace) -> int:
    classes, manifest = arguments.classes, arguments.manifest
    predictions, images = file_of(arguments.predictions), file_of(arguments.images)
    names = parse_images(images.data, images.name, classes or NUM_CLASSES)
    run = file_of(manifest) if manifest else None
    try:
        print(check(predictions, names, run, classes, _categories(arguments)))
    except BadInputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run_score(arguments: argparse.Namespace) -> int:
    reader = _Reader(arguments)
    entry = reader.scored(arguments.predictions)
    print(f"{printable(arguments.predictions)}: {entry.total} images\n")
    print(_score_table(entry))
    return 0


def _run_board(arguments: argparse.Namespace) -> int:
    names = _team_names(arguments.predictions)
    reader = _Reader(arguments)
    entries: dict[str, Score] = {}
    for name, path in names.items():
        try:
            entries[name] = reader.scored(path)
        except BadInputError as error:
            print(error, file=sys.stderr)
    rows = rank(entries)
    print(_board_table(rows))
    if arguments.json:
        _write_json(arguments.json, rows)
    return 0 if len(rows) == len(names) else 1


class _Reader:
    """Scores files against the truth that the command line names, read once."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.truth = _labels(arguments.truth)
        self.categories = _categories(arguments)

    def scored(self, path: Path) -> Score:
        """The score of a prediction file; its warnings go to standard error."""
        data = bytes_of(path)
        predictions = parse(data, printable(path), self.truth, categories=self.categories)
        for warning in predictions.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        return score(predictions, self.truth)


def _labels(path: Path) -> Mapping[str, int]:
    return parse_labels(bytes_of(path), printable(path))


def _categories(arguments: argparse.Namespace) -> Mapping[str, int]:
    return _labels(arguments.categories) if arguments.categories else {}


def _team_names(paths: Sequence[Path]) -> dict[str, Path]:
    """Files by the name of their team; raises `BadInputError` where two teams would share one."""
    counts = Counter(path.stem for path in paths)
    shared = [path for path in paths if counts[path.stem] > 1]
    if shared:
        raise BadInputError(*map(_shared_name, shared))
    return {path.stem: path for path in paths}


def _shared_name(path: Path) -> Problem:
    return Problem(
        where=printable(path),
        got=f"the team name {path.stem!r} more than once",
        expected="a different file name for each team",
        fix="Rename a file, or name it once.",
    )


def _score_table(entry: Score) -> str:
    rows = [
        _score_line("top-1", entry.top1, entry.total, entry.top1_accuracy, entry.top1_error),
        _score_line("top-5", entry.top5, entry.total, entry.top5_accuracy, entry.top5_error),
    ]
    return _table(["", "right", "accuracy", "error", "95% interval of the error"], rows)


def _score_line(label: str, hits: int, total: int, accuracy: float, error: float) -> list[str]:
    interval = _interval(*wilson(total - hits, total))
    return [label, f"{hits} of {total}", _percent(accuracy), _percent(error), interval]


def _board_table(rows: Iterable[Row]) -> str:
    headers = ["rank", "team", "top-5 error", "95% interval", "top-1 error", "from the next"]
    return _table(headers, [_board_line(row) for row in rows])


def _board_line(row: Row) -> list[str]:
    return [
        str(row.rank),
        printable(row.name),
        _percent(row.top5_error),
        _interval(row.top5_error_low, row.top5_error_high),
        _percent(row.top1_error),
        _comparison(row),
    ]


def _comparison(row: Row) -> str:
    if row.p_next is None:
        return ""
    chance = "p < 0.001" if row.p_next < 0.001 else f"p = {row.p_next:.3f}"
    return f"{'' if row.distinguishable_from_next else 'not '}distinguishable, {chance}"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    # A team called "1e3" is a name, not a number.
    return tabulate(rows, headers=headers, disable_numparse=True)


def _percent(share: float) -> str:
    return f"{share:.2%}"


def _interval(low: float, high: float) -> str:
    return f"{_percent(low)} to {_percent(high)}"


def _write_json(path: Path, rows: Iterable[Row]) -> None:
    text = json.dumps([asdict(row) for row in rows], indent=1)
    try:
        path.write_text(text + "\n", encoding="ascii")
    except OSError as error:
        raise cannot_write(path, error) from error

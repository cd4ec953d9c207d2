"""Misconceptions of the file for the leaderboard: each writes the text that a student would."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.check.mistakes import Mistake
from autograder.check.record import Array

Names = Sequence[str]
BEST = 5


def _ranked(probabilities: Array) -> Any:
    return np.argsort(-probabilities, axis=1, kind="stable")


def _text(names: Names, rows: Any, form: str = "{} {}\n", between: str = " ") -> str:
    return "".join(
        form.format(name, between.join(map(str, row)))
        for name, row in zip(names, rows, strict=True)
    )


def _labels(choose: Callable[[Any], Any]) -> Callable[[Names, Array], str]:
    """Lines of what ``choose`` takes from the labels (N, K), the most probable first."""
    return lambda names, probabilities: _text(names, choose(_ranked(probabilities)))


def _written(form: str, between: str = " ") -> Callable[[Names, Array], str]:
    """The right labels, in another form."""
    return lambda names, p: _text(names, _ranked(p)[:, :BEST], form, between)


def _shares(names: Names, probabilities: Array) -> str:
    rows = -np.sort(-probabilities, axis=1)[:, :BEST]
    return _text(names, [[f"{share:.7f}" for share in row] for row in rows])


def _in_order_of_names(names: Names, probabilities: Array) -> str:
    return _labels(lambda ranked: ranked[:, :BEST])(sorted(names), probabilities)


def _tensors(names: Names, probabilities: Array) -> str:
    rows = _ranked(probabilities)[:, :BEST]
    return _text(names, [[f"tensor({label})" for label in row] for row in rows])


FILE = (
    Mistake(
        "worst first",
        "These are the *least* probable labels. Sort downwards, or take the other end.",
        _labels(lambda ranked: ranked[:, ::-1][:, :BEST]),
    ),
    Mistake(
        "fifth first",
        "The five labels are right, in the opposite order: the most probable comes first.",
        _labels(lambda ranked: ranked[:, :BEST][:, ::-1]),
    ),
    Mistake(
        "sorted labels",
        "The five labels are right, sorted by their numbers: the most probable comes first.",
        _labels(lambda ranked: np.sort(ranked[:, :BEST], axis=1)),
    ),
    Mistake(
        "from 1",
        "The labels are counted from 1. They count from 0.",
        _labels(lambda ranked: ranked[:, :BEST] + 1),
    ),
    Mistake(
        "four",
        "There are four labels in each line. Five are asked.",
        _labels(lambda ranked: ranked[:, : BEST - 1]),
    ),
    Mistake(
        "one",
        "There is one label in each line. The five most probable are asked.",
        _labels(lambda ranked: ranked[:, :1]),
    ),
    Mistake(
        "six",
        "There are six labels in each line. Five are asked.",
        _labels(lambda ranked: ranked[:, : BEST + 1]),
    ),
    Mistake(
        "all",
        "All labels are written. Only the five most probable are asked.",
        _labels(lambda ranked: ranked),
    ),
    Mistake(
        "not the best",
        "The most probable label is left out.",
        _labels(lambda ranked: ranked[:, 1 : BEST + 1]),
    ),
    Mistake(
        "first row for all",
        "Every image has the labels of the first one.",
        _labels(lambda ranked: np.repeat(ranked[:1, :BEST], len(ranked), axis=0)),
    ),
    Mistake(
        "probabilities",
        "These are the probabilities of the five. Their labels are asked: the indices.",
        _shares,
    ),
    Mistake(
        "sorted names",
        "The names are sorted and the labels are not, so that they belong to other images.",
        _in_order_of_names,
    ),
    Mistake(
        "commas",
        "There are commas in the lines. Put blanks between the parts, and nothing else.",
        _written("{},{}\n", ","),
    ),
    Mistake(
        "a list",
        "The labels are written as Python writes a list. Put them one by one into the line, with "
        "blanks between them.",
        _written("{} [{}]\n", ", "),
    ),
    Mistake(
        "an array",
        "The labels are written as NumPy writes an array. Put them one by one into the line, with "
        "blanks between them.",
        _written("{} [{}]\n"),
    ),
    Mistake(
        "tensors",
        "The labels are written as PyTorch writes a tensor. Make numbers of them: .tolist().",
        _tensors,
    ),
    Mistake(
        "a tensor",
        "The labels are written as PyTorch writes a tensor. Make numbers of them: .tolist().",
        _written("{} tensor([{}])\n", ", "),
    ),
    Mistake(
        "one line",
        "All is in one line. Each image has its own, which ends with a newline.",
        _written("{} {} "),
    ),
    Mistake(
        "names last",
        "The name stands behind the labels. It comes first.",
        lambda names, p: "".join(
            f"{' '.join(map(str, row))} {name}\n"
            for name, row in zip(names, _ranked(p)[:, :BEST], strict=True)
        ),
    ),
    Mistake(
        "no names",
        "There are no names. Each line starts with the name of its image.",
        lambda names, p: _text([""] * len(names), _ranked(p)[:, :BEST]),
    ),
    Mistake(
        "no folder",
        "The names have lost their folder. Write them as they are given.",
        lambda names, p: _written("{} {}\n")([name.rpartition("/")[2] for name in names], p),
    ),
)


def named(text: str, names: Names, probabilities: Array) -> str:
    """What the first of the mistakes says that would have written this text; else ''."""
    got = _parts(text)
    says = (m.says for m in FILE if _parts(m.answer(names, probabilities)) == got)
    return next(says, "")


def _parts(text: str) -> list[str]:
    """What stands in a text, line by line; how many blanks or digits does not matter."""
    rounded = re.sub(r"\d\.\d+", lambda number: f"{float(number[0]):.2f}", text)
    lines = (" ".join(line.split()) for line in rounded.splitlines())
    return [line.replace(" ,", ",").replace(", ", ",").replace("[ ", "[") for line in lines if line]

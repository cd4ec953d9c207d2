r"""Reads prediction files and label files, and refuses a bad one with all its problems at once.

A prediction file has the official miniPlaces form, one line for each image and five labels a line::

    val/00000001.jpg 71 12 5 99 0

A label file has one label a line, as miniPlaces' ``val.txt``, ``train.txt`` and
``categories.txt`` do. Rows are matched by the image's name, never by their position.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from autograder.leaderboard.text import Line, quoted, read_lines
from autograder.problem import BadInputError, Problem, line_of

GUESSES = 5
NUM_CLASSES = 100

_SHOWN = 3  # of each kind of problem; more of the same teaches nothing
_CSV = re.compile(r'[,;"]')
_PATH = re.compile(r"[./]")
_INTEGER = re.compile(r"-?[1-9][0-9]*")
_FLOAT = re.compile(
    r"[+-]?((\d+\.\d*|\.\d+)(e[+-]?\d+)?|\d+e[+-]?\d+|nan|inf(inity)?)", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True)
class Predictions:
    """Five labels for each image, best first, and what was odd but let pass."""

    labels: Mapping[str, tuple[int, ...]]
    warnings: tuple[Problem, ...] = ()


def parse(
    data: bytes,
    name: str,
    images: Iterable[str],
    num_classes: int = NUM_CLASSES,
    categories: Mapping[str, int] | None = None,
) -> Predictions:
    """Reads a prediction file that has to name each of ``images`` exactly once.

    Args:
        data: the file's bytes.
        name: what messages call the file.
        images: the names that are to be predicted; the keys of the truth.
        num_classes: labels are 0 to ``num_classes - 1``.
        categories: labels by category name, so that a refusal can translate a name.

    Raises:
        BadInputError: the file cannot be scored; one problem for each thing wrong with it.
    """
    form = _Form(
        name, GUESSES, _spellings(num_classes), dict.fromkeys(images), dict(categories or {})
    )
    rows = _valid_rows(data, form)
    warnings = _gathered(found for row in rows for found in _repeated(form, row))
    return Predictions({row.image: _labels(form, row) for row in rows}, tuple(warnings))


def parse_labels(data: bytes, name: str, num_classes: int = NUM_CLASSES) -> dict[str, int]:
    """Reads ``<name> <label>`` lines: the truth, or a list of categories.

    Raises:
        BadInputError: the file is not such a list; one problem for each thing wrong with it.
    """
    form = _Form(name, 1, _spellings(num_classes), None, {})
    return {row.image: _labels(form, row)[0] for row in _valid_rows(data, form)}


def parse_images(data: bytes, name: str, num_classes: int = NUM_CLASSES) -> tuple[str, ...]:
    """Reads the names of images, one a line, each alone or all with their labels.

    So a label file will do, and miniPlaces' ``test.txt``, which has no labels.

    Raises:
        BadInputError: the file is no such list; one problem for each thing wrong with it.
    """
    rows = [_row(line) for line in read_lines(data, name)]
    if any(len(row.fields) > 1 for row in rows):
        return tuple(parse_labels(data, name, num_classes))
    form = _Form(name, 0, {}, None, {})
    first = {row.image: row.line for row in reversed(rows)}
    again = [row for row in rows if row.line != first[row.image]]
    problems = _gathered(_repeated_row(form, row, first[row.image]) for row in again)
    if problems:
        raise BadInputError(*problems)
    return tuple(row.image for row in rows)


@dataclass(frozen=True)
class _Form:
    """What a file has to look like."""

    file: str
    count: int  # labels in a line
    spellings: Mapping[str, int]
    images: Mapping[str, None] | None  # None: any name will do
    categories: Mapping[str, int]

    @property
    def shape(self) -> str:
        """A line, with placeholders."""
        guesses = " ".join(f"l{k}" for k in range(1, self.count + 1))
        return f"<filename> {guesses if self.count > 1 else '<label>'}"

    @property
    def advice(self) -> str:
        """How to write every line."""
        return f"Write each line as {self.shape}."

    @property
    def label_range(self) -> str:
        """What a label may be, in words."""
        return f"a label from 0 to {len(self.spellings) - 1}"

    def knows(self, image: str) -> bool:
        """Whether a line may be about ``image``."""
        return self.images is None or image in self.images


class _Row(NamedTuple):
    line: int
    text: str
    fields: list[str]

    @property
    def image(self) -> str:
        return self.fields[0]


class _Found(NamedTuple):
    """A problem and its kind; problems of one kind are counted together."""

    kind: str
    problem: Problem


def _spellings(num_classes: int) -> dict[str, int]:
    """Every way to write a label; ``int()`` would also read '１', '+1', '1_0' and '-0'."""
    return {str(label): label for label in range(num_classes)}


def _labels(form: _Form, row: _Row) -> tuple[int, ...]:
    return tuple(form.spellings[word] for word in row.fields[1:])


def _valid_rows(data: bytes, form: _Form) -> list[_Row]:
    rows = [_row(line) for line in read_lines(data, form.file)]
    problems = _gathered(_faults(form, rows))
    if problems:
        raise BadInputError(*problems)
    return rows


def _row(line: Line) -> _Row:
    """Splits at blanks, and at commas too, so that a CSV file is refused for one reason only."""
    text = line.text.strip()
    fields = _CSV.sub(" ", text).split() or [text]
    return _Row(line.number, text, fields)


def _gathered(found: Iterable[_Found]) -> list[Problem]:
    """The first few problems of each kind, the last of them saying how many more there are."""
    shown: dict[str, list[Problem]] = {}
    counts: Counter[str] = Counter()
    for kind, problem in found:
        counts[kind] += 1
        if counts[kind] <= _SHOWN:
            shown.setdefault(kind, []).append(problem)
    return [p for kind, few in shown.items() for p in _with_rest(few, counts[kind] - len(few))]


def _with_rest(few: list[Problem], more: int) -> list[Problem]:
    if not more:
        return few
    rest = f"\n... and {more} more {'line' if more == 1 else 'lines'} like this."
    return [*few[:-1], replace(few[-1], fix=few[-1].fix + rest)]


def _faults(form: _Form, rows: list[_Row]) -> Iterator[_Found]:
    seen: dict[str, int] = {}
    for row in rows:
        yield from _row_faults(form, row, is_first=row is rows[0])
        if row.image in seen and form.knows(row.image):
            yield _repeated_row(form, row, seen[row.image])
        seen.setdefault(row.image, row.line)
    yield from _missing(form, seen, rows[-1].line)


def _row_faults(form: _Form, row: _Row, is_first: bool) -> Iterator[_Found]:
    if is_first and _is_header(form, row):
        fix = "Delete this line: the file has no header."
        yield _found("header", form, row, f"the header {quoted(row.text)}", form.shape, fix)
        return
    if _CSV.search(row.text):
        got = f"commas, semicolons or quotes: {quoted(row.text)}"
        yield _found("csv", form, row, got, "fields with blanks between them", form.advice)
        return
    if form.images is not None and not form.knows(row.image):
        yield _unknown(form, row)
    if len(row.fields) != 1 + form.count:
        yield _wrong_count(form, row)
    yield from _label_faults(form, row)


def _is_header(form: _Form, row: _Row) -> bool:
    """Whether a line names neither an image nor a number, as titles of columns do."""
    named = _PATH.search(row.image) or (form.images and form.knows(row.image))
    return not named and not any(_is_number(word) for word in row.fields[1:])


def _is_number(word: str) -> bool:
    return word == "0" or bool(_INTEGER.fullmatch(word) or _FLOAT.fullmatch(word))


def _unknown(form: _Form, row: _Row) -> _Found:
    example = quoted(next(iter(form.images or {}), ""))
    got = f"the unknown image {quoted(row.image)}"
    fix = "Write names exactly as the label file does, folder and all, and predict no others."
    return _found("unknown", form, row, got, f"a name from the label file, like {example}", fix)


def _wrong_count(form: _Form, row: _Row) -> _Found:
    count = len(row.fields) - 1
    got = f"{count} {'label' if count == 1 else 'labels'} for {quoted(row.image)}"
    return _found("count", form, row, got, f"exactly {form.count}", form.advice)


def _repeated_row(form: _Form, row: _Row, first: int) -> _Found:
    got = f"{quoted(row.image)} a second time (first on line {first})"
    fix = "Delete all but one of its lines."
    return _found("duplicate", form, row, got, "each image once", fix)


def _missing(form: _Form, seen: Mapping[str, int], last: int) -> Iterator[_Found]:
    missing = [image for image in form.images or () if image not in seen]
    if missing:
        names = ", ".join(map(quoted, missing[:_SHOWN])) + (", ..." if missing[_SHOWN:] else "")
        got = f"the end of the file and no line for {len(missing)} of the images: {names}"
        expected = f"a line for each of the {len(form.images or ())} images"
        fix = "Predict these as well: rows are matched by name, and none can be left out."
        yield _Found("missing", Problem(line_of(form.file, last), got, expected, fix))


def _label_faults(form: _Form, row: _Row) -> Iterator[_Found]:
    kinds = set()
    for word in row.fields[1:]:
        if word not in form.spellings:
            kind, got, fix = _what_is_wrong(form, word)
            if kind not in kinds:
                yield _found(kind, form, row, got, form.label_range, fix)
            kinds.add(kind)


def _what_is_wrong(form: _Form, word: str) -> tuple[str, str, str]:
    """The kind of a bad label, what it is, and what to do about it."""
    shown = quoted(word)
    if _INTEGER.fullmatch(word):
        return (
            "range",
            f"the label {shown}",
            "Labels count from 0; if yours count from 1, take 1 off.",
        )
    if _FLOAT.fullmatch(word):
        return (
            "float",
            f"the number {shown}",
            "Write the category's number, an integer; no scores.",
        )
    if any(letter.isalpha() for letter in word):
        return "word", f"the word {shown}", _translation(form.categories, word)
    return "digits", shown, "Use the digits 0 to 9 alone: no sign, no leading zero, no separator."


def _translation(categories: Mapping[str, int], word: str) -> str:
    """What to write for a category's name, with its folders (``/a/abbey``) or without."""
    ends = "/" + word.lstrip("/")
    labels = {label for name, label in categories.items() if ("/" + name).endswith(ends)}
    if len(labels) == 1:
        return f"Write the category's number: {quoted(word)} is {labels.pop()}."
    return "Write the category's number, as in the label files, and not its name."


def _repeated(form: _Form, row: _Row) -> Iterator[_Found]:
    word, times = Counter(row.fields[1:]).most_common(1)[0]
    if times > 1:
        got = f"the label {word} {times} times for {quoted(row.image)}"
        fix = "The file is scored all the same, but a repeated label wastes a guess."
        yield _found("repeat", form, row, got, f"{form.count} different labels", fix)


def _found(kind: str, form: _Form, row: _Row, got: str, expected: str, fix: str) -> _Found:
    return _Found(kind, Problem(line_of(form.file, row.line), got, expected, fix))

"""What a run's predictions came from: as much as it takes to do the run again.

A manifest is one JSON object in a small file beside the predictions. It is read like everything
that strangers send: as data only, bounded in size, and refused with all its problems at once.
"""

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from autograder.leaderboard.text import MAX_LINES, quoted, read_text
from autograder.problem import BadInputError, Problem, line_of

FORMAT = 1
MAX_BYTES = 64 * 2**10
MAX_CLASSES = 10_000
MAX_ENTRIES = 100  # of settings, and of versions

Setting = str | int | float | bool

_EXPECTED = "one JSON object with the fields of a run"
_HUGE = 10**18
_SHOWN = 3  # problems of names that are unknown, or there twice; more of the same teach nothing
_LONGEST = 60  # characters of a value that is shown
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REWRITE = "Have it written by autograder.leaderboard.write."


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One run.

    Attributes:
        predictions_sha256: digest of the prediction file's bytes.
        images: how many images are predicted.
        images_sha256: `images_digest` of their names.
        classes: labels are 0 to ``classes - 1``.
        split: what is predicted, such as ``val``.
        net: the architecture.
        recipe: in words: from scratch or from which weights, what was frozen, what was averaged.
        data: what it learned from.
        data_sha256: digest of the label file of that.
        epochs: times that it saw all of that; 0 if nothing was trained.
        batch_size: images a step.
        learning_rate: the largest of all.
        seed: of every random number.
        versions: of Python and the libraries, by name.
        device: what computed.
        when: the run's end in UTC, as in 2027-02-09T23:59:00Z.
        seconds: that training took.
        top1: share of the validation images whose first guess is right.
        top5: share of them with the right label among the five.
        settings: whatever else was set, by name.
    """

    predictions_sha256: str
    images: int
    images_sha256: str
    classes: int
    split: str
    net: str
    recipe: str
    data: str
    data_sha256: str
    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    versions: Mapping[str, str]
    device: str
    when: str
    seconds: float | None = None
    top1: float | None = None
    top5: float | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)


def sha256(data: bytes) -> str:
    """The digest that ``sha256sum`` prints."""
    return hashlib.sha256(data).hexdigest()


def images_digest(names: Iterable[str]) -> str:
    """A digest of image names in any order: of the sorted list, one a line."""
    listing = "".join(f"{name}\n" for name in sorted(set(names)))
    return sha256(listing.encode("utf-8", "surrogatepass"))


def build(facts: Mapping[str, Any], name: str) -> Manifest:
    """A manifest of these fields.

    Raises:
        BadInputError: one problem for each field that is wrong, missing or unknown; ``name`` is
            what they call the manifest.
    """
    problems = list(_problems(facts, name))
    if problems:
        raise BadInputError(*problems)
    return Manifest(**facts)


def parse_manifest(data: bytes, name: str) -> Manifest:
    """Reads what `to_json` has written, or a person.

    Raises:
        BadInputError: the file is no manifest; one problem for each thing wrong with it.
    """
    table, repeated = _object(read_text(data, name, _EXPECTED, MAX_BYTES), name)
    format_problems = _format_problems(table.pop("format", None), name)
    problems = [*repeated, *format_problems, *_problems(table, name)]
    if problems:
        raise BadInputError(*problems)
    return Manifest(**table)


def to_json(manifest: Manifest) -> str:
    """A JSON object, ASCII, fields always in the same order, those that are not known left out."""
    known = {key: value for key, value in asdict(manifest).items() if value not in (None, {})}
    ordered = {
        key: dict(sorted(value.items())) if isinstance(value, dict) else value
        for key, value in known.items()
    }
    return json.dumps({"format": FORMAT, **ordered}, indent=1, allow_nan=False) + "\n"


@dataclass(frozen=True)
class _Rule:
    """What one value has to be; ``expected`` and ``fix`` in words."""

    expected: str
    holds: Callable[[Any], bool]
    fix: str


def _text(about: str, longest: int = 1000) -> _Rule:
    def holds(value: Any) -> bool:
        return isinstance(value, str) and _is_plain(value) and len(value) <= longest

    expected = f"{about}: text of 1 to {longest:,} characters on one line"
    return _Rule(expected, holds, "Say it in a few plain words.")


def _whole(about: str, low: int, high: int) -> _Rule:
    def holds(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    limits = f"of {low} or more" if high == _HUGE else f"from {low} to {high:,}"
    expected = f"{about}: a whole number {limits}"
    return _Rule(expected, holds, "Write the number alone, without quotes and decimals.")


def _number(about: str, low: float, high: float = sys.float_info.max) -> _Rule:
    limits = f"from {low:g} to {high:g}" if high == 1 else f"of {low:g} or more"
    fix = "Write a share: 0.503, not 50.3." if high == 1 else "Write a plain number without quotes."
    return _Rule(f"{about}: a number {limits}", lambda value: _is_number(value, low, high), fix)


def _is_number(value: Any, low: float, high: float) -> bool:
    """Whether it is one in these limits; infinity and "not a number" never are."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_plain(text: str) -> bool:
    return text.isprintable() and bool(text.strip())


def _digest(about: str) -> _Rule:
    def holds(value: Any) -> bool:
        return isinstance(value, str) and bool(_SHA256.fullmatch(value))

    return _Rule(f"{about}: 64 hexadecimal digits (SHA-256)", holds, _REWRITE)


def _entries(about: str) -> _Rule:
    def holds(value: Any) -> bool:
        return isinstance(value, Mapping) and len(value) <= MAX_ENTRIES

    fix = 'Write an object, such as {"numpy": "2.0"}.'
    return _Rule(f"{about}: up to {MAX_ENTRIES} names and values", holds, fix)


def _is_time(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > 40:
        return False
    try:
        return datetime.fromisoformat(value).utcoffset() == timedelta(0)
    except ValueError:
        return False


def _is_setting(value: Any) -> bool:
    if isinstance(value, str):
        return _LINE.holds(value)
    return isinstance(value, bool) or _is_number(value, -sys.float_info.max, sys.float_info.max)


_LINE = _text("a name or a value")
_SETTING = _Rule(
    "text on one line, or a finite number", _is_setting, "Write it as text in quotes, if need be."
)
_RULES: Mapping[str, _Rule] = {
    "predictions_sha256": _digest("the prediction file's digest"),
    "images": _whole("how many images are predicted", 1, MAX_LINES),
    "images_sha256": _digest("the digest of their names"),
    "classes": _whole("how many classes there are", 1, MAX_CLASSES),
    "split": _text("what is predicted, such as val", 100),
    "net": _text("the architecture"),
    "recipe": _text("how it was trained", 4000),
    "data": _text("what it learned from"),
    "data_sha256": _digest("the digest of its label file"),
    "epochs": _whole("epochs", 0, _HUGE),
    "batch_size": _whole("images a step", 1, _HUGE),
    "learning_rate": _number("the largest learning rate", 0),
    "seed": _whole("the seed", 0, 2**64),
    "versions": _entries("versions of Python and libraries"),
    "device": _text("what computed"),
    "when": _Rule(
        "a time in UTC, such as 2027-02-09T23:59:00Z", _is_time, "Give the time in UTC, with a Z."
    ),
    "seconds": _number("seconds that training took", 0),
    "top1": _number("top-1 accuracy", 0, 1),
    "top5": _number("top-5 accuracy", 0, 1),
    "settings": _entries("whatever else was set"),
}
_REQUIRED = [
    one.name
    for one in fields(Manifest)
    if one.default is MISSING and one.default_factory is MISSING
]
_DICTIONARIES = {"versions": _LINE, "settings": _SETTING}


def _problems(facts: Mapping[str, Any], name: str) -> Iterator[Problem]:
    unknown = [str(key) for key in facts if key not in _RULES]
    yield from _first(unknown, lambda key: _unknown(key, name))
    yield from (_missing(key, name) for key in _REQUIRED if key not in facts)
    for key, rule in _RULES.items():
        if key in facts:
            yield from _broken(f"{name}, {key}", facts[key], rule)
    for key, rule in _DICTIONARIES.items():
        if _RULES[key].holds(facts.get(key)):
            yield from _entry_problems(f"{name}, {key}", facts[key], rule)
    yield from _contradictions(facts, name)


def _first(keys: Sequence[str], problem: Callable[[str], Problem]) -> list[Problem]:
    """The problems of the first few names; the last of them says how many more there are."""
    few, more = [problem(key) for key in keys[:_SHOWN]], len(keys) - _SHOWN
    if more > 0:
        few[-1] = replace(few[-1], fix=f"{few[-1].fix}\n... and {more:,} more like this.")
    return few


def _unknown(key: str, name: str) -> Problem:
    near = get_close_matches(key[:_LONGEST], _RULES, 1)
    fix = f"Call it {near[0]!r}." if near else "Put it into 'settings', where any name is allowed."
    got = f"the unknown field {quoted(key)}"
    return Problem(name, got, "only the fields of a run", fix)


def _missing(key: str, name: str) -> Problem:
    return Problem(f"{name}, {key}", "nothing", _RULES[key].expected, "Add it.")


def _broken(where: str, value: Any, rule: _Rule) -> Iterator[Problem]:
    if not rule.holds(value):
        yield Problem(where, _shown(value), rule.expected, rule.fix)


def _entry_problems(where: str, entries: Mapping[Any, Any], rule: _Rule) -> Iterator[Problem]:
    for key, value in entries.items():
        yield from _broken(f"{where}, a name", key, _LINE)
        yield from _broken(f"{where}, {quoted(str(key))}", value, rule)
    if rule is _LINE and "python" not in entries:
        yield Problem(where, "no 'python'", "its version at least", "Add it.")


def _contradictions(facts: Mapping[str, Any], name: str) -> Iterator[Problem]:
    top1, top5 = facts.get("top1", 0), facts.get("top5", 1)
    if _is_number(top1, 0, 1) and _is_number(top5, 0, 1) and top1 > top5:
        got, expected = f"{top5:g}", f"at least top1, which is {top1:g}"
        fix = "Whatever is right at the first guess is right within five: look which is which."
        yield Problem(f"{name}, top5", got, expected, fix)


def _shown(value: Any) -> str:
    """A value, in words if it may be large."""
    if isinstance(value, Mapping):
        return f"an object of {len(value)} entries"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, int) and abs(value) > _HUGE:
        return "a very large number"
    if isinstance(value, str):
        return quoted(value)
    text = _SPELLINGS.get(repr(value), repr(value))
    return text if text.isprintable() and len(text) < _LONGEST else f"a {type(value).__name__}"


_SPELLINGS = {"None": "null", "True": "true", "False": "false"}


def _object(text: str, name: str) -> tuple[dict[str, Any], list[Problem]]:
    """The JSON object in a text, and the problems of names that it has more than once."""
    repeated: list[str] = []

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        repeated.extend(key for key, times in counts.items() if times > 1)
        return dict(pairs)

    try:
        found = json.loads(text, object_pairs_hook=table)
    except json.JSONDecodeError as error:
        got = f"no JSON at column {error.colno} ({error.msg})"
        raise _no_object(line_of(name, error.lineno), got) from error
    except (ValueError, RecursionError) as error:  # thousands of digits, or of brackets
        raise _no_object(name, "JSON larger than anybody needs") from error
    if not isinstance(found, dict):
        raise _no_object(name, _shown(found))
    return found, _first(repeated, lambda key: _repeated(key, name))


def _no_object(where: str, got: str) -> BadInputError:
    return BadInputError(Problem(where, got, _EXPECTED, _REWRITE))


def _repeated(key: str, name: str) -> Problem:
    return Problem(name, f"{quoted(key)} more than once", "it once", "Delete all but one.")


def _format_problems(value: Any, name: str) -> Iterator[Problem]:
    if value != FORMAT or isinstance(value, bool):
        got = "nothing" if value is None else _shown(value)
        fix = 'Write "format": 1; if it was written by a newer version, update yours.'
        yield Problem(f"{name}, format", got, str(FORMAT), fix)

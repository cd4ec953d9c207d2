"""The cells of a submission beside those of the release, and which of them belong together.

A student's text is only ever searched, never parsed: a parser can be made to overflow.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from nbformat import NotebookNode

NOTEBOOK = "notebook"  # what a repair is about that is about no cell
LONGEST_ANSWER = 2**20  # characters in which a definition is looked for

DEFINED = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
ASSIGNED = re.compile(r"^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)
MAGIC = re.compile(r"%%(?!time\b|capture\b|prun\b)")  # of a cell that is no Python, or another file
WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Repair:
    """What was done about one cell of the release, or about one that is not in it."""

    cell: str
    what: str

    def __str__(self) -> str:
        return f"{self.cell}: {self.what}"


@dataclass(frozen=True)
class Found:
    """A submitted cell."""

    kind: str
    text: str
    grade_id: str
    id: str | None
    attachments: NotebookNode | None = None

    @classmethod
    def of(cls, cell: NotebookNode) -> "Found":
        """What we need to know of a notebook's cell."""
        id_, attachments = cell.get("id"), cell.get("attachments")
        return cls(cell.cell_type, cell.source, grade_id(cell), id_, attachments)

    @cached_property
    def key(self) -> str:
        """Its text, as it is compared."""
        return self.text.strip()

    @cached_property
    def name(self) -> str:
        """Its id, however that is spelled."""
        return spelled(self.grade_id)

    @cached_property
    def defined(self) -> frozenset[str]:
        """Its functions and classes."""
        return _names(DEFINED, self.text)

    @cached_property
    def named(self) -> frozenset[str]:
        """These, and the names that it gives values to."""
        return self.defined | _names(ASSIGNED, self.text)

    @cached_property
    def words(self) -> Counter[str]:
        """How often it has each word or sign."""
        return Counter(WORD.findall(self.text))


@dataclass
class Match:
    """Which of the submitted cells (by position) stands for which of the release's."""

    release: Sequence[NotebookNode]
    submitted: Sequence[Found] = ()
    places: dict[int, int] = field(default_factory=dict)  # submitted -> release
    copies: set[int] = field(default_factory=set)  # submitted, in favour of another one
    repairs: list[Repair] = field(default_factory=list)

    @cached_property
    def asked(self) -> list[frozenset[str]]:
        """What each cell of the release leaves to the student to define."""
        return [
            _names(DEFINED, cell.source) if is_answer(cell) else frozenset()
            for cell in self.release
        ]

    @cached_property
    def keys(self) -> list[str]:
        """The texts of the release's cells."""
        return [cell.source.strip() for cell in self.release]

    @cached_property
    def blanks(self) -> frozenset[str]:
        """The texts of its empty answers."""
        return frozenset(
            key for key, cell in zip(self.keys, self.release, strict=True) if is_answer(cell)
        )

    @cached_property
    def given(self) -> frozenset[str]:
        """The texts that nobody needs to have written."""
        return frozenset(self.keys) | {""}

    @property
    def open_cells(self) -> list[int]:
        """The positions of release cells that nothing stands for yet."""
        taken = set(self.places.values())
        return [place for place in range(len(self.release)) if place not in taken]

    @property
    def open_answers(self) -> list[int]:
        """Those of them that are the student's to write."""
        return [place for place in self.open_cells if is_answer(self.release[place])]

    @property
    def free_cells(self) -> list[int]:
        """The positions of submitted cells that stand for nothing yet."""
        known = self.places.keys() | self.copies
        return [place for place in range(len(self.submitted)) if place not in known]

    def with_id(self, place: int) -> list[int]:
        """The free cells that carry the id of a cell of the release, maybe spelled otherwise."""
        name = spelled(grade_id(self.release[place]))
        return [i for i in self.free_cells if name and self.submitted[i].name == name]

    def written(self, cells: Sequence[int]) -> list[int]:
        """Of these submitted cells, those that the student wrote."""
        return [i for i in cells if self.submitted[i].key not in self.given]

    def is_defined(self, names: frozenset[str]) -> bool:
        """Whether the submission, taken together, defines all of these names."""
        kept = (
            found.named
            for i, found in enumerate(self.submitted)
            if i not in self.copies and found.key not in self.blanks and found.kind == "code"
        )
        return bool(names) and names <= frozenset().union(*kept)

    def repaired(self, place: int, what: str) -> None:
        """Takes down what was done about a cell of the release."""
        self.repairs.append(Repair(grade_id(self.release[place]), what))


def grade_id(cell: NotebookNode) -> str:
    """The cell's nbgrader id, or '' if it has none that could be one."""
    about = cell.metadata.get("nbgrader", {})
    found = about.get("grade_id", "") if isinstance(about, dict) else ""
    return found if isinstance(found, str) else ""


def is_answer(cell: NotebookNode) -> bool:
    """Whether the release leaves this cell to the student."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def spelled(name: str) -> str:
    """An id as it would be written by who does not care for case or for kinds of dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _names(pattern: re.Pattern[str], text: str) -> frozenset[str]:
    if len(text) > LONGEST_ANSWER or MAGIC.match(text):
        return frozenset()
    return frozenset(pattern.findall(text))

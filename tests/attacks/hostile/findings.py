"""What became of each attack, found out after the batch has been graded."""

import os
import shutil
import signal
import socket
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from types import TracebackType

import nbformat
from nbgrader.utils import is_grade

from tests.attacks.hostile.attack import Attack
from tests.attacks.hostile.scene import FULL, LAST, LESSON, VICTIM, Scene, mark_of

NUMBERS = 1000  # an attack's number is this and its place: no mark of anybody's is that high
SHARED_MEMORY = 0x5EED0000  # and an attack's number: the key of a segment that it leaves behind
QUERY = """
SELECT handed_in.student_id, cell.name, grade.auto_score, grade.manual_score, grade.extra_credit,
       grade.needs_manual_grade
FROM grade JOIN submitted_notebook notebook ON grade.notebook_id = notebook.id
     JOIN submitted_assignment handed_in ON notebook.assignment_id = handed_in.id
     JOIN base_cell cell ON cell.id = grade.cell_id
"""
ESSAYS = ("stacking", "sharing")


@dataclass(frozen=True)
class Finding:
    """What one attack came to.

    Attributes:
        got: points, essays left out; None if it was not graded.
        ungraded: test cells without a mark, or that wait for a person.
        learned: the secrets and the loot that the student gets to see.
        touched: what belongs to others and is no longer what it was.
        left: processes and files that it left behind.
        live: markup of the student's that runs in the browser of whoever opens the feedback.
        said: what the grader said about it.
    """

    name: str
    got: float | None
    ungraded: tuple[str, ...] = ()
    learned: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    said: str = ""


@dataclass(frozen=True)
class Mark:
    """One row of the gradebook."""

    student: str
    cell: str
    auto: float | None
    manual: float | None
    extra: float | None
    waits: bool

    @property
    def score(self) -> float:
        """As nbgrader counts."""
        own = self.auto if self.manual is None else self.manual
        return (own or 0) + (self.extra or 0)


def marks(scene: Scene) -> list[Mark]:
    """Every row of the gradebook; raises `sqlite3.Error` if there is none any more."""
    path = scene.course / "gradebook.db"
    with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=2)) as book:
        return [Mark(*row[:5], bool(row[5])) for row in book.execute(QUERY)]


class Service:
    """What listens where a service of the grader's might; ``heard`` is what it was told."""

    def __init__(self, scene: Scene) -> None:
        self.heard: list[bytes] = []
        self._sockets = list(_listening(scene))

    def __enter__(self) -> "Service":
        for one in self._sockets:
            threading.Thread(target=self._serve, args=(one,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in self._sockets:
            one.close()

    def _serve(self, one: socket.socket) -> None:
        with suppress(OSError):
            while True:
                if one.type == socket.SOCK_DGRAM:
                    self.heard.append(one.recv(1000))
                    continue
                peer, _ = one.accept()
                with peer, suppress(OSError):
                    peer.settimeout(5)
                    self.heard.append(peer.recv(1000))


def _listening(scene: Scene) -> Iterator[socket.socket]:
    address = ("127.0.0.1", scene.port)
    for family, kind, place in (
        (socket.AF_INET, socket.SOCK_STREAM, address),
        (socket.AF_INET, socket.SOCK_DGRAM, address),
        (socket.AF_UNIX, socket.SOCK_STREAM, str(scene.socket)),
        (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{scene.socket}"),
    ):
        one = socket.socket(family, kind)
        one.bind(place)
        if kind == socket.SOCK_STREAM:
            one.listen()
        yield one


def snapshot(scene: Scene) -> dict[Path, str]:
    """The content of everything that nobody's grading should change."""
    return {path: _digest(path) for path in _protected(scene) if path.is_file()}


def _protected(scene: Scene) -> Iterator[Path]:
    for name in ("source", "release", "submitted"):
        yield from (scene.course / name).rglob("*")
    yield from (scene.course / name for name in ("course.toml", "nbgrader_config.py"))
    for kind in ("autograded", "feedback"):
        yield from scene.folder(kind, VICTIM).rglob("*") if _graded(scene, kind) else ()


def _graded(scene: Scene, kind: str) -> bool:
    return scene.folder(kind, VICTIM).is_dir()


def _digest(path: Path) -> str:
    # Large files are part of attacks; what counts is that they are still what they were.
    if path.is_symlink():
        return str(path.readlink())
    with path.open("rb") as file:
        return sha256(file.read(2**20)).hexdigest() + str(path.stat().st_size)


def inspect(
    scene: Scene, attacks: Iterable[Attack], before: dict[Path, str], service: Service, said: str
) -> list[Finding]:
    """What each of the attacks came to; ``said`` is what the grader printed."""
    numbered = {NUMBERS + place: attack for place, attack in enumerate(attacks)}
    rows, spoilt = _rows(scene)
    changed = changed_since(scene, before)
    marked = [mark_of(attack) for attack in numbered.values()]
    remains = [*files_left(scene, marked), *processes_left(marked)]
    alone = len(numbered) == 1  # then all that happened is its doing
    found = []
    for number, attack in numbered.items():
        mark = mark_of(attack)
        own = [row for row in rows if row.student == attack.name]
        touched = [
            *spoilt,
            *robbed(rows, number, alone),
            *(what for what, proof in changed if alone or mark.encode() in proof),
            *(f"a service: {word!r}" for word in service.heard if mark.encode() in word),
        ]
        finding = Finding(
            attack.name,
            sum(row.score for row in own if row.cell not in ESSAYS) if own else None,
            tuple(
                sorted(r.cell for r in own if r.cell not in ESSAYS and (r.auto is None or r.waits))
            ),
            learned(scene, attack),
            tuple(dict.fromkeys(touched)),
            (*(what for what in remains if mark in what), *shared_memory_left(number)),
            live(scene, attack),
            "\n".join(line for line in said.splitlines() if f"/{attack.name}/" in line)[-2000:],
        )
        found.append(finding)
    return found


def _rows(scene: Scene) -> tuple[list[Mark], list[str]]:
    try:
        rows = marks(scene)
        with closing(sqlite3.connect(scene.course / "gradebook.db", timeout=2)) as book:
            book.execute("BEGIN IMMEDIATE")
            triggers = book.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            return rows, [f"the gradebook: trigger {name}" for (name,) in triggers]
    except sqlite3.Error as error:
        return [], [f"the gradebook: {error}"]


def robbed(rows: list[Mark], number: int, alone: bool) -> Iterator[str]:
    """Marks of others that carry the attack's number, or are no longer right."""
    for other in (VICTIM, LAST):
        theirs = [row for row in rows if row.student == other and row.cell not in ESSAYS]
        wrong = alone and theirs and sum(row.score for row in theirs) != FULL
        if wrong or any(number in (row.manual, row.extra) for row in theirs):
            yield f"the marks of {other}"


def changed_since(scene: Scene, before: dict[Path, str]) -> list[tuple[str, bytes]]:
    """Paths that are new, gone or changed, each with where to look for whose doing it is."""
    first = _ungraded(scene, before)
    after = {p: what for p, what in snapshot(scene).items() if first.isdisjoint(p.parents)}
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    return [(f"{p.relative_to(scene.course)}", _proof(p)) for p in paths]


def _ungraded(scene: Scene, before: dict[Path, str]) -> set[Path]:
    """Folders of the victim's that the batch itself made."""
    folders = {scene.folder(kind, VICTIM) for kind in ("autograded", "feedback")}
    return folders.difference(*(path.parents for path in before))


def _proof(path: Path) -> bytes:
    content = path.read_bytes()[-10_000:] if path.is_file() else b""
    return bytes(path) + content


def learned(scene: Scene, attack: Attack) -> tuple[str, ...]:
    """Which secrets are in what the student gets back."""
    shown = _shown(scene, attack.name)
    planted = [kind for kind, secret in scene.secrets.items() if secret in shown]
    return (*planted, *(f"{loot!r}" for loot in attack.loot if loot in shown))


def _shown(scene: Scene, student: str) -> str:
    """What the student gets: the feedback; where there is none, what the cells put out.

    Without feedback, the tracebacks of test cells are left out: stock nbgrader shows the lines
    around an error, hidden tests among them, to those who did not attack anything too.
    """
    feedback = scene.folder("feedback", student) / f"{LESSON}.html"
    if feedback.is_file():
        return feedback.read_text(errors="replace")
    graded = scene.folder("autograded", student) / f"{LESSON}.ipynb"
    if not graded.is_file():
        return ""
    return "\n".join(
        str(output)
        for cell in nbformat.read(graded, as_version=4).cells
        for output in cell.get("outputs", [])
        if not (is_grade(cell) and output.output_type == "error")
    )


def files_left(scene: Scene, marks: Collection[str]) -> list[str]:
    """Removes and names the files with one of these marks, the attacks' own folders left out."""
    places = [p for p in scene.root.rglob("*RFMARK-*") if not _own(scene, p)]
    for place in ("/", "/tmp", "/var/tmp", "/dev/shm", "/run"):
        places += Path(place).glob("*RFMARK-*")
    places = [p for p in places if any(mark in str(p) for mark in marks)]
    found = [str(path) for path in places]
    for path in places:  # the next run of the same attack must leave its own
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(True)
    return found


def _own(scene: Scene, path: Path) -> bool:
    own = {"submitted", "autograded"}
    parts = path.relative_to(scene.root).parts
    return len(parts) > 1 and parts[0] == "course" and parts[1] in own


def processes_left(marks: Collection[str]) -> list[str]:
    """Ends and names the processes with one of these marks in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            mark = next((m for m in marks if any(m in word for word in words)), None)
            if mark:
                found.append(f"process {process.name} {mark}")
                os.kill(int(process.name), signal.SIGKILL)
    return found


def shared_memory_left(number: int) -> list[str]:
    """Whether a segment with the attack's number is there."""
    segments = Path("/proc/sysvipc/shm")
    if not segments.is_file():
        return []
    keys = [line.split()[0] for line in segments.read_text().splitlines()[1:]]
    return ["shared memory"] if str(SHARED_MEMORY + number) in keys else []


class _Live(HTMLParser):
    """Collects markup that a browser would run and that carries a mark."""

    def __init__(self, mark: str) -> None:
        super().__init__()
        self._mark, self._script = mark, False
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._script = tag == "script"
        for name, value in attrs:
            text = value or ""
            runs = (
                name.startswith("on") or name == "srcdoc" or text.strip().startswith("javascript:")
            )
            if runs and self._mark in text:
                self.found.append(f"{tag} {name}")

    def handle_endtag(self, tag: str) -> None:
        self._script = False

    def handle_data(self, data: str) -> None:
        if self._script and self._mark in data:
            self.found.append("script")


def live(scene: Scene, attack: Attack) -> tuple[str, ...]:
    """The attack's markup in its feedback that a browser would run."""
    feedback = scene.folder("feedback", attack.name) / f"{LESSON}.html"
    if not feedback.is_file():
        return ()
    parser = _Live(mark_of(attack))
    parser.feed(feedback.read_text(errors="replace"))
    return tuple(dict.fromkeys(parser.found))

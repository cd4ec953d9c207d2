"""From ``source/<assignment>/*.py`` to source notebooks and releases, and from a notebook back.

Everything is made in a folder of its own first, and only what is whole and leaks nothing is
carried into the course: a build that fails changes no lesson, notebook or release.
"""

import difflib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from nbformat import NotebookNode

from autograder.authoring import leaks, lesson, notebook, percent
from autograder.authoring.percent import Cell
from autograder.authoring.release import generate
from autograder.course import Course
from autograder.problem import BadInputError, Problem


@dataclass(frozen=True)
class Source:
    """One assignment: its name and the cells of its lessons, by notebook name."""

    name: str
    lessons: Mapping[str, Sequence[Cell]]

    @property
    def notebooks(self) -> list[str]:
        """The file names of its notebooks."""
        return [f"{name}.ipynb" for name in self.lessons]

    @property
    def secrets(self) -> list[leaks.Secret]:
        """What its release must not say."""
        return [secret for cells in self.lessons.values() for secret in leaks.secrets(cells)]


@dataclass(frozen=True)
class Change:
    """The text of a lesson before and after an edit to its notebook."""

    path: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """The two texts compared."""
        return _diff(self.before.split("\n"), self.after.split("\n"), "before", "after")


def load(course: Course, names: Sequence[str] = ()) -> list[Source]:
    """The lessons of the course's assignments: all, or those named.

    Raises:
        BadInputError: no such assignment, or with every problem of the first unsound lesson.
    """
    return [_source(folder) for folder in _folders(course, names)]


def build(course: Course, names: Sequence[str] = ()) -> list[Path]:
    """Makes source notebooks and releases (all, or those named); returns the releases' paths.

    Raises:
        BadInputError: a lesson cannot be built or would leak, or a source notebook holds an edit
            that building would lose. Nothing of the course has changed then, except that the
            gradebook may know cells of the refused lessons.
    """
    sources = load(course, names)
    _refuse([problem for source in sources for problem in _unpulled(course, source)])
    with TemporaryDirectory() as folder:
        stage = Path(folder)
        for source in sources:
            _stage(course, source, stage, record=True)
        _refuse([problem for source in sources for problem in _leaks(stage, source)])
        for source in sources:
            _install(stage, source, course.root)
    return [
        course.root / "release" / source.name / file
        for source in sources
        for file in source.notebooks
    ]


def check(course: Course, names: Sequence[str] = ()) -> list[str]:
    """What is stale or would leak (in all assignments, or those named); touches nothing.

    Raises:
        BadInputError: a lesson cannot be built at all.
    """
    sources = load(course, names)
    findings: list[str] = []
    with TemporaryDirectory() as folder:
        stage = Path(folder)
        for source in sources:
            _stage(course, source, stage, record=False)
            findings += _stale(stage, source, course.root)
            findings += map(str, [*_leaks(stage, source), *_leaks(course.root, source)])
    if not names:
        findings += _strays(course.root / "release", {source.name for source in sources})
    return list(dict.fromkeys(findings))


def pull(course: Course, names: Sequence[str] = ()) -> list[Change]:
    """Carries edits of source notebooks back into their lessons; returns what changed.

    A lesson whose notebook was not edited keeps every byte.

    Raises:
        BadInputError: both were changed, or the edited notebook is not a sound lesson. No file
            has changed then.
    """
    paths = [path for folder in _folders(course, names) for path in sorted(folder.glob("*.ipynb"))]
    changes = [change for path in paths if (change := _pulled(course, path))]
    for change in changes:
        change.path.write_text(change.after, encoding="utf-8", newline="\n")
    return changes


def made(course: Course, assignment: str, name: str, cells: Sequence[Cell]) -> NotebookNode:
    """The source notebook of one lesson, with what the course's settings put into it."""
    return notebook.build(cells, course.package, course.colab(assignment, name))


def _folders(course: Course, names: Sequence[str]) -> list[Path]:
    root = course.root / "source"
    lessons = (path for kind in ("*/*.py", "*/*.ipynb") for path in root.glob(kind))
    present = {path.parent.name for path in lessons}
    wanted = list(dict.fromkeys(names or sorted(present)))
    for name in wanted:
        course.assignment(name)
    absent = [root / name for name in wanted if name not in present]
    _refuse([_no_lesson(folder) for folder in (absent if wanted else [root / "ASSIGNMENT"])])
    return [root / name for name in wanted]


def _no_lesson(folder: Path) -> Problem:
    fix = f"Write {folder / 'NAME.py'}."
    return Problem(str(folder), "no lesson there", "a lesson in percent format", fix)


def _source(folder: Path) -> Source:
    paths = sorted(folder.glob("*.py"))
    if not paths:
        raise BadInputError(_no_lesson(folder))
    return Source(folder.name, {path.stem: _lesson(path) for path in paths})


def _lesson(path: Path) -> list[Cell]:
    return lesson.read(path.read_text(encoding="utf-8"), str(path))


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise BadInputError(*problems)


def _unpulled(course: Course, source: Source) -> Iterator[Problem]:
    for path in sorted((course.root / "source" / source.name).glob("*.ipynb")):
        pull = f"autograder build --pull {source.name}"
        if path.stem not in source.lessons:
            got, expected = "a notebook without a lesson", f"{path.stem}.py beside it"
            yield Problem(str(path), got, expected, f"Run `{pull}` to write it, or delete this.")
        elif _has_an_edit(path, made(course, source.name, path.stem, source.lessons[path.stem])):
            got, expected = "an edit that the lesson does not have", "the notebook as it was built"
            yield Problem(str(path), got, expected, f"Run `{pull}`, or delete the notebook.")


def _has_an_edit(path: Path, built: NotebookNode) -> bool:
    found = notebook.read(path)
    return notebook.edited(found) and not _agree(found, built)


def _agree(one: NotebookNode, other: NotebookNode) -> bool:
    return notebook.fingerprint(one) == notebook.fingerprint(other)


def _stage(course: Course, source: Source, stage: Path, record: bool) -> None:
    folder = stage / "source" / source.name
    shutil.copytree(course.root / "source" / source.name, folder)
    for name, cells in source.lessons.items():
        text = notebook.dumps(made(course, source.name, name, cells))
        (folder / f"{name}.ipynb").write_text(text, encoding="utf-8", newline="\n")
    generate(course, source.name, stage / "source", stage / "release", record)


def _install(stage: Path, source: Source, root: Path) -> None:
    for file in source.notebooks:
        _put(stage / "source" / source.name / file, root / "source" / source.name / file)
    fresh, kept = stage / "release" / source.name, root / "release" / source.name
    for name in _files(kept) - _files(fresh):
        (kept / name).unlink()
    for name in _files(fresh):
        _put(fresh / name, kept / name)


def _put(fresh: Path, kept: Path) -> None:
    # An unchanged file is left alone: make and JupyterLab look at its time.
    if not _same(fresh, kept):
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(fresh, kept)


def _same(fresh: Path, kept: Path) -> bool:
    return kept.is_file() and fresh.read_bytes() == kept.read_bytes()


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()}


def _leaks(root: Path, source: Source) -> list[Problem]:
    return leaks.leaks(root / "release" / source.name, source.secrets, source.notebooks)


def _stale(stage: Path, source: Source, root: Path) -> list[str]:
    parts = [Path("source", source.name, file) for file in source.notebooks]
    release = Path("release", source.name)
    parts += [release / name for name in sorted(_files(stage / release))]
    advice = f"Run: autograder build {source.name}"
    findings = [
        f"{part} {_difference(stage / part, root / part)}\n{advice}"
        for part in parts
        if not _same(stage / part, root / part)
    ]
    extra = sorted(_files(root / release) - _files(stage / release))
    return findings + [f"{release / name} is not part of the release. {advice}" for name in extra]


def _difference(fresh: Path, kept: Path) -> str:
    if not kept.exists():
        return "is missing."
    if fresh.suffix != ".ipynb":
        return "is stale."
    try:
        committed = notebook.readable(notebook.read(kept))
    except BadInputError as error:
        return f"is stale: {error}"
    diff = _diff(committed, notebook.readable(notebook.read(fresh)), "committed", "built")
    return f"is stale:\n{diff}" if diff else "is stale (in outputs, ids or layout only)."


def _diff(before: Sequence[str], after: Sequence[str], old: str, new: str) -> str:
    return "\n".join(difflib.unified_diff(before, after, old, new, lineterm=""))


def _strays(release: Path, known: set[str]) -> list[str]:
    return [
        f"release/{name} is not part of any assignment with a lesson. Delete it."
        for name in sorted(_files(release))
        if name.parts[0] not in known
    ]


def _pulled(course: Course, path: Path) -> Change | None:
    """What an edit of this notebook makes of its lesson; nothing if there was no edit."""
    text, found = path.with_suffix(".py"), notebook.read(path)
    before = text.read_text(encoding="utf-8") if text.exists() else ""
    if text.exists():
        built = made(course, path.parent.name, path.stem, lesson.read(before, str(text)))
        if _agree(found, built) or not notebook.edited(found):
            return None
        if found.metadata.get("built_from") != notebook.fingerprint(built):
            raise BadInputError(_both_changed(path, text))
    after = percent.write(notebook.cells(found, course.package, str(path)), like=before)
    lesson.read(after, f"{path}, written as text")
    return Change(text, before, after)


def _both_changed(path: Path, text: Path) -> Problem:
    return Problem(
        where=str(path),
        got=f"edits here and in {text.name} since the notebook was built",
        expected="edits in one of them",
        fix=f"Keep a copy of both, restore {text.name} from git, pull, then redo its edits; or "
        "delete the notebook to keep the lesson.",
    )

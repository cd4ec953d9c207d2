"""The scene of the attacks: a course of its own, with secrets in it and a student to be robbed."""

import json
import re
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tests.attacks.hostile.attack import Attack, Deform

REPOSITORY = Path(__file__).resolve().parents[3]
ASSIGNMENT, LESSON = "2-convolution", "convolution"
VICTIM, LAST = "aa-victim", "zz-last"  # both right; one before all attackers, one behind them
FULL = 65  # points of the reference solution, essays left out
STOCK = """
c = get_config()
c.CourseDirectory.course_id = "receptive-field"
c.Execute.timeout = 10
"""


@dataclass(frozen=True)
class Scene:
    """A folder with a course in it, and what is secret there.

    Attributes:
        root: holds ``course`` and ``home``, the grader's.
        secrets: what must not be found in anything a student gets, by kind.
        port: where a service of the grader's listens.
    """

    root: Path
    secrets: dict[str, str]
    port: int

    @property
    def course(self) -> Path:
        """Where course.toml is."""
        return self.root / "course"

    @property
    def home(self) -> Path:
        """The grader's home."""
        return self.root / "home"

    @property
    def socket(self) -> Path:
        """Where a service listens on this machine only."""
        return self.root / "service"

    @property
    def release(self) -> NotebookNode:
        """The notebook as it was handed out."""
        return nbformat.read(self.course / "release" / ASSIGNMENT / f"{LESSON}.ipynb", as_version=4)

    def folder(self, kind: str, student: str) -> Path:
        """``submitted``, ``autograded`` or ``feedback`` of a student."""
        return self.course / kind / student / ASSIGNMENT

    def environment(self) -> dict[str, str]:
        """The grader's: its own home, a secret, and nothing else that is not needed."""
        binaries = Path(sys.executable).parent
        return {
            "PATH": f"{binaries}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "GRADER_TOKEN": self.secrets["environment"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "TQDM_DISABLE": "1",
        }

    def copy(self, root: Path) -> "Scene":
        """The same scene elsewhere."""
        shutil.copytree(self.root, root, symlinks=True)
        return Scene(root, self.secrets, self.port)


def build(root: Path, settings: dict[str, float]) -> Scene:
    """A new course with the lesson, whose hidden tests, home, gradebook and victim hold a secret.

    Args:
        root: a folder that does not exist yet.
        settings: of ``[grading]`` in course.toml.
    """
    kinds = ("hidden", "environment", "home", "gradebook", "victim")
    scene = Scene(root, {kind: _canary(kind) for kind in kinds}, _free_port())
    scene.home.mkdir(parents=True)
    (scene.home / "secret.txt").write_text(scene.secrets["home"])
    scene.course.mkdir()
    for name in ("course.toml", "nbgrader_config.py"):
        shutil.copy(REPOSITORY / name, scene.course)
    shutil.copytree(REPOSITORY / "source" / ASSIGNMENT, scene.course / "source" / ASSIGNMENT)
    _set(scene.course / "course.toml", settings)
    _plant(scene)
    _command(scene, "autograder", "build", "--course", str(scene.course))
    _enrol(scene)
    _hand_in_right_answers(scene)
    # The first picture of a new home looks for fonts; that time is nobody's fault.
    _command(scene, sys.executable, "-c", "import matplotlib.font_manager")
    return scene


def make_stock(scene: Scene) -> None:
    """Makes it a course of plain nbgrader's, where the victim is graded already.

    Nothing but how long a cell may run is set. So the lesson's text goes: nbgrader would put it,
    solutions and all, beside every submission.
    """
    (scene.course / "source" / ASSIGNMENT / f"{LESSON}.py").unlink()
    (scene.course / "nbgrader_config.py").write_text(STOCK)
    shutil.rmtree(scene.folder("submitted", LAST).parent)
    _command(scene, "nbgrader", "autograde", ASSIGNMENT, f"--student={VICTIM}")


def hand_in(scene: Scene, attack: Attack, deform: Deform, number: int) -> None:
    """Puts a hostile submission in its place, and the facts of the scene into it."""
    folder = scene.folder("submitted", attack.name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    notebook = deepcopy(scene.release)
    deform(notebook, folder)
    facts = _facts(scene, attack, number)
    for path in _small_files(folder):
        path.write_bytes(_filled(path.read_text(errors="surrogateescape"), facts))
    path = folder / f"{LESSON}.ipynb"
    if not path.exists() and not path.is_symlink():
        path.write_bytes(_filled(json.dumps(notebook), facts))


def mark_of(attack: Attack) -> str:
    """By what the attack's doing is known."""
    return f"RFMARK-{attack.name}-"


def _facts(scene: Scene, attack: Attack, number: int) -> dict[str, str]:
    return {
        "@COURSE@": str(scene.course),
        "@HOME@": str(scene.home),
        "@VICTIM@": VICTIM,
        "@MARK@": mark_of(attack),
        "@NUMBER@": str(number),
        "@PORT@": str(scene.port),
        "@SOCKET@": str(scene.socket),
    }


def _filled(text: str, facts: dict[str, str]) -> bytes:
    for word, fact in facts.items():
        text = text.replace(word, fact)
    return text.encode(errors="surrogateescape")


def _small_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 100_000:
            yield path


def _canary(kind: str) -> str:
    return f"CANARY-{kind}-{secrets.token_hex(8)}"


def _free_port() -> int:
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        return int(any_socket.getsockname()[1])


def _set(path: Path, settings: dict[str, float]) -> None:
    """Changes settings of the last table of a TOML file, which is [grading]."""
    text = path.read_text()
    for name, value in settings.items():
        text = re.sub(rf"^{name} *=.*\n", "", text, flags=re.MULTILINE) + f"{name} = {value}\n"
    path.write_text(text)


def _plant(scene: Scene) -> None:
    """Puts a secret into every hidden test, and leaves out what is not graded: it costs time."""
    lesson = scene.course / "source" / ASSIGNMENT / f"{LESSON}.py"
    end, start = "### END HIDDEN TESTS", "\n# %%"
    cells = lesson.read_text(encoding="utf-8").split(start)
    graded = [cell for cell in cells if not cell.startswith(("\n", " [markdown]\n"))]
    text = start.join(graded)
    lesson.write_text(text.replace(end, f"# {scene.secrets['hidden']}\n{end}"), encoding="utf-8")


def _enrol(scene: Scene) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{scene.course / 'gradebook.db'}", "receptive-field") as gradebook:
        gradebook.update_or_create_student(VICTIM, email=scene.secrets["gradebook"])


def _hand_in_right_answers(scene: Scene) -> None:
    from autograder.authoring.samples import overlay, reference_answers

    source = scene.course / "source" / ASSIGNMENT / f"{LESSON}.ipynb"
    answers = reference_answers(nbformat.read(source, as_version=4))
    answers["corr2d"] += f"\n# {scene.secrets['victim']}"
    for student in (VICTIM, LAST):
        folder = scene.folder("submitted", student)
        folder.mkdir(parents=True)
        nbformat.write(overlay(scene.release, answers), folder / f"{LESSON}.ipynb")


def _command(scene: Scene, *command: str) -> None:
    environment = scene.environment()
    program = shutil.which(command[0], path=environment["PATH"])
    done = subprocess.run(
        [program or command[0], *command[1:]], cwd=scene.course, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")

"""Grading a batch of hostile submissions, from handing in to what was found.

``python -m tests.attacks.hostile.batch PLAN`` does it in a process of its own, so that a fence can
stand around.
"""

import json
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.attacks.hostile import ATTACKS, contained
from tests.attacks.hostile.attack import Attack
from tests.attacks.hostile.findings import (
    ESSAYS,
    NUMBERS,
    Finding,
    Service,
    inspect,
    marks,
    snapshot,
)
from tests.attacks.hostile.others import WAIT
from tests.attacks.hostile.scene import ASSIGNMENT, LAST, VICTIM, Scene, hand_in

AUTOGRADE, FEEDBACK = ("nbgrader", "autograde"), ("nbgrader", "generate_feedback")
LARGEST_FILE = 2**30  # a link to an endless file must not fill this machine's disk
COMMANDS = {
    # Endless attacks are waited for side by side.
    "autograder": (("autograder", "grade", "--workers=4"),),
    "plain": (
        (*AUTOGRADE, "--force"),
        (*FEEDBACK, "--force"),
    ),  # nbgrader, with the course's settings
    "stock": ((*AUTOGRADE, "--force"),),
}


@dataclass(frozen=True)
class Outcome:
    """What became of a batch.

    Attributes:
        findings: of each attack.
        others: points of those who attacked nobody.
        statuses: how each command ended; None if it was still running when the time was up.
        seconds: for all of it.
        said: what was printed.
    """

    findings: list[Finding]
    others: dict[str, float]
    statuses: list[int | None]
    seconds: float
    said: str


def grade(scene: Scene, attacks: Sequence[Attack], grader: str, seconds: float) -> Outcome:
    """Has a batch graded behind a fence.

    Args:
        scene: the course; its folder is changed.
        attacks: who hands in, besides those in it already.
        grader: one of COMMANDS.
        seconds: for each of the grader's commands.
    """
    plan, result = scene.root / "plan.json", scene.root / "result.json"
    names = [attack.name for attack in attacks]
    about = {"root": str(scene.root), "secrets": scene.secrets, "port": scene.port}
    how = {"grader": grader, "seconds": seconds, "fenced": bool(contained.fence(grader != "stock"))}
    plan.write_text(json.dumps({**about, **how, "names": names}))
    command = [sys.executable, "-m", "tests.attacks.hostile.batch", str(plan)]
    done = contained.run(command, 4 * seconds + 120, rooms=grader != "stock")
    if not result.is_file():
        raise RuntimeError(f"the batch did not come to an end: {done.stdout}{done.stderr}")
    found = json.loads(result.read_text())
    # JSON knows no tuples, which a Finding is made of.
    findings = [
        Finding(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})
        for row in found.pop("findings")
    ]
    return Outcome(findings=findings, **found)


def main(plan: Path) -> None:
    """Does what the plan says and writes ``result.json`` beside it."""
    about = json.loads(plan.read_text())
    scene = Scene(Path(about["root"]), about["secrets"], about["port"])
    attacks = [attack for attack in ATTACKS if attack.name in about["names"]]
    if about["fenced"]:
        contained.raise_loopback()
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    started = time.monotonic()
    with Service(scene) as service:
        outcome = _graded(scene, attacks, about["grader"], about["seconds"], service, started)
    (scene.root / "result.json").write_text(json.dumps(asdict(outcome)))


def _graded(
    scene: Scene,
    attacks: Sequence[Attack],
    grader: str,
    seconds: float,
    service: Service,
    started: float,
) -> Outcome:
    _hand_in(scene, attacks, again=False)
    before = snapshot(scene)
    alone = [attack.name for attack in attacks] if grader == "stock" else []
    statuses, said = _run(scene, alone, grader, seconds)
    second = [attack for attack in attacks if attack.again]
    if second:
        _hand_in(scene, second, again=True)
        before |= snapshot(scene)
        more, also = _run(scene, [attack.name for attack in second], grader, seconds)
        statuses, said = statuses + more, said + also
    time.sleep(WAIT + 1)  # until those who write later have written
    findings = inspect(scene, attacks, before, service, said)
    return Outcome(findings, _others(scene), statuses, time.monotonic() - started, said[-50_000:])


def _hand_in(scene: Scene, attacks: Sequence[Attack], again: bool) -> None:
    for place, attack in enumerate(attacks):
        deform = attack.again if again else attack.deform
        if deform:
            hand_in(scene, attack, deform, NUMBERS + place)


def _run(
    scene: Scene, students: Sequence[str], grader: str, seconds: float
) -> tuple[list[int | None], str]:
    statuses: list[int | None] = []
    said = ""
    for command in _commands(students, grader):
        status, text = _ended(command, scene, seconds)
        statuses.append(status)
        said += text
    return statuses, said


def _commands(students: Sequence[str], grader: str) -> Iterator[list[str]]:
    """For these students, or for everybody; nbgrader takes one at a time, or all."""
    chosen = [f"--student={student}" for student in students]
    at_once = [chosen] if grader == "autograder" or not chosen else [[one] for one in chosen]
    for command in COMMANDS[grader]:
        for some in at_once:
            yield [*command, ASSIGNMENT, *some]


def _ended(command: list[str], scene: Scene, seconds: float) -> tuple[int | None, str]:
    environment = scene.environment()
    program = shutil.which(command[0], path=environment["PATH"]) or command[0]
    said = scene.root / "said.txt"
    with said.open("wb") as file:
        running = subprocess.Popen(
            [program, *command[1:]], cwd=scene.course, env=environment, stdin=subprocess.DEVNULL,
            stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            status: int | None = running.wait(seconds)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
            status = None
    return status, said.read_text(errors="replace")


def _others(scene: Scene) -> dict[str, float]:
    found = dict.fromkeys((VICTIM, LAST), 0.0)
    try:
        rows = marks(scene)
    except sqlite3.Error:  # without a gradebook nobody has a mark, which is what is reported
        rows = []
    for row in rows:
        if row.student in found and row.cell not in ESSAYS:
            found[row.student] += row.score
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))

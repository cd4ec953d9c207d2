"""What looks for the traces of an attack finds them: else no trace would mean nothing."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.attacks.hostile import findings
from tests.attacks.hostile.attack import Attack
from tests.attacks.hostile.scene import LESSON, Scene, mark_of

ATTACK = Attack("probe", "probe", "Leaves traces.", lambda notebook, folder: None, loot=("SEEN 7",))
MARK = mark_of(ATTACK)


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path, {"hidden": "CANARY-hidden-0123", "home": "CANARY-home-4567"}, 1)
    for kind in ("submitted", "autograded", "feedback"):
        scene.folder(kind, ATTACK.name).mkdir(parents=True)
    scene.home.mkdir()
    for name in ("course.toml", "nbgrader_config.py"):
        (scene.course / name).write_text("")
    return scene


def give_feedback(scene, html):
    (scene.folder("feedback", ATTACK.name) / f"{LESSON}.html").write_text(html)


def test_a_process_with_the_mark_is_found_and_ended():
    command = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)", MARK]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as left:
        left.stdout.readline()
        assert findings.processes_left([MARK]) == [f"process {left.pid} {MARK}"]
        assert left.wait(10) == -9


def test_files_are_found_anywhere_but_in_the_own_folders(scene):
    (scene.home / f"{MARK}.py").write_text("")
    (scene.course / MARK).mkdir()
    (scene.folder("autograded", ATTACK.name) / MARK).write_text("")
    found = findings.files_left(scene, [MARK])
    assert set(found) == {str(scene.home / f"{MARK}.py"), str(scene.course / MARK)}
    assert findings.files_left(scene, [MARK]) == []


def test_changed_new_and_missing_files_are_found(scene):
    theirs = scene.folder("submitted", "other")
    theirs.mkdir(parents=True)
    (theirs / "a").write_text("a")
    (theirs / "b").write_text("b")
    before = findings.snapshot(scene)
    (theirs / "a").unlink()
    (theirs / "b").write_text(f"B {MARK}")
    (theirs / "c").write_text("")
    found = dict(findings.changed_since(scene, before))
    assert {name[-1] for name in found} == {"a", "b", "c"}
    assert [name[-1] for name, proof in found.items() if MARK.encode() in proof] == ["b"]


def test_secrets_and_loot_are_found_in_feedback(scene):
    give_feedback(scene, "<pre>nothing</pre>")
    assert findings.learned(scene, ATTACK) == ()
    give_feedback(scene, "<pre>LOOT CANARY-hidden-0123 SEEN 7</pre>")
    assert findings.learned(scene, ATTACK) == ("hidden", "'SEEN 7'")


def test_without_feedback_secrets_are_found_in_outputs_but_not_in_tracebacks_of_tests(scene):
    printed = new_code_cell(outputs=[new_output("stream", text="CANARY-home-4567")])
    test = new_code_cell(outputs=[new_output("error", traceback=["CANARY-hidden-0123"])])
    test.metadata["nbgrader"] = {"grade": True, "grade_id": "t"}
    path = scene.folder("autograded", ATTACK.name) / f"{LESSON}.ipynb"
    nbformat.write(new_notebook(cells=[printed, test]), path)
    assert findings.learned(scene, ATTACK) == ("home",)


@pytest.mark.parametrize(
    ("html", "found"),
    [
        (f"<script>alert('{MARK}')</script>", ("script",)),
        (f"<img src=x onerror='{MARK}()'>", ("img onerror",)),
        (f"<a href=' javascript:{MARK}'>x</a>", ("a href",)),
        (f"&lt;script&gt;{MARK}&lt;/script&gt; <pre>{MARK}</pre><script>1</script> {MARK}", ()),
    ],
)
def test_markup_that_runs_is_told_from_text(scene, html, found):
    give_feedback(scene, html)
    assert findings.live(scene, ATTACK) == found


def test_marks_with_an_attacks_number_were_not_given_by_the_grader():
    given = findings.Mark("aa-victim", "corr2d-any", 2, None, 1003, False)
    assert list(findings.robbed([given], 1003, alone=False)) == ["the marks of aa-victim"]
    assert list(findings.robbed([given], 1004, alone=False)) == []
    assert list(findings.robbed([given], 1004, alone=True)) == ["the marks of aa-victim"]

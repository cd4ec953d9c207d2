import dataclasses
import fcntl
import os
import threading
from multiprocessing import get_context
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from sqlalchemy import create_engine, text

from autograder.check import seed
from autograder.course import load
from autograder.grading import grade as grading
from autograder.grading import marks, submission
from autograder.problem import BadInputError, Problem

WRONG = "def double(x):\n    return x + 2"


@pytest.fixture
def grade(course, house):
    """Grades in a house of its own; returns the batch and the jobs that ran."""

    def run(students=("ada",), rooms=None, **options):
        rooms = rooms or house()
        options = {"workers": 2, "progress": False, **options}
        batch = grading.grade(load(course.root), "1-a", students, house=rooms, **options)
        assert rooms.closed
        return batch, rooms.jobs

    return run


def scores(course):
    return {row.student: row.score for row in marks.read(course, "1-a")}


@pytest.fixture
def gradebook(course):
    with Gradebook(f"sqlite:///{course.root}/gradebook.db", course.id) as book:
        yield book


def test_everybody_is_graded_with_one_run_each(course, hand_in, grade):
    hand_in("ada")
    hand_in("bob", WRONG)
    hand_in("eve", "1 / 0")
    batch, jobs = grade(["eve", "ada", "bob"])
    assert (batch.graded, batch.problems, batch.faults) == (["eve", "ada", "bob"], [], [])
    assert scores(course) == {"ada": 5, "bob": 0, "eve": 0}
    # nbgrader's own step found the tests as they should be, so what was prepared could be used.
    assert len(jobs) == 3
    for student in batch.graded:
        assert (course.root / "feedback" / student / "1-a" / "lesson.html").is_file()


def test_hidden_tests_ran_and_are_not_in_the_feedback(course, hand_in, grade):
    hand_in("ada", "def double(x):\n    return abs(2 * x)")
    grade()
    assert scores(course) == {"ada": 3}
    page = (course.root / "feedback" / "ada" / "1-a" / "lesson.html").read_text()
    assert "AssertionError" in page
    assert "double(-3)" not in page.replace("</span>", "").replace("<span>", "")


def test_what_was_prepared_need_not_be_on_the_disk(course, hand_in, grade, house):
    hand_in("ada")
    rooms = house(events=("something happened",))
    batch, jobs = grade(rooms=rooms)
    assert len(jobs) == 1
    assert not (course.root / ".autograder" / "results").exists()
    assert batch.submissions[0].events == ["something happened"]
    notebook = nbformat.read(course.root / "autograded/ada/1-a/lesson.ipynb", as_version=4)
    assert "something happened" in notebook.cells[0].source


def test_repairs_are_told(course, hand_in, grade):
    path = hand_in("ada")
    path.write_text(path.read_text().replace("assert double(2) == 4", "pass"))
    batch, _ = grade()
    assert batch.submissions[0].repairs == ["double-numbers: it was changed; put back"]
    page = (course.root / "feedback" / "ada" / "1-a" / "lesson.html").read_text()
    assert "Repaired before grading" in page


def test_files_beside_the_notebook_reach_the_rooms_and_the_rest_is_told(course, hand_in, grade):
    folder = hand_in("ada").parent
    (folder / "more.txt").write_text("1")
    (folder / "link.txt").symlink_to(course.root / "gradebook.db")
    batch, (job,) = grade()
    assert job.files == {"more.txt": b"1"}
    (told,) = batch.submissions[0].repairs
    assert "link.txt" in told
    assert "symbolic link" in told
    page = (course.root / "feedback" / "ada" / "1-a" / "lesson.html").read_text()
    assert "Not given to your code" in page
    assert not (course.root / "autograded" / "ada" / "1-a" / "link.txt").exists()


def test_a_renamed_notebook_is_graded_once_and_then_unchanged(course, hand_in, grade):
    path = hand_in("ada")
    path.rename(path.with_name("lesson (1).ipynb"))
    batch, jobs = grade()
    assert (batch.graded, len(jobs)) == (["ada"], 1)
    assert scores(course) == {"ada": 5}
    assert batch.submissions[0].repairs
    assert grade()[0].unchanged == ["ada"]


def test_one_submissions_trouble_is_its_own(course, hand_in, grade):
    hand_in("ada")
    hand_in("bob").write_text("no notebook")
    (course.root / "submitted" / "eve" / "1-a").mkdir(parents=True)
    batch, _ = grade(["ada", "bob", "eve", "nobody"])
    assert batch.graded == ["ada"]
    assert [Path(p.where.split(",")[0]).parts[-3:-1] for p in batch.problems[:2]] == [
        ("bob", "1-a"),
        ("eve", "1-a"),
    ]
    assert batch.problems[2].got == "no such folder"
    assert batch.faults == []


def test_a_fault_of_the_graders_is_told_apart_and_records_nothing(course, hand_in, grade, house):
    hand_in("ada")
    hand_in("bob")

    def fails_for_bob(job):
        if job.seed == seed.for_submission("1-a", "bob"):
            raise OSError("no room")

    batch, _ = grade(["ada", "bob"], rooms=house(fails_for_bob))
    assert batch.graded == ["ada"]
    assert batch.problems == []
    (fault,) = batch.faults
    assert "OSError: no room" in fault.got
    assert scores(course).keys() == {"ada"}
    assert grade(["ada", "bob"])[0].graded == ["bob"]


def test_a_fault_while_reading_is_told_apart(course, hand_in, grade, monkeypatch):
    hand_in("ada")
    monkeypatch.setattr(submission, "prepare", lambda *about: 1 / 0)
    batch, _ = grade()
    assert "ZeroDivisionError" in batch.faults[0].got


def test_a_fault_while_recording_is_told_apart_and_the_next_goes_on(hand_in, grade, monkeypatch):
    hand_in("ada")
    hand_in("bob")
    run = grading.run

    def fails_for_ada(converter, config, ids, **traits):
        if ids["student_id"] == "ada":
            raise MemoryError("too much")
        run(converter, config, ids, **traits)

    monkeypatch.setattr(grading, "run", fails_for_ada)
    batch, _ = grade(["ada", "bob"])
    assert batch.graded == ["bob"]
    assert "MemoryError" in batch.faults[0].got


def test_a_host_that_cannot_run_anything_ends_the_batch(course, hand_in, grade, house):
    hand_in("ada")

    def refuses(job):
        raise BadInputError(Problem("this host", "nothing", "protection", "Mend that."))

    rooms = house(refuses)
    with pytest.raises(BadInputError, match="this host"):
        grade(rooms=rooms)
    assert rooms.closed
    assert scores(course) == {}


def test_a_wrong_limit_ends_the_batch_before_it_begins(course, hand_in, house):
    hand_in("ada")
    course = dataclasses.replace(course, grading={"call_second": 1})
    with pytest.raises(BadInputError, match="'call_second'"):
        grading.grade(course, "1-a", ["ada"], house=house(), progress=False)


@pytest.mark.parametrize("forget", ["gradebook.db", "the assignment in it"])
def test_a_course_that_is_not_built_is_told_so_before_anything_runs(course, hand_in, house, forget):
    hand_in("ada")
    if forget == "gradebook.db":
        (course.root / forget).unlink()
    else:
        with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", course.id) as gradebook:
            gradebook.remove_assignment("1-a")
    rooms = house()
    with pytest.raises(BadInputError, match=r"no assignment '1-a'.*Run: autograder build"):
        grading.grade(course, "1-a", ["ada"], house=rooms, progress=False)
    assert rooms.jobs == []


def test_the_second_time_nothing_is_done(course, hand_in, grade):
    hand_in("ada")
    hand_in("bob", WRONG)
    grade(["ada", "bob"])
    before = {path: path.stat().st_mtime_ns for path in course.root.rglob("*.*")}
    batch, jobs = grade(["ada", "bob"])
    assert (batch.graded, batch.unchanged, jobs) == ([], ["ada", "bob"], [])
    assert {path: path.stat().st_mtime_ns for path in course.root.rglob("*.*")} == before


def edit(path, old, new):
    path.chmod(0o644)  # nbgrader makes its notebooks read-only
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def sql(course, statement):
    engine = create_engine(f"sqlite:///{course.root}/gradebook.db")
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount
    engine.dispose()


TOUCHES = {
    "an edited answer": lambda c: edit(
        c.root / "submitted/ada/1-a/lesson.ipynb", "return 2 * x", "return x * 2"
    ),
    "another file handed in": lambda c: (c.root / "submitted/ada/1-a/more.txt").write_text("1"),
    "a changed mark": lambda c: sql(c, "update grade set auto_score = 1 where auto_score = 2"),
    "an extension": lambda c: sql(c, "update submitted_assignment set extension = '1970-01-02'"),
    "another deadline": lambda c: sql(c, "update assignment set duedate = '2027-01-01 00:00:00'"),
    "another source": lambda c: edit(c.root / "source/1-a/lesson.ipynb", "(-3)", "(-4 + 1)"),
    "another release": lambda c: edit(c.root / "release/1-a/lesson.ipynb", "(21)", "(22)"),
    "other limits": lambda c: edit(c.root / "course.toml", "call_seconds = 5", "call_seconds = 6"),
    "other settings": lambda c: edit(c.root / "nbgrader_config.py", "# ", "#  "),
    "a lost notebook": lambda c: (c.root / "autograded/ada/1-a/lesson.ipynb").unlink(),
    "a notebook without outputs": lambda c: edit(
        c.root / "autograded/ada/1-a/lesson.ipynb", '"execution_count": 1', '"execution_count": 9'
    ),
    "a lost stamp": lambda c: (c.root / ".autograder/stamps/1-a/ada.json").unlink(),
    "a damaged stamp": lambda c: (c.root / ".autograder/stamps/1-a/ada.json").write_text("{"),
}


@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES)
def test_whatever_is_touched_is_graded_again(course, hand_in, grade, touch):
    hand_in("ada")
    hand_in("bob")
    grade(["ada"])
    touch(course)
    assert grade()[0].graded == ["ada"]
    assert scores(course) == {"ada": 5}  # and not only the page was written anew
    assert grade()[0].unchanged == ["ada"]


def test_a_mark_that_the_gradebook_lost_is_a_problem_and_not_passed_over(course, hand_in, grade):
    hand_in("ada")
    grade()
    sql(course, "delete from grade where auto_score = 2")
    for _ in range(2):
        (problem,) = grade()[0].problems
        assert "No such grade: 1-a/lesson/double-numbers for ada" in problem.got


def test_a_deleted_submission_in_the_gradebook_is_graded_again(course, hand_in, grade, gradebook):
    hand_in("ada")
    grade()
    gradebook.remove_submission("1-a", "ada")
    assert scores(course) == {}
    assert grade()[0].graded == ["ada"]
    assert scores(course) == {"ada": 5}


def test_other_code_grades_again(hand_in, grade, monkeypatch):
    hand_in("ada")
    grade()
    monkeypatch.setattr("autograder.grading.stamp.versions", lambda: {"autograder": "other"})
    assert grade()[0].graded == ["ada"]


def test_manual_marks_make_new_feedback_and_nothing_else(course, hand_in, grade, gradebook):
    hand_in("ada")
    grade()
    essay = gradebook.find_grade("why", "lesson", "1-a", "ada")
    essay.manual_score, essay.needs_manual_grade = 3.5, False
    gradebook.find_comment("why", "lesson", "1-a", "ada").manual_comment = "Nicely put."
    gradebook.db.commit()
    batch, jobs = grade()
    assert (batch.graded, jobs) == (["ada"], [])
    assert "Nicely put." in (course.root / "feedback/ada/1-a/lesson.html").read_text()
    (row,) = marks.read(course, "1-a")
    assert (row.score, row.to_read) == (8.5, 0)  # nobody has to read it again
    assert grade()[0].unchanged == ["ada"]


def test_a_resubmission_is_graded_from_nothing_but_for_a_persons_marks(
    course, hand_in, grade, gradebook
):
    hand_in("ada")
    grade()
    gradebook.find_grade("why", "lesson", "1-a", "ada").manual_score = 3.5
    gradebook.db.commit()
    path = hand_in("ada", "1 / 0")
    os.utime(path, (0, 0))  # no newer than what was graded, as copies often are
    assert grade()[0].graded == ["ada"]
    (row,) = marks.read(course, "1-a")
    assert [cell.score for cell in row.cells] == [0, 0, 3.5]
    assert row.to_read == 4


def test_a_broken_resubmission_leaves_everything(course, hand_in, grade):
    path = hand_in("ada")
    grade()
    good = path.read_text()
    path.write_text(good[:50])
    batch, _ = grade(force=True)
    assert (batch.graded, len(batch.problems)) == ([], 1)
    assert scores(course) == {"ada": 5}
    path.write_text(good)
    assert grade()[0].unchanged == ["ada"]


def test_force_grades_again_with_what_is_stored_and_fresh_without(hand_in, grade):
    hand_in("ada")
    assert len(grade()[1]) == 1
    batch, jobs = grade(force=True)
    assert (batch.graded, jobs) == (["ada"], [])
    batch, jobs = grade(fresh=True)
    assert (batch.graded, len(jobs)) == (["ada"], 1)


def test_a_check_that_broke_waits_for_a_person(course, hand_in, grade, gradebook):
    hand_in("ada", "class GraderBroke(Exception): ...\n\n\ndef double(x):\n    raise GraderBroke")
    batch, _ = grade()  # this house has no examiner that would refuse the name
    assert batch.submissions[0].grader_broke == ["double-numbers", "double-more"]
    (row,) = marks.read(course, "1-a")
    assert (row.grader_broke, row.to_read, row.lost) == (("double-numbers", "double-more"), 9, ())
    for name in row.grader_broke:
        found = gradebook.find_grade(name, "lesson", "1-a", "ada")
        found.manual_score, found.needs_manual_grade = 1, False
    gradebook.db.commit()
    (row,) = marks.read(course, "1-a")
    assert row.grader_broke == ()


def test_tests_that_only_the_gradebook_has_are_run_by_nbgraders_step(course, hand_in, grade):
    hand_in("ada")
    edit(course.root / "source/1-a/lesson.ipynb", "assert double(-3) == -6", "assert False")
    batch, jobs = grade()
    assert batch.graded == ["ada"]
    assert len(jobs) == 2
    assert scores(course) == {"ada": 5}  # by the tests that were built


def test_an_interrupt_ends_calmly_and_the_next_run_finishes(course, hand_in, grade, monkeypatch):
    for student in ("ada", "bob", "eve"):
        hand_in(student)
    run, calls = grading.run, []

    def interrupted(converter, *about, **traits):
        calls.append(converter)
        if len(calls) == 4:  # in the middle of the second student
            raise KeyboardInterrupt
        run(converter, *about, **traits)

    with monkeypatch.context() as patch:
        patch.setattr(grading, "run", interrupted)
        batch, _ = grade(["ada", "bob", "eve"], workers=1)
    assert batch.interrupted
    assert batch.graded == ["ada"]
    batch, _ = grade(["ada", "bob", "eve"])
    assert (batch.unchanged, batch.graded) == (["ada"], ["bob", "eve"])
    assert scores(course) == {"ada": 5, "bob": 5, "eve": 5}


def test_submissions_run_at_the_same_time(hand_in, grade, house):
    students = ["ada", "bob"]
    for student in students:
        hand_in(student)
    both = threading.Barrier(2, timeout=20)  # raises if one of them waits for the other to end
    batch, _ = grade(students, rooms=house(lambda job: both.wait() and None))
    assert batch.graded == students


def elsewhere(root, students, barrier, here):
    """Grades in another process, at the same moment."""
    rooms = here()
    barrier.wait(timeout=60)
    grading.grade(load(root), "1-a", students, house=rooms, progress=False, force=True)


def test_two_graders_at_once_both_finish_and_agree(course, hand_in, grade, house):
    students = ["ada", "bob", "eve"]
    hand_in("ada")
    hand_in("bob", WRONG)
    hand_in("eve", "1 / 0")
    fork = get_context("fork")
    barrier = fork.Barrier(2)
    other = fork.Process(target=elsewhere, args=(course.root, students, barrier, house))
    other.start()
    barrier.wait(timeout=60)
    batch, _ = grade(students, force=True)
    other.join(timeout=60)
    assert other.exitcode == 0
    assert batch.graded == students
    assert scores(course) == {"ada": 5, "bob": 0, "eve": 0}
    assert grade(students)[0].unchanged == students


def test_what_another_grader_did_meanwhile_is_not_done_again(course, hand_in, grade, house):
    hand_in("ada")

    def meanwhile(job):
        if not scores(course):
            grading.grade(course, "1-a", ["ada"], house=house(), progress=False)

    batch, _ = grade(rooms=house(meanwhile))
    assert batch.unchanged == ["ada"]


def test_marks_are_recorded_only_while_the_lock_is_held(course, hand_in, grade, monkeypatch):
    """Seen from outside, by another descriptor: a second holder would be refused."""
    hand_in("ada")
    run, others = grading.run, []

    def watched(converter, *about, **traits):
        run(converter, *about, **traits)
        with (course.root / ".autograder" / "lock").open() as other:
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
                others.append("got in")
            except BlockingIOError:
                others.append("kept out")

    monkeypatch.setattr(grading, "run", watched)
    grade()
    assert others == ["kept out", "kept out"]
    with (course.root / ".autograder" / "lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # it is free again

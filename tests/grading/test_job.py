import dataclasses

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.check import seed
from autograder.grading import job, submission
from autograder.problem import BadInputError
from autograder.rooms.job import MIB, Limits, Place


def cell(name, **flags):
    return new_code_cell(name, metadata={"nbgrader": {"grade_id": name, **flags}})


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (cell("setup", locked=True, grade=False, solution=False), Place.BOTH),
        (cell("answer", locked=False, grade=False, solution=True), Place.STUDENT),
        (cell("marked by a person", locked=False, grade=True, solution=True), Place.STUDENT),
        (cell("test", locked=True, grade=True, solution=False), Place.EXAMINER),
        (cell("test, unlocked", locked=False, grade=True, solution=False), Place.EXAMINER),
        (cell("plain", locked=False, grade=False, solution=False), Place.STUDENT),
        (new_code_cell("the student's own"), Place.STUDENT),
    ],
    ids=lambda value: value.source if hasattr(value, "source") else value.name,
)
def test_each_kind_of_cell_has_its_room(found, place):
    assert job.place_of(found) is place


def test_a_job_is_the_code_cells_in_their_order():
    cells = [new_markdown_cell("a"), cell("setup", locked=True), new_code_cell("x = 1")]
    limits = Limits(call_seconds=1)
    found = job.job_of(new_notebook(cells=cells), True, {"a.txt": b"1"}, 7, limits)
    assert [(c.name, c.place, c.source) for c in found.cells] == [
        ("setup", Place.BOTH, "setup"),
        ("code cell 2", Place.STUDENT, "x = 1"),
    ]
    assert (found.files, found.seed, found.torch, found.limits) == (
        {"a.txt": b"1"},
        7,
        True,
        limits,
    )


def test_a_students_job_has_their_seed_files_and_limits(course, hand_in, monkeypatch):
    hand_in("ada")
    asked = []
    monkeypatch.setattr(
        submission, "files", lambda *a: (asked.append(a), ({"b.txt": b"2"}, ["x"]))[1]
    )
    found, left_out = job.job_for(course, "1-a", "ada", new_notebook(cells=[]))
    assert found.seed == seed.for_submission("1-a", "ada")
    assert (found.files, left_out) == ({"b.txt": b"2"}, ["x"])
    assert asked == [(course.root / "submitted" / "ada" / "1-a", 128 * MIB)]
    assert (found.limits.call_seconds, found.torch) == (5, False)


def test_torch_is_there_if_the_assignment_says_so(course, hand_in):
    hand_in("ada")
    allowed = {"1-a": dataclasses.replace(course.assignment("1-a"), torch=True)}
    course = dataclasses.replace(course, assignments=allowed)
    assert job.job_for(course, "1-a", "ada", new_notebook(cells=[]))[0].torch


def limits(course, **grading):
    return job.limits_of(dataclasses.replace(course, grading=grading))


def test_limits_are_those_of_the_course_and_otherwise_the_usual_ones(course):
    assert limits(course) == Limits()
    found = limits(course, memory_mb=64, call_seconds=2.5, output_bytes=10, output_lines=3)
    assert found == Limits(memory_bytes=64 * MIB, call_seconds=2.5, output_bytes=10)


def test_every_wrong_limit_is_named_at_once(course):
    with pytest.raises(BadInputError) as refused:
        limits(course, cell_second=60, processes=2.5, call_seconds=0, memory_mb="2G", revivals=True)
    told = str(refused.value)
    assert "the setting 'cell_second'" in told
    assert "cell_seconds" in told.splitlines()[0]  # among those that exist
    for wrong in ("processes = 2.5", "call_seconds = 0", "memory_mb = '2G'", "revivals = True"):
        assert wrong in told

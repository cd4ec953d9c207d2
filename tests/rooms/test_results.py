import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.rooms import results
from autograder.rooms.job import Cell, Job, Limits, Place, Result
from autograder.rooms.results import Results, key

TEST = Cell("test", Place.EXAMINER, "assert f(1)")
JOB = Job((Cell("answer", Place.STUDENT, "f = 1"), TEST), {"a.txt": b"1"}, seed=7)
SAID = {"output_type": "stream", "name": "stdout", "text": "hello"}
BROKE = {"output_type": "error", "ename": "GraderBroke", "evalue": "", "traceback": []}
USUAL = Result(((SAID,), ()))


@pytest.fixture
def runs():
    return []


@pytest.fixture
def stored(tmp_path, runs):
    return Results(tmp_path, lambda job: runs.append(job) or USUAL)


def replaced(cell, **change):
    return {"cells": (JOB.cells[0], dataclasses.replace(cell, **change))}


@pytest.mark.parametrize(
    "change",
    [
        replaced(TEST, source="assert f(2)"),
        replaced(TEST, place=Place.STUDENT),
        replaced(TEST, name="other"),
        {"cells": JOB.cells[::-1]},
        {"cells": JOB.cells[:1]},
        {"files": {}},
        {"files": {"a.txt": b"2"}},
        {"files": {"b.txt": b"1"}},
        {"seed": 8},
        {"torch": True},
        {"limits": Limits(call_seconds=21)},
        {"limits": Limits(revivals=4)},
    ],
    ids=str,
)
def test_a_key_changes_with_everything_that_a_result_depends_on(change):
    assert key(JOB) == key(dataclasses.replace(JOB))
    assert key(dataclasses.replace(JOB, **change)) != key(JOB)


def test_a_key_changes_with_the_code_that_runs_it(monkeypatch):
    before = key(JOB)
    for part in ("autograder", "python", "numpy", "torch", "ipython", "matplotlib"):
        assert results.versions()[part] != "none"
        other = {**results.versions(), part: "other"}
        with monkeypatch.context() as patch:
            patch.setattr(results, "versions", lambda found=other: found)
            assert key(JOB) != before


def test_the_packages_digest_sees_names_and_contents(tmp_path):
    (tmp_path / "a.py").write_text("1")
    seen = {results._package_digest(tmp_path)}
    (tmp_path / "a.py").write_text("2")
    seen.add(results._package_digest(tmp_path))
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    seen.add(results._package_digest(tmp_path))
    assert len(seen) == 3


def test_a_job_runs_once(stored, runs, tmp_path):
    assert stored.of(JOB) == stored.of(JOB) == USUAL
    assert Results(tmp_path, runs.append).of(JOB) == USUAL  # what another process finds
    assert runs == [JOB]


def test_fresh_runs_and_replaces_what_is_there(stored, runs, tmp_path):
    stored.of(JOB)
    other = Result(((), (SAID,)))
    assert Results(tmp_path, lambda job: other, fresh=True).of(JOB) == other
    assert stored.of(JOB) == other


@pytest.mark.parametrize(
    "result",
    [
        dataclasses.replace(USUAL, events=("the student's room ended",)),
        Result(((), (SAID, BROKE))),
    ],
    ids=["an event", "the grader broke"],
)
def test_what_may_end_differently_next_time_is_not_kept(result, tmp_path):
    stored = Results(tmp_path, lambda job: result)
    assert stored.of(JOB) == result
    assert list(tmp_path.iterdir()) == []


def test_a_students_exception_of_that_name_is_only_an_exception(tmp_path):
    result = Result(((BROKE,), ()))
    assert results.broken(JOB, result) == []
    Results(tmp_path, lambda job: result).of(JOB)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b'{"outputs": [[',
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"outputs": 3}',
        b'{"outputs": [[]]}',
        b'{"outputs": [[], [7]]}',
        b'{"outputs": [[], [{"text": "a"}]]}',
    ],
)
def test_a_damaged_file_is_as_good_as_none_and_is_said(damage, stored, runs, tmp_path, caplog):
    stored.of(JOB)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage)
    assert stored.of(JOB) == USUAL
    assert len(runs) == 2
    assert f"{path} is damaged" in caplog.text
    assert json.loads(path.read_bytes())["outputs"] == [[SAID], []]


def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    results.write_atomically(path, "before")
    with pytest.raises(UnicodeEncodeError):
        results.write_atomically(path, "after \ud800")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["before"]


def test_many_threads_may_ask_at_once(stored):
    jobs = [dataclasses.replace(JOB, seed=number % 5) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert set(map(id, pool.map(type, map(stored.of, jobs)))) == {id(Result)}
    assert [stored.of(job) for job in jobs] == [USUAL] * 40


def test_copies_of_a_course_may_share_a_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("AUTOGRADER_RESULTS", raising=False)
    assert results.folder_of(tmp_path) == tmp_path / ".autograder" / "results"
    monkeypatch.setenv("AUTOGRADER_RESULTS", str(tmp_path / "of all"))
    assert results.folder_of(tmp_path) == tmp_path / "of all"


@pytest.mark.parametrize(("name", "counts"), [("a.py", True), ("b.npz", True), ("c.pyc", False)])
def test_all_that_the_package_holds_counts_but_what_python_makes_of_it(tmp_path, name, counts):
    before = results._package_digest(tmp_path)
    (tmp_path / name).write_bytes(b"1")
    assert (results._package_digest(tmp_path) != before) == counts

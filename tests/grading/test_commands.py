import pytest

from autograder.cli import main
from autograder.grading import grade as grading
from autograder.grading.batch import Batch, Done, Submission
from autograder.problem import BadInputError, Problem

PROBLEM = Problem("submitted/eve", "no notebook", "one", "Ask for it.")
ADA = Submission("ada", done=Done.GRADED)
BOB = Submission("bob", done=Done.UNCHANGED)


@pytest.fixture
def grade(course, hand_in, monkeypatch, capsys):
    """Runs the command with a batch, or an error, in place of the grader."""
    hand_in("ada")
    hand_in("bob")

    def run(came_of_it, *options):
        asked = {}

        def instead(course, assignment, students, **settings):
            asked.update(settings, students=students)
            if isinstance(came_of_it, Exception):
                raise came_of_it
            return came_of_it

        monkeypatch.setattr(grading, "grade", instead)
        status = main(["grade", "1-a", "--course", str(course.root), *options])
        return status, capsys.readouterr(), asked

    return run


def test_a_batch_without_trouble_is_one_line(grade):
    status, said, asked = grade(Batch([ADA, BOB], 3.0))
    assert (status, said.err) == (0, "")
    assert said.out == "graded: 1, problems: 0, unchanged: 1; 3.0 s (3.00 s each)\n"
    assert asked == {
        "students": ["ada", "bob"],
        "workers": None,
        "force": False,
        "fresh": False,
        "unsafe": False,
    }


def test_options_reach_the_grader(grade):
    options = ["--student", "bob", "--workers", "3", "--force", "--fresh", "--unsafe"]
    _, said, asked = grade(Batch([BOB], 0.1), *options)
    assert said.out == "graded: 0, problems: 0, unchanged: 1; 0.1 s\n"
    assert asked == {
        "students": ["bob"], "workers": 3, "force": True, "fresh": True, "unsafe": True
    }  # fmt: skip


@pytest.mark.parametrize("workers", ["0", "-1", "many"])
def test_a_number_of_workers_that_cannot_be_is_refused(grade, workers):
    with pytest.raises(SystemExit):
        grade(Batch([]), f"--workers={workers}")


def test_whatever_somebody_has_to_look_at_is_named(grade):
    ada = Submission(
        "ada", events=["f: too slow"], grader_broke=["g"], repairs=["h"], done=Done.GRADED
    )
    status, said, _ = grade(Batch([ada, Submission("eve", problems=[PROBLEM])], 1.0))
    assert status == 1
    assert said.err == f"{PROBLEM}\n"
    assert said.out.splitlines() == [
        "ada: f: too slow",
        "ada: the grader broke in g",
        "repaired before grading: ada",
        "graded: 1, problems: 1, unchanged: 0; 1.0 s (1.00 s each)",
    ]


def test_faults_of_the_graders_are_counted_apart(grade):
    status, said, _ = grade(Batch([BOB, Submission("eve", faults=[PROBLEM])]))
    assert status == 1
    assert "problems: 0, unchanged: 1, faults of the grader's: 1" in said.out


def test_an_interrupt_says_how_to_go_on(grade):
    status, said, _ = grade(Batch([ADA], 1.0, interrupted=True))
    assert status == 1
    assert said.out.endswith("interrupted; 1 graded; run the same command again\n")


def test_a_host_without_protection_is_refused_with_what_to_do(grade):
    status, said, _ = grade(BadInputError(Problem("this host", "none", "protection", "--unsafe")))
    assert (status, said.out) == (2, "")
    assert "--unsafe" in said.err

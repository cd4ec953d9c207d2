"""Rooms that do not behave: what the tests meet, and what goes on afterwards."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from autograder.rooms.house import House, RoomNotOpenedError
from autograder.rooms.job import MIB, Cell, Job, Place
from tests.rooms.conftest import QUICK

FINE = "def fine():\n    return 1\n"
CHECK = "assert fine() == 1"

# What bad() does; how the test that calls it ends. A test behind it always goes on undisturbed.
BAD = {
    "loops": ("while True: pass", "TimeoutError: no answer within 2 s"),
    "ignores interrupts": (
        "import signal\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n    while True: pass",
        "TimeoutError: the program ended while it ran (no answer within 2 s, nor to an interrupt)",
    ),
    "swallows interrupts": (
        "import time\n    while True:\n        try:\n            time.sleep(9)\n"
        "        except BaseException: pass",
        "TimeoutError: the program ended while it ran (no answer within 2 s, nor to an interrupt)",
    ),
    "ends the process": (
        "import os\n    os._exit(0)",
        "RuntimeError: the program ended while it ran (exit status 0)",
    ),
    "crashes": (
        "import ctypes\n    ctypes.string_at(0)",
        "RuntimeError: the program ended while it ran (signal SIGSEGV)",
    ),
    "exits": ("import sys\n    sys.exit(0)", "SystemExit: 0"),
    "is interrupted": ("raise KeyboardInterrupt('now')", "KeyboardInterrupt: now"),
    "raises": ("raise BaseException('b')", "BaseException: b"),
    "closes its socket": (
        "import os\n    os.closerange(3, 256)",
        "RuntimeError: the program ended while it ran",
    ),
    "never ends its answer": ("x = []\n    x.append(x)\n    return x", "TypeError: what came back"),
    "claims that the grader broke": (
        "class GraderBroke(ValueError): pass\n    raise GraderBroke('sorry')",
        "ValueError: sorry",
    ),
    "has an exception without a text": (
        "class E(Exception):\n        def __str__(self): raise ValueError\n    raise E",
        "E: [its text could not be made: ValueError]",
    ),
}


BROKEN_SHELL = """
import json, sys
from autograder.rooms.shell import Shell
shell = Shell.warm()
shell.transform_cell = lambda _: 1 / 0
shell.showtraceback = lambda *_, **__: print("cannot show it")
json.dump(shell.outputs_of("assert False"), sys.__stdout__)
"""


def test_a_test_that_could_not_run_is_the_graders_fault_and_no_success():
    command = [sys.executable, "-c", BROKEN_SHELL]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *_, last = json.loads(done.stdout)
    assert last["ename"] == "GraderBroke" and "division by zero" in last["evalue"]


def test_a_home_cell_runs_nowhere(house):
    cells = (
        Cell("answer", Place.STUDENT, "f = 1"),
        Cell("long", Place.HOME, "f = 2\nprint('never')"),
        Cell("test", Place.EXAMINER, "assert f == 1"),
    )
    assert house.run(Job(cells, limits=QUICK)).outputs == ((), (), ())


@pytest.mark.parametrize("what", BAD)
def test_a_call_that_misbehaves_costs_its_own_test_only(examine, what):
    body, message = BAD[what]
    found = examine(f"{FINE}def bad():\n    {body}", CHECK, "bad()", CHECK)
    assert found.errors[0] == "" and found.errors[2] == ""
    assert found.errors[1].startswith(message)


def test_an_interrupted_room_keeps_what_it_had(examine):
    student = "n = [0]\ndef count():\n    n[0] += 1\n    return n[0]\n"
    student += "def loop():\n    while True: pass"
    found = examine(student, "assert count() == 1", "loop()", "assert count() == 2")
    assert found.errors == ["", "TimeoutError: no answer within 2 s", ""]
    assert found.events == ("test-1: interrupted after 2 s",)


def test_a_room_that_ended_is_opened_again_without_the_cell_that_ended_it(examine):
    cells = [FINE, "import os\nos._exit(3)", "def other():\n    return 2"]
    found = examine(cells, f"{CHECK}\nassert other() == 2")
    assert found.errors == [""]
    assert found.events == ("answer-1: the student's room ended (exit status 3)",)
    assert found.student[1][0]["evalue"] == "the program ended while it ran (exit status 3)"


def test_a_room_that_always_ends_is_given_up(examine):
    tests = ["bad()"] * 5
    limits = replace(QUICK, revivals=2)
    found = examine("def bad():\n    import os\n    os._exit(0)", *tests, limits=limits)
    assert found.errors[2:] == [
        "RuntimeError: the program ended while it ran (exit status 0)",
        "RuntimeError: the program ended too often to be started again",
        "RuntimeError: the program ended too often to be started again",
    ]


def test_memory_is_bounded(examine):
    student = f"{FINE}import numpy as np\ndef bad():\n    return [np.ones(2**24) for _ in 'x' * 20]"
    found = examine(student, "bad()", CHECK, limits=replace(QUICK, memory_bytes=512 * MIB))
    assert "Error" in found.errors[0] and found.errors[1] == ""


def test_a_notebook_has_so_much_time_and_no_more(examine):
    limits = replace(QUICK, notebook_seconds=1.0)
    found = examine("import time\ndef slow():\n    time.sleep(0.7)", *["slow()"] * 4, limits=limits)
    assert found.errors[0] == ""
    assert found.errors[-1] == "TimeoutError: the notebook's time is used up"


def test_many_slow_calls_use_up_their_cell(examine):
    student = "import time\ndef slow():\n    time.sleep(0.4)"
    limits = replace(QUICK, cell_seconds=1.0)
    found = examine(student, "for _ in range(100): slow()", "slow()", limits=limits)
    assert found.errors[0].startswith("TimeoutError") and found.errors[1] == ""


def test_a_flood_is_cut(examine):
    student = "print('x' * 10**7)\nfor i in range(10**5): print('line', i)"
    found = examine(student, CHECK, limits=replace(QUICK, output_bytes=1000))
    (output,) = found.student[0]
    assert len(output["text"]) < 3000 and "left out" in output["text"]
    assert output["text"].endswith("line 99999\n")


def test_many_pictures_are_cut(examine):
    found = examine("from IPython.display import display\nfor i in range(2000): display(i)", "1")
    assert len(found.student[0]) == 500


def test_nothing_of_the_examiner_is_in_the_students_room(examine):
    student = (
        "import os, gc\n"
        "def look():\n"
        "    told = [o for o in gc.get_objects() if isinstance(o, str) and 'sec' + 'ret' in o]\n"
        "    names = [v for v in os.environ if 'GRADER' in v.upper()]\n"
        "    return told, names, list(get_ipython().user_ns)\n"
    )
    found = examine(student, "answer = 'secret'", "print(look()[:2], 'answer' in look()[2])")
    assert found.printed == "([], []) False\n"


def test_every_submission_draws_its_own_inputs(examine):
    test = "from autograder.check import seed\nprint(seed.current())"
    assert examine("1", test, seed=7).printed == "7\n"


def test_students_generators_start_alike(examine):
    student = (
        "import numpy as np, random\ndef draw():\n    return np.random.rand(), random.random()"
    )
    runs = {examine(student, "print(draw())", seed=3).printed for _ in range(2)}
    assert len(runs) == 1
    assert runs != {examine(student, "print(draw())", seed=4).printed}


def test_files_of_the_submission_are_there_and_shadow_nothing(examine):
    files = {"data/points.txt": b"1 2 3", "numpy.py": b"raise SystemExit", "helper.py": b"y = 5"}
    student = (
        "import numpy, helper\n"
        "def read():\n    return open('data/points.txt').read(), helper.y, numpy.ones(1)[0]"
    )
    assert (
        examine(student, "print(read())", files=files).printed == "('1 2 3', 5, np.float64(1.0))\n"
    )


def test_torch_is_there_only_if_the_assignment_says_so(examine):
    student = "def f():\n    import torch\n    return torch.ones(2)"
    assert examine(student, "f()").errors == [
        "ModuleNotFoundError: import of torch halted; None in sys.modules"
    ]
    assert examine(student, "assert f().sum() == 2", torch=True).errors == [""]


def test_where_there_is_no_torch_no_part_of_it_is_loaded_either(examine):
    student = "def f():\n    import sys\n    return sorted(n for n in sys.modules if 'torch' in n)"
    assert examine(student, "assert f() == ['torch'], f()").errors == [""]


def test_an_examiner_that_ends_says_nothing_about_the_student(examine):
    found = examine(FINE, CHECK, "import os\nos._exit(1)", CHECK)
    assert [error.split(":")[0] for error in found.errors] == ["GraderBroke"] * 3
    assert found.events[0].startswith("the examiner was lost: test-1")


def test_a_setup_that_fails_in_the_examiner_is_not_the_students_fault(examine):
    setup = "import os\nif 'AUTOGRADER_SEED' in os.environ: raise ValueError(1)"
    found = examine(FINE, CHECK, setup=setup)
    assert found.errors[0].startswith("GraderBroke")


def test_a_check_that_breaks_is_told_apart(examine):
    setup = "from autograder import check"
    test = "check.corr2d.forward(f, X=(2, 3), K='nonsense')"
    found = examine("def f(X, K):\n    return X", test, setup=setup)
    assert found.errors[0].startswith("GraderBroke")


def test_nothing_is_left_running(monkeypatch):
    pids = []
    original = House.open

    def watched(self, *arguments):
        room = original(self, *arguments)
        pids.append(room.pid)
        return room

    monkeypatch.setattr(House, "open", watched)
    daemon = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)"
    with House(unsafe=True) as house:
        house.run(Job((Cell("daemon", Place.STUDENT, daemon), Cell("t", Place.EXAMINER, "1"))))
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_courses_demonstrations_run_once_and_where_no_answer_is(house):
    setup = Cell("setup", Place.BOTH, "import itertools\ncount = itertools.count()")
    demonstration = Cell("demonstration", Place.COURSE, "print('shown', next(count))")

    def shown(answer):
        cells = (setup, Cell("answer", Place.STUDENT, answer), demonstration)
        return house.run(Job(cells)).outputs[2]

    texts = [shown(answer)[0]["text"] for answer in ("1", "print = None", "count = 'mine'")]
    assert texts == ["shown 0\n"] * 3


def test_half_a_character_is_replaced(examine):
    student = "print('a\\ud800b')\ndef bad():\n    raise ValueError('c\\ud800d')"
    found = examine(student, "print('e\\ud800f')\nbad()")
    assert found.student[0][0]["text"] == "a?b\n"
    assert (found.printed, found.errors) == ("e?f\n", ["ValueError: c?d"])
    assert found.events == ()


def test_a_closed_house_stays_closed():
    house = House(unsafe=True)
    house.close()
    with pytest.raises(RoomNotOpenedError, match="closed"):
        house.run(Job((Cell("t", Place.EXAMINER, "1"),)))


def test_what_was_not_run_is_told(examine):
    limits = replace(QUICK, notebook_seconds=0.5, revivals=0)
    found = examine(
        "import time\ndef slow():\n    time.sleep(0.6)", "slow()", "slow()", limits=limits
    )
    assert found.events[-1] == "test-1: not run, the notebook's time was used up"
    found = examine("def bad():\n    import os\n    os._exit(0)", "bad()", "bad()", limits=limits)
    assert found.events[-1] == "test-1: not run, the student's room had ended too often"


KEEPS = "asked = []\ndef f(x):\n    asked.append(x)\n    return 1"


@pytest.mark.parametrize("behind", ["print(asked)", "print(asked)\ndef f(x):\n    return 2"])
def test_no_cell_shows_what_a_test_has_asked(house, behind):
    cells = (
        Cell("answer", Place.STUDENT, KEEPS),
        Cell("test", Place.EXAMINER, "assert f('hidden') == 1"),
        Cell("behind", Place.STUDENT, behind),
        Cell("again", Place.EXAMINER, "print(f('more'))"),
    )
    result = house.run(Job(cells))
    assert result.outputs[1] == ()  # passed: it saw f as it was at that point
    assert result.outputs[2][0]["text"] == "[]\n"
    assert result.outputs[3][0]["text"] == ("2\n" if "def" in behind else "1\n")


def test_slow_cells_leave_the_tests_their_time(house):
    slow = Cell("slow", Place.STUDENT, "import time\ntime.sleep(9)")
    cells = (Cell("a", Place.STUDENT, FINE), slow, slow, Cell("t", Place.EXAMINER, CHECK))
    result = house.run(Job(cells, limits=replace(QUICK, cell_seconds=1, notebook_seconds=1.5)))
    assert result.outputs[3] == ()

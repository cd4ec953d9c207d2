import argparse
import os
import subprocess
import sys

import pytest

from autograder.rooms import commands, doctor
from autograder.rooms.sandbox import Offer, Protection, offer
from autograder.rooms.sandbox.trial import Answer

RUN = """
import argparse, sys
from autograder.rooms import commands
parser = argparse.ArgumentParser()
commands.add_to(parser.add_subparsers())
arguments = parser.parse_args(sys.argv[1:])
sys.exit(arguments.run(arguments))
"""


@pytest.fixture
def run(monkeypatch, capsys):
    """The command on a host that gives this protection, where every probe is answered so."""

    def run_it(protection, answer):
        monkeypatch.setattr(doctor, "offer", lambda: Offer(protection, ()))
        monkeypatch.setattr(doctor, "trouble", lambda _: "not here. Do this.")
        monkeypatch.setattr(doctor, "ask", lambda *_: answer)
        parser = argparse.ArgumentParser()
        commands.add_to(parser.add_subparsers())
        arguments = parser.parse_args(["doctor"])
        return arguments.run(arguments), capsys.readouterr().out

    return run_it


@pytest.mark.skipif(offer().protection is Protection.NONE, reason="this host cannot confine")
def test_this_host_keeps_its_promises(tmp_path):
    command = [sys.executable, "-c", RUN, "doctor", "--course", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Protected by {offer().protection.value}." in done.stdout
    assert "no network" in done.stdout and " NO " not in done.stdout
    assert os.uname().release in done.stdout


def test_a_broken_promise_is_shown_and_is_a_failure(run):
    status, shown = run(Protection.NAMESPACES, Answer(value="connected to 127.0.0.1"))
    assert status == 1
    assert "NO      connected to 127.0.0.1" in shown and "a promise was broken" in shown


def test_a_room_that_does_not_open_is_a_failure(run):
    status, shown = run(Protection.LANDLOCK, Answer(trouble="no answer after 60 seconds"))
    assert status == 1
    assert "no answer after 60 seconds" in shown


def test_a_host_without_protection_is_told_what_to_do_and_tries_nothing(run):
    status, shown = run(Protection.NONE, Answer(value="was tried"))
    assert status == 1
    assert "no: not here. Do this." in shown and "was tried" not in shown
    assert "student code would run with your rights" in shown

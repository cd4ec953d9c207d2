import signal

import pytest

MIB = 2**20


@pytest.mark.parametrize("killed", ["keeper_killed", "zygote_killed"])
def test_a_room_and_its_daemons_end_with_keeper_and_zygote(scenes, killed):
    assert scenes[1][killed] is True


def test_the_reported_process_is_the_room_and_all_in_it_ends_with_it(scenes):
    found = scenes[1]["room_killed"]
    assert found["gone"] and found["pid"] > 1
    assert (found["last"]["exit"], found["last"]["signal"]) == (None, signal.SIGKILL)


def test_a_room_can_be_interrupted(scenes):
    found = scenes[1]["interrupted"]
    assert (found["said"], found["last"]["exit"]) == ("interrupted", 0)


def test_the_report_says_how_a_room_ended(scenes):
    ends = {name: (end["exit"], end["signal"]) for name, end in scenes[1]["endings"].items()}
    assert ends == {
        "returns": (0, None),
        "raises": (1, None),
        "exits": (7, None),
        "crashes": (None, signal.SIGSEGV),
    }
    assert all(end["max_rss_bytes"] > MIB for end in scenes[1]["endings"].values())


def test_processor_time_is_bounded(scenes):
    if "spinning" not in scenes[1]:
        pytest.skip("tried as root only: it takes a second")
    assert scenes[1]["spinning"]["signal"] == signal.SIGKILL


def test_a_room_that_cannot_be_confined_runs_nothing(scenes):
    found = scenes[1]["not_opened"]
    if scenes[0] == "landlock":
        pytest.skip("Landlock has no working directory to make")
    assert not found["ran"]
    assert [list(report) for report in found["reports"]] == [["error"]]
    assert "Read-only file system: '/usr/nowhere'" in found["reports"][0]["error"]


def test_resident_memory_is_that_of_the_whole_tree(scenes):
    found = scenes[1]["resident"]
    # Where it can fork, the child has what its parent had, and as much again.
    processes, arrays = (1, 1) if scenes[0] == "landlock" else (2, 3)
    least = arrays * 20 * MIB
    assert least <= found["used"] <= least + (found["own"] + 10 * MIB) * processes
    assert found["ended"] == 0


def test_nothing_of_a_room_stays_on_the_host_however_deep_and_locked(scenes):
    assert scenes[1]["left_over"] == 0

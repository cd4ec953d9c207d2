import os

import pytest

ENVIRONMENT = ["HOME", "LANG", "LOGNAME", "OMP_NUM_THREADS", "PATH", "TMPDIR", "USER"]
HELD_ANYWAY = {"memory bounded", "size of a file bounded", "clean environment"}


def answer(answers, name):
    value, trouble = answers[1][name]
    assert trouble is None
    return value


def test_every_promise_of_the_doctor_holds(answers):
    promises = {name: found for name, found in answers[1].items() if name.startswith("probe: ")}
    assert len(promises) == (15 if answers[0] == "namespaces" else 14)
    assert {name for name, found in promises.items() if found != [None, None]} == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user can do less without a room, too")
def test_without_protection_every_promise_is_broken_that_is_not_a_plain_limit(asked):
    found = asked("none", False, "answers")
    probed = {name.removeprefix("probe: "): found[name] for name in found if "probe:" in name}
    held = {name for name, broken in probed.items() if broken == [None, None]}
    assert held == HELD_ANYWAY


def test_only_what_is_readable_can_be_read_and_the_longest_path_decides(answers):
    found = answer(answers, "files")
    assert found["open/file"] == found["link/file"] == "open/file"
    assert found["open/secret/shown/file"] == "open/secret/shown/file"
    assert {found["open/secret/file"], found["closed/file"]} <= {"ENOENT", "EACCES"}
    assert found["closed"] in ("ENOENT", "EACCES")
    assert found["open/hidden.txt"] in ("", "EACCES")


def test_nothing_of_the_host_can_be_changed(answers, tree):
    found = answer(answers, "files")
    tried = ("write", "write over", "write where anybody may")
    assert {found[name] for name in tried} <= {"EROFS", "EACCES"}
    assert (tree / "open" / "file").read_text() == "open/file"


def test_a_room_begins_in_a_folder_of_its_own_with_a_clean_environment(answers):
    found = answer(answers, "places")
    assert found["home is here"] and found["empty"] and found["leader"]
    assert (found["mode"], found["environment"], found["threads"]) == (0o644, ENVIRONMENT, "1")


def test_with_namespaces_a_room_is_alone_on_a_host_of_its_own(answers):
    found = answer(answers, "places")
    alone = (found["host name"], found["pid"]) == ("room", 1)
    assert alone == (answers[0] == "namespaces")


def test_with_namespaces_every_namespace_is_another(answers):
    if answers[0] != "namespaces":
        pytest.skip("Landlock has none")
    inside, outside = answer(answers, "walls")["namespaces"], answer(answers, "host")["namespaces"]
    shared = {kind for kind, name in inside.items() if name == outside[kind]}
    assert shared <= {"user"} and "EACCES" not in inside.values()


def test_privileges_cannot_come_back(answers):
    found = answer(answers, "walls")
    assert found["no new privileges"] == 1
    user_cannot = answers[0] == "landlock" and not answers[1]["root"]
    assert (found["bounding set"] == []) or user_cannot


def test_a_room_has_no_descriptor_but_those_that_it_was_given(answers):
    assert answer(answers, "descriptors") == {"null": [True] * 3, "others": 1}


def test_signals_are_as_python_starts_with(answers):
    found = answer(answers, "signals")
    assert found == {"interrupt": True, "SIGTERM": 0, "SIGPIPE": 1, "blocked": 0}


def test_limits_are_hard(answers):
    found = answer(answers, "limits")
    assert all(soft == hard for soft, hard in found.values())
    processes = found.pop("NPROC")[0]
    assert processes >= 16
    assert {name: soft for name, (soft, _) in found.items()} == {
        "CORE": 0, "CPU": 30, "FSIZE": 2 * 2**20, "MEMLOCK": 2**16, "MSGQUEUE": 0, "NOFILE": 64
    }  # fmt: skip


def test_calls_that_no_lesson_needs_are_refused(answers):
    assert answer(answers, "refused") == []


def test_only_unix_sockets_if_any(answers):
    found = answer(answers, "families")
    unix = found.pop("AF_UNIX")
    assert unix == (0 if answers[0] == "namespaces" else "EACCES")
    assert set(found.values()) == {"EACCES"}


def test_calls_are_refused_by_their_arguments(answers):
    found = answer(answers, "by_argument")
    assert {found.pop("pipe"), found.pop("which personality")} == {None, 0}
    assert found.pop("newer than known") == "ENOSYS"
    assert set(found.values()) == {"EPERM"}


def test_nothing_reaches_other_processes(answers):
    found = answer(answers, "toward_others")
    refusal = {"ESRCH"} if answers[0] == "namespaces" else {"EPERM"}
    others = ("signal", "owner", "owner by ioctl", "limits", "affinity")
    assert {found[name] for name in others} == refusal
    assert (found["signal self"], found["own limits"]) == (None, 0)


def test_landlock_starts_no_process_and_changes_no_modes(answers):
    found = answer(answers, "toward_others")
    seen = (found["fork"], found["datagrams"], found["chmod"], found["mode"])
    landlock = ("EPERM", "EPERM", None, 0o600)
    assert seen == (landlock if answers[0] == "landlock" else ("cloned", 0, None, 0o777))


def test_numpy_and_threads_work(answers):
    assert answer(answers, "calculation") == [3, 3]


def test_with_namespaces_programs_can_be_started(answers):
    expected = "/home/student\n" if answers[0] == "namespaces" else "EPERM"
    assert answer(answers, "program") == expected

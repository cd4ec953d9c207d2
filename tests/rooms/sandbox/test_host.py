import sys

import pytest

from autograder.rooms.sandbox import Offer, Protection, host, offer

REFUSAL = "unshare (new namespaces): Operation not permitted"


@pytest.fixture(autouse=True)
def forgetful():
    host.trouble.cache_clear()
    yield
    host.trouble.cache_clear()


@pytest.fixture
def pretend(monkeypatch):
    """A host where some protections fail, with some settings below /proc/sys."""

    def set_up(failing, settings=None, container=False):
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(host, "attempt", lambda each: REFUSAL if each in failing else None)
        monkeypatch.setattr(host, "_setting", lambda name: (settings or {}).get(name))
        monkeypatch.setattr(host, "_in_container", lambda: container)

    return set_up


def test_the_best_that_works_is_offered(pretend):
    pretend(failing=())
    assert offer() == Offer(Protection.NAMESPACES, ())


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
        ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces"),
    ],
)
def test_the_next_best_comes_with_the_reason_and_what_to_do(pretend, setting, value, remedy):
    pretend({Protection.NAMESPACES}, {setting: value})
    found = offer()
    assert found.protection is Protection.LANDLOCK
    (reason,) = found.reasons
    assert reason.startswith(f"namespaces: {REFUSAL}. ") and remedy in reason


def test_a_setting_that_is_not_to_blame_is_not_blamed(pretend):
    pretend({Protection.NAMESPACES}, {"kernel/unprivileged_userns_clone": "1"}, container=True)
    (reason,) = offer().reasons
    assert "sysctl" not in reason and "--cap-add SYS_ADMIN" in reason


def test_nothing_works(pretend):
    pretend({Protection.NAMESPACES, Protection.LANDLOCK})
    found = offer()
    assert found.protection is Protection.NONE
    assert [reason.split(":")[0] for reason in found.reasons] == ["namespaces", "landlock"]


def test_another_system_is_sent_to_a_container(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    found = offer()
    assert found.protection is Protection.NONE
    assert all("Grade in a Linux container" in reason for reason in found.reasons)


def test_an_attempt_that_fails_says_why(monkeypatch, tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no such thing >&2; exit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    assert host.attempt(Protection.NAMESPACES) == "no such thing"


@pytest.mark.skipif(sys.platform != "linux", reason="nothing to try")
def test_what_is_offered_here_was_tried():
    found = offer()
    best = found.protection
    assert best is Protection.NONE or host.attempt(best) is None

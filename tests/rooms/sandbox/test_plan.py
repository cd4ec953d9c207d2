import dataclasses

import pytest

from autograder.rooms.sandbox import Confinement, clean_environment
from autograder.rooms.sandbox.plan import Kind, links, open_parts, plan

BOUNDS = dict.fromkeys(
    ("writable_bytes", "file_bytes", "memory_bytes", "processes", "descriptors", "cpu_seconds"), 1
)


@pytest.fixture
def host(tmp_path):
    for name in ("lib/a/b/c/file", "lib/a/other", "lib/d/file", "elsewhere/file"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def planned(host, readable, hidden=(), private=()):
    absolute = [tuple(f"{host}/{name}" for name in names) for names in (readable, hidden, private)]
    confinement = Confinement(readable=absolute[0], hidden=absolute[1], **BOUNDS)
    return plan(confinement, absolute[2])


def relative(host, paths):
    return {path.removeprefix(f"{host}/") for path in paths}


def test_what_a_path_above_shows_is_not_shown_again(host):
    found = planned(host, ("lib/a", "lib", "lib/d/file"))
    assert found == {f"{host}/lib": Kind.HOST}


def test_readable_and_hidden_nest_and_shallow_paths_come_first(host):
    found = planned(host, ("lib/a/b/c", "lib"), ("lib/a/b",))
    expected = {"lib": Kind.HOST, "lib/a/b": Kind.EMPTY, "lib/a/b/c": Kind.HOST}
    assert list(found.items()) == [(f"{host}/{name}", kind) for name, kind in expected.items()]


def test_hidden_wins_over_readable_at_the_same_path(host):
    assert planned(host, ("lib", "lib/d"), ("lib/d",))[f"{host}/lib/d"] is Kind.EMPTY


def test_only_what_would_be_seen_is_hidden(host):
    assert planned(host, ("lib/d",), ("elsewhere", "lib/nothing")) == {f"{host}/lib/d": Kind.HOST}


def test_a_readable_path_may_lie_in_a_private_folder(host):
    found = planned(host, ("lib/a",), private=("lib",))
    assert found == {f"{host}/lib": Kind.PRIVATE, f"{host}/lib/a": Kind.HOST}


def test_missing_paths_are_left_out(host):
    assert planned(host, ("nothing", "lib")) == {f"{host}/lib": Kind.HOST}


def test_links_are_followed_for_the_plan_and_listed(host):
    (host / "first").symlink_to("second/a")
    (host / "second").symlink_to(host / "lib")
    assert planned(host, ("first",)) == {f"{host}/lib/a": Kind.HOST}
    found = links([f"{host}/first/b"])
    assert found == {f"{host}/first": "second/a", f"{host}/second": f"{host}/lib"}


def test_a_hidden_link_hides_what_it_points_to(host):
    (host / "link").symlink_to("lib/d")
    assert planned(host, ("lib",), ("link",))[f"{host}/lib/d"] is Kind.EMPTY


def test_open_parts_go_around_what_is_hidden(host):
    found = open_parts(planned(host, ("lib", "elsewhere"), ("lib/a/b",)))
    assert relative(host, found) == {"elsewhere", "lib/a/other", "lib/d"}


def test_open_parts_come_back_below_what_is_hidden(host):
    found = open_parts(planned(host, ("lib", "lib/a/b/c"), ("lib/a",)))
    assert relative(host, found) == {"lib/d", "lib/a/b/c"}


def test_a_link_beside_something_hidden_opens_nothing_elsewhere(host):
    (host / "lib" / "a" / "link").symlink_to(host / "elsewhere")
    found = open_parts(planned(host, ("lib",), ("lib/a/b",)))
    assert relative(host, found) == {"lib/a/other", "lib/d"}


@pytest.mark.parametrize("change", [{"readable": ("usr",)}, {"hidden": ("/",)}, {"work": ""}])
def test_paths_must_be_absolute_and_below_the_root(change):
    confinement = Confinement(readable=("/usr",), **BOUNDS)
    with pytest.raises(ValueError, match="is not an absolute path below /"):
        dataclasses.replace(confinement, **change)


def test_the_environment_keeps_settings_of_libraries_and_nothing_else():
    found = clean_environment({"API_TOKEN": "x", "OMP_NUM_THREADS": "1", "HOME": "/root"})
    assert "API_TOKEN" not in found
    assert (found["OMP_NUM_THREADS"], found["HOME"]) == ("1", "/home/student")

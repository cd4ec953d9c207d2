import subprocess
import sys
import types
from importlib import metadata

import IPython
import pytest

from autograder import here


@pytest.fixture
def said(capsys):
    """A function that reports and returns the lines."""

    def run(*arguments):
        here.report(*arguments)
        return capsys.readouterr().out.splitlines()

    return run


@pytest.fixture(autouse=True)
def desk(monkeypatch, tmp_path):
    """A folder without data, on no machine in particular, with what this course needs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    for module in ("google.colab", "torch", "ipykernel"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr(here, "DRIVE", tmp_path / "drive")
    return tmp_path


@pytest.fixture
def loaded(monkeypatch):
    """A function that makes it look as if a module of some version were imported."""

    def load(name, version, **parts):
        module = types.SimpleNamespace(__version__=version, **parts)
        monkeypatch.setitem(sys.modules, name, module)

    return load


@pytest.fixture
def installed(monkeypatch):
    """The versions of what is installed, to be changed; what is not in it is not there."""
    versions = {"numpy": "2.4.6", "torch": "2.13.0", "receptive-field": "1.2"}

    def version(name):
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", version)
    return versions


@pytest.fixture
def graphics_card():
    """As much of torch as knows one."""
    card = types.SimpleNamespace(name="Tesla T4", total_memory=15_828_320_256)
    return types.SimpleNamespace(
        is_available=lambda: True, get_device_properties=lambda index: card
    )


def test_where_all_is_well_two_lines_say_so(said, installed, loaded):
    loaded("numpy", "2.4.6")
    where, what = said()
    assert where.startswith(f"Python {sys.version.split()[0]} on ")
    assert "processor core" in where
    assert what == "NumPy 2.4.6, PyTorch 2.13.0, receptive-field 1.2"


def test_the_place_is_said(said, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    assert " in Jupyter on " in said()[0]
    shell = types.SimpleNamespace(user_ns={"__vsc_ipynb_file__": "/home/ada/lesson.ipynb"})
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    assert " in VS Code on " in said()[0]
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release")
    assert " in Colab on " in said()[0]


def test_a_graphics_card_is_named_where_torch_is_imported(said, loaded, graphics_card):
    assert "processor core" in said()[0]
    loaded("torch", "2.8.0+cu126", cuda=graphics_card)
    where, what, *_ = said()
    assert where.endswith(" on Tesla T4 with 15 GiB")
    assert "PyTorch 2.8.0+cu126" in what


def test_torch_without_a_graphics_card(said, loaded):
    loaded("torch", "2.8.0", cuda=types.SimpleNamespace(is_available=lambda: False))
    assert "processor core" in said()[0]


def test_nothing_is_imported_for_it():
    script = "import sys; from autograder import here; here.report('miniplaces')\n"
    script += "print(sorted({'numpy', 'torch', 'IPython'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout.splitlines()[-1], done.stderr) == ("[]", "")


@pytest.mark.parametrize(
    ("name", "version", "old"),
    [
        ("numpy", "1.26.4", True),
        ("numpy", "2.0.0", False),
        ("numpy", "2.0.0rc1", False),
        ("torch", "2.5.1+cu121", True),
        ("torch", "2.10.0", False),
    ],
)
def test_what_is_older_than_needed_is_said_in_words(said, installed, loaded, name, version, old):
    loaded("numpy", "2.4.6")
    installed[name] = version
    loaded(name, version, cuda=types.SimpleNamespace(is_available=lambda: False))
    _, _, *amiss = said()
    words = f"{here.LIBRARIES[name]} {version} is older than this course needs: 2"
    assert [line.startswith(words) for line in amiss] == [True] * old


def test_the_oldest_versions_are_those_of_the_package():
    assert {"numpy", "torch", "matplotlib", "pillow"} == here._needed().keys()


def test_what_was_replaced_behind_the_kernels_back_is_said(said, installed, loaded):
    loaded("numpy", "2.0.2")
    _, _, line = said()
    assert line.startswith("NumPy 2.4.6 was installed while 2.0.2 was in use. Restart")


def test_without_torch_it_is_said_that_checks_cannot_run(said, installed, monkeypatch):
    monkeypatch.delitem(installed, "torch")
    assert "PyTorch is not installed" in said()[-1]
    monkeypatch.setitem(sys.modules, "torch", None)  # as where lessons without it are graded
    assert len(said()) == 2


def test_run_from_its_source_it_still_reports(said, installed, monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.delitem(installed, "receptive-field")
    monkeypatch.setattr(metadata, "requires", absent)
    _, line = said()
    assert line.endswith("receptive-field from its source")


def test_data_beside_the_notebook_or_above_it(said, desk, monkeypatch):
    folder = desk / "data" / "miniplaces"
    folder.mkdir(parents=True)
    assert said("miniplaces")[2:] == [f"miniplaces: {folder}"]
    lesson = desk / "release" / "6-miniplaces"
    lesson.mkdir(parents=True)
    monkeypatch.chdir(lesson)
    assert here.find("miniplaces") == folder
    assert here.find("packed") is None


def test_without_data_it_says_where_it_looked(said, desk):
    (line,) = said("miniplaces")[2:]
    assert "not here (looked for data/miniplaces" in line


def test_in_colab_it_says_how_to_mount_the_drive_and_does_not(said, desk, monkeypatch):
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release")
    *_, line = said("miniplaces")
    assert list(desk.iterdir()) == []
    monkeypatch.setattr(here, "DRIVE", desk / "elsewhere")
    mounted = here.DRIVE / "MyDrive"

    def mount(mountpoint):
        (desk / "elsewhere" / "MyDrive").mkdir(parents=True)

    colab = types.ModuleType("google.colab")
    colab.drive = types.SimpleNamespace(mount=mount)
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    exec(line.strip(), {})
    assert "nor on your drive, in" in said("miniplaces")[-1]
    (mounted / "receptive-field" / "miniplaces").mkdir(parents=True)
    assert said("miniplaces")[2:] == [f"miniplaces: {mounted}/receptive-field/miniplaces"]


def test_data_at_hand_comes_before_the_drive(desk):
    (here.DRIVE / here.ON_DRIVE / "miniplaces").mkdir(parents=True)
    (desk / "data" / "miniplaces").mkdir(parents=True)
    assert here.find("miniplaces") == desk / "data" / "miniplaces"

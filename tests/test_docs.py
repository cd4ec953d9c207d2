"""Every command and every block of code in the documents, run in the order in which they stand."""

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from autograder.authoring import lesson

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "benchmarks" / "README.md",
]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document, language):
    text = document.read_text(encoding="utf-8")
    return [code for name, code in BLOCK.findall(text) if name == language]


def commands(document):
    lines = "".join(blocks(document, "console")).splitlines()
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


@pytest.fixture(scope="module")
def clone(repository, shared_results):
    """The repository with this environment where `make` would have put one."""
    (repository / ".venv").symlink_to(sys.prefix)
    return repository


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_commands_of(document, clone):
    for command in commands(document):
        if command == "make demo":
            assert '"demo", f"VENV=' in (ROOT / "tests/test_demo.py").read_text()  # it runs there
        elif command == "make test":
            assert "make test" in (ROOT / ".ci/run").read_text()  # that is what is running
        elif command.startswith("jupyter lab"):
            assert "convolution.ipynb" in served(command, clone)
        else:
            run(command, clone)


def test_the_tree_is_clean_after_all_commands(clone):
    status = ["git", "status", "--porcelain"]
    done = subprocess.run(status, cwd=clone, capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_the_readmes_picture_shows_what_the_check_says():
    alternative = re.search(r"!\[A failing check\. (.*?)\]\((.*?)\)", DOCUMENTS[0].read_text())
    script = ROOT / "docs/images/failing_check.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    said = re.sub(r"<[^>]*>", " ", done.stdout)
    hint = alternative[1].split("Hint: ")[1]
    assert hint in re.sub(r"\s+", " ", said)
    assert (ROOT / alternative[2]).is_file()


def test_links_between_documents_lead_somewhere():
    for document in [*DOCUMENTS, ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^):#]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_sample_lesson_is_a_lesson_and_its_solution_passes():
    (code,) = blocks(ROOT / "docs/instructor.md", "python")
    lesson.read(code, "docs/instructor.md")
    exec(compile(code, "docs/instructor.md", "exec"), {})


def run(command, folder):
    # Not `. .venv/bin/activate` once and for all: each command is a shell of its own here.
    script = f". .venv/bin/activate && {command}"
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"


def served(command, folder):
    """Starts a JupyterLab server and fetches the page that a browser would open."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = command.split()[-1]
    options = f"--no-browser --allow-root --port={port} --IdentityProvider.token="
    script = f". .venv/bin/activate && exec {command} {options}"
    with subprocess.Popen(["bash", "-c", script], cwd=folder, stderr=subprocess.DEVNULL) as server:
        try:
            return fetched(f"http://127.0.0.1:{port}/lab/tree/{file}")
        finally:
            server.terminate()


def fetched(url, seconds=120):
    """The address that answers, once something does."""
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        try:
            with urllib.request.urlopen(url) as page:
                return page.geturl()
        except urllib.error.URLError as error:
            if isinstance(error, urllib.error.HTTPError):
                raise
            time.sleep(0.5)
    raise TimeoutError(f"nothing answers at {url}")

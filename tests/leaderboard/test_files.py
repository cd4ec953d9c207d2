import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from autograder import leaderboard
from autograder.leaderboard import machine
from autograder.leaderboard.check import File, check
from autograder.leaderboard.manifest import images_digest, sha256
from autograder.problem import BadInputError

GUIDE = Path(__file__).parents[2] / "docs" / "leaderboard.md"
CLASSES = 12
NAMES = [f"val/{k:08d}.jpg" for k in range(1, 8)]
LINES = "".join(f"{name} {k} 11 7 8 9\n" for k, name in enumerate(NAMES))
LABELS = {"train/a/abbey/00000001.jpg": 0, "train/y/yard/00000001.jpg": 11}
FACTS = {
    "split": "val",
    "net": "ResNet-18",
    "recipe": "from scratch",
    "data": "scenes",
    "labels": LABELS,
    "classes": CLASSES,
    "epochs": 3,
    "batch_size": 64,
    "learning_rate": 0.01,
    "seed": 0,
}


def problems_of(act):
    with pytest.raises(BadInputError) as refusal:
        act()
    return refusal.value.problems


@pytest.fixture
def files(tmp_path):
    return leaderboard.write(tmp_path / "a" / "run", NAMES, LINES, **FACTS)


def changed(files, **changes):
    table = json.loads(files.manifest.read_text()) | changes
    files.manifest.write_text(json.dumps(table))


def test_both_files_are_written_and_accepted(files):
    assert files.predictions.read_text() == LINES
    report = leaderboard.check_files(files.predictions, NAMES, files.manifest)
    assert (report.images, report.classes, report.warnings) == (7, CLASSES, ())
    run = report.manifest
    assert run.predictions_sha256 == sha256(LINES.encode())
    assert (run.images, run.images_sha256) == (7, images_digest(NAMES))
    assert (run.net, run.epochs, run.seconds, run.top1) == ("ResNet-18", 3, None, None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", run.when)


def test_a_manifest_knows_what_is_in_use(files):
    versions = json.loads(files.manifest.read_text())["versions"]
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert (versions["numpy"], versions["torch"]) == (np.__version__, torch.__version__)
    assert "receptive-field" in versions


def test_torch_is_not_imported_for_it():
    code = "from autograder import leaderboard as b; from autograder.leaderboard import machine"
    more = "import sys; f = machine.facts(); print(*f['versions']); print(f['device'])"
    gone = "assert not {'torch', 'numpy'} & set(sys.modules)"
    script = f"{code}; {more}; {gone}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.split()[:3] == ["python", "receptive-field", "CPU"]


def test_torch_may_be_withheld(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it raises ModuleNotFoundError
    assert "torch" not in machine.versions()
    assert machine.device().startswith("CPU")


def test_a_gpu_is_called_by_its_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla T4")
    assert machine.device() == "Tesla T4"


def test_what_is_said_counts_more_than_what_is_found_out(tmp_path):
    files = leaderboard.write(tmp_path, NAMES, LINES, **FACTS, device="abacus", seconds=None)
    assert json.loads(files.manifest.read_text())["device"] == "abacus"


def test_a_digest_cannot_be_said(tmp_path):
    with pytest.raises(TypeError, match="images"):
        leaderboard.write(tmp_path, NAMES, LINES, **FACTS, images=3)


def test_labels_as_a_file_or_by_name_have_one_digest(tmp_path, files):
    path = tmp_path / "train.txt"
    path.write_text("".join(f"{name} {label}\n" for name, label in LABELS.items()))
    again = leaderboard.write(tmp_path / "b", NAMES, LINES, **{**FACTS, "labels": path})
    digests = [json.loads(one.manifest.read_text())["data_sha256"] for one in (files, again)]
    assert digests == [sha256(path.read_bytes())] * 2


def test_numbers_of_numpy_and_torch_are_numbers(tmp_path):
    numbers = {
        "top1": np.float32(0.5),
        "top5": torch.tensor(0.75),
        "settings": {"decay": np.int64(3), "on": np.True_, "rate": np.array(0.25)},
    }
    files = leaderboard.write(tmp_path, NAMES, LINES, **FACTS, **numbers)
    table = json.loads(files.manifest.read_text())
    assert (table["top1"], table["top5"]) == (0.5, 0.75)
    assert table["settings"] == {"decay": 3, "on": True, "rate": 0.25}


def test_nothing_is_written_that_would_be_refused(tmp_path):
    lines = LINES.replace(" 11 ", " abbey ", 1)
    facts = {**FACTS, "net": "", "batchsize": 3, "top1": np.ones(3)}
    problems = problems_of(lambda: leaderboard.write(tmp_path / "run", NAMES, lines, **facts))
    assert [problem.got for problem in problems] == [
        "the word 'abbey'",
        "the unknown field 'batchsize'",
        "''",
        "array([1., 1., 1.])",
    ]
    assert not (tmp_path / "run").exists()


def test_a_manifest_that_has_become_too_large_is_not_written(tmp_path):
    settings = {f"{k}": "x" * 1000 for k in range(100)}
    with pytest.raises(BadInputError, match="more than the 65,536 bytes"):
        leaderboard.write(tmp_path, NAMES, LINES, **FACTS, settings=settings)


@pytest.mark.parametrize(
    ("lines", "got"),
    [(LINES.splitlines(), "a list"), (LINES.encode(), "a bytes"), (None, "a NoneType")],
)
def test_lines_are_one_text(tmp_path, lines, got):
    (problem,) = problems_of(lambda: leaderboard.write(tmp_path, NAMES, lines, **FACTS))
    assert problem.got == got


def test_half_a_character_is_refused_as_what_it_becomes(tmp_path):
    with pytest.raises(BadInputError, match="the byte 0xed, which is not UTF-8 text"):
        leaderboard.write(tmp_path, NAMES, LINES + "\ud800", **FACTS)


def test_a_folder_that_cannot_be_made_is_a_clear_refusal(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BadInputError, match="a file to write"):
        leaderboard.write(tmp_path / "file", NAMES, LINES, **FACTS)


@pytest.mark.parametrize("end", ["\n", " 3\n"], ids=["names", "names and labels"])
def test_images_may_be_a_file(tmp_path, files, end):
    path = tmp_path / "test.txt"
    path.write_text("".join(name + end for name in NAMES))
    assert leaderboard.check_files(files.predictions, path, files.manifest).images == 7
    assert leaderboard.check_files(str(files.predictions), str(path)).classes == 100


def test_fewer_classes_are_those_of_the_manifest_or_those_asked_for(files):
    text = LINES.replace(" 11 ", " 12 ", 1).encode()
    predictions = File("team.txt", text)
    assert check(predictions, NAMES).classes == 100
    (problem,) = problems_of(lambda: check(predictions, NAMES, num_classes=CLASSES))
    assert problem.expected == "a label from 0 to 11"
    manifest = File("run.json", files.manifest.read_bytes())
    expected = [p.expected for p in problems_of(lambda: check(predictions, NAMES, manifest))]
    assert expected[0] == "a label from 0 to 11"


@pytest.mark.parametrize(
    ("act", "where"),
    [
        (lambda files: changed(files, predictions_sha256="0" * 64), "predictions_sha256"),
        (lambda files: files.predictions.write_text(LINES + "\n"), "predictions_sha256"),
        (lambda files: changed(files, images_sha256="0" * 64), "images_sha256"),
        (lambda files: changed(files, images=8), "images"),
        (lambda files: changed(files, classes=13), "classes"),
    ],
)
def test_a_manifest_of_other_predictions_is_refused(files, act, where):
    act(files)
    check_ = lambda: leaderboard.check_files(*files_and(files), num_classes=CLASSES)  # noqa: E731
    (problem,) = problems_of(check_)
    assert problem.where == f"{files.manifest}, {where}"


def files_and(files):
    return files.predictions, NAMES, files.manifest


def test_the_problems_of_both_files_and_between_them_come_together(files):
    changed(files, net="")
    files.predictions.write_text(LINES.replace(" 8 ", " 8.0 ", 1))
    wheres = [p.where for p in problems_of(lambda: leaderboard.check_files(*files_and(files)))]
    assert wheres == [f"{files.predictions}, line 1", f"{files.manifest}, net"]
    changed(files, net="ResNet-18")
    wheres = [p.where for p in problems_of(lambda: leaderboard.check_files(*files_and(files)))]
    assert wheres == [f"{files.predictions}, line 1", f"{files.manifest}, predictions_sha256"]


def test_a_report_says_it_all(tmp_path):
    lines = LINES.replace(" 8 9", " 9 9", 1)
    files = leaderboard.write(tmp_path, NAMES, lines, **FACTS, top1=0.5, top5=0.875)
    said = str(leaderboard.check_files(*files_and(files))).splitlines()
    assert said[0] == f"{files.predictions}: valid, 7 images with 5 labels each, from 0 to 11"
    assert said[1:3] == ["its manifest: valid", "  ResNet-18, from scratch"]
    assert "validation top-1 50.0%, top-5 87.5%" in said[-2]
    assert said[-1].startswith("warning: ") and "the label 9 2 times" in said[-1]


def test_the_guides_example_works(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    names = {"names": NAMES, "lines": LINES, "train_labels": LABELS, "top1": 0.5, "top5": 0.8}
    exec(compile(code, str(GUIDE), "exec"), names)
    assert "valid, 7 images" in capsys.readouterr().out

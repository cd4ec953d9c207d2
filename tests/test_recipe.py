"""The recipe for miniPlaces in the sixth lesson, on a few drawn photographs and without a GPU."""

import sys
import types
from pathlib import Path

import pytest
import torch

from autograder.authoring import lesson, regions
from autograder.leaderboard import check_files
from autograder.places import scenes, weights
from autograder.places.labels import read_labels
from autograder.places.packing import pack
from benchmarks.resnet18 import ResNet18

ROOT = Path(__file__).parents[1]
LESSON = ROOT / "source/6-miniplaces/miniplaces.py"
HOME = ("recipe", "miniplaces")


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A folder with packed images, and stand-ins for what comes from the network."""
    scenes.write(tmp_path, {"train": 12, "val": 6}, size=32, progress=False)
    for split in ("train", "val"):
        labels = read_labels(tmp_path / f"{split}.txt")
        pack(labels, tmp_path / "images", tmp_path / "data/packed" / split, workers=1)
    torchvision = types.ModuleType("torchvision.models")
    torchvision.resnet18 = ResNet18
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", torchvision)
    monkeypatch.setattr(weights, "pretrained", lambda name: IMAGENET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


IMAGENET = {
    name: value
    for name, value in ResNet18(num_classes=1000).state_dict().items()
    if not name.endswith("num_batches_tracked")
}


def run(epochs):
    """Runs the lesson as its reference, but for its tests and for what is at the desk."""
    names = {}
    for cell in lesson.read(LESSON.read_text(encoding="utf-8"), LESSON.name):
        role, mark = (cell.marker.role, cell.marker.id) if cell.marker else ("", "")
        if cell.type == "markdown" or role == "test" or (role == "home" and mark not in HOME):
            continue
        source = regions.without_delimiters(cell.source).replace("%pip", "# %pip")
        exec(compile(source, LESSON.name, "exec"), names)
        if mark == "recipe":
            names |= {"BATCH": 4, "EPOCHS": epochs, "CHECKPOINT": Path("resnet18.pt")}
    return names


def test_it_trains_writes_a_valid_file_and_goes_on_after_a_disconnect(places, capsys):
    first = run(epochs=1)
    assert "epoch 1" in (said := "".join(capsys.readouterr())) and "epoch 2" not in said
    report = check_files("predictions.txt", places / "val.txt")
    assert report.images == 6
    second = run(epochs=2)
    assert "epoch 2" in (said := "".join(capsys.readouterr())) and "epoch 1" not in said
    before, after = (found["net"].state_dict() for found in (first, second))
    assert not torch.equal(before["fc.weight"], after["fc.weight"])
    assert after["bn1.num_batches_tracked"] == 6

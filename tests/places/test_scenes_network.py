import importlib.resources
import sys

import numpy as np
import pytest
import torch

from autograder.places import scenes
from autograder.places.scenes import pretrain
from autograder.places.scenes.resnet import BasicBlock, SmallResNet, load
from autograder.places.scenes.weights import FILE


@pytest.fixture(scope="module")
def trained():
    net = SmallResNet(len(scenes.PRETRAINING))
    load(net, scenes.pretrained(head=True))
    return net.eval()


@pytest.fixture(scope="module")
def unseen():
    return scenes.dataset("test", 120, classes=scenes.PRETRAINING, progress=False)


def test_the_network_is_as_small_as_it_says():
    net = SmallResNet(12)
    assert sum(parameter.numel() for parameter in net.parameters()) == 696_876
    maps = net.features(torch.zeros(2, 3, 64, 64))
    assert maps.shape == (2, 128, 8, 8)
    assert torch.allclose(net(torch.zeros(2, 3, 64, 64)), net.fc(maps.mean((2, 3))))


def test_a_block_that_adds_nothing_is_a_relu():
    block = BasicBlock(4, 4, 1).eval()
    torch.nn.init.zeros_(block.bn2.weight)
    x = torch.randn(2, 4, 5, 6)
    assert torch.equal(block(x), torch.relu(x))


def test_names_are_torchvisions():
    names = set(scenes.pretrained(head=True))
    assert {"conv1.weight", "bn1.running_var", "layer1.0.conv1.weight", "fc.bias"} <= names
    assert {"layer2.0.downsample.0.weight", "layer3.1.bn2.running_mean"} <= names
    assert not any(name.startswith("fc.") for name in scenes.pretrained())


def test_the_file_is_small_and_needs_no_pickle():
    path = importlib.resources.files("autograder.places.scenes").joinpath(FILE)
    assert path.stat().st_size < 2 * 10**6
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    assert all(array.dtype == np.float16 and np.isfinite(array).all() for array in arrays.values())


def test_who_changes_a_weight_changes_no_other_ones():
    scenes.pretrained()["conv1.weight"][:] = 7
    assert abs(scenes.pretrained()["conv1.weight"]).max() < 7


def test_it_tells_the_pretraining_classes_apart(trained, unseen):
    y = torch.from_numpy(unseen.labels)
    assert pretrain.accuracy(trained, pretrain.normalized(unseen.images), y) > 0.94


def test_a_forgotten_normalization_is_seen(trained, unseen):
    y = torch.from_numpy(unseen.labels)
    pixels = torch.from_numpy(unseen.images).permute(0, 3, 1, 2).float()
    assert pretrain.accuracy(trained, pixels, y) < 0.5
    assert pretrain.accuracy(trained, pixels / 255, y) < 0.9


def test_mean_and_deviation_are_those_of_the_scenes(unseen):
    pixels = unseen.images.reshape(-1, 3) / 255
    assert pixels.mean(axis=0) == pytest.approx(scenes.MEAN, abs=0.05)
    assert pixels.std(axis=0) == pytest.approx(scenes.STD, abs=0.05)


def test_load_refuses_other_names():
    weights = scenes.pretrained(head=True)
    with pytest.raises(RuntimeError, match=r"conv1\.weight"):
        load(SmallResNet(12), {k: v for k, v in weights.items() if k != "conv1.weight"})
    with pytest.raises(RuntimeError, match="size mismatch"):
        load(SmallResNet(7), weights)


def test_training_again_writes_the_same_file(tmp_path, monkeypatch, capsys):
    deterministic, threads = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
    files = []
    for name in ("one.npz", "two.npz"):
        argv = ["pretrain", "--images", "128", "--epochs", "1", "--into", str(tmp_path / name)]
        monkeypatch.setattr(sys, "argv", argv)
        monkeypatch.setattr(pretrain, "_VALIDATION", 12)
        try:
            pretrain.main()
        finally:
            torch.use_deterministic_algorithms(deterministic)
            torch.set_num_threads(threads)
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1]
    assert "of 12 validation images" in capsys.readouterr().out

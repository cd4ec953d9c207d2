"""Trains the small network on the pretraining classes and writes ``pretrained.npz``.

python -m autograder.places.scenes.pretrain

One thread, one seed, no operation whose order may change: on one machine with one version of
PyTorch the same file again. It takes about three minutes of a CPU.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from autograder.places.scenes.classes import PRETRAINING
from autograder.places.scenes.dataset import dataset
from autograder.places.scenes.resnet import SmallResNet, load
from autograder.places.scenes.weights import FILE, MEAN, STD

_IMAGES, _VALIDATION = 6000, 480
_EPOCHS, _BATCH = 6, 64
_RATE, _MOMENTUM, _DECAY = 0.1, 0.9, 5e-4
_SHIFT = 4  # pixels that a picture is moved by at most


def normalized(images: NDArray[np.uint8]) -> Tensor:
    """(N, H, W, 3) pixels as the network takes them: (N, 3, H, W) float32."""
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    return ((x - mean) / std).contiguous(memory_format=torch.channels_last)


def train(net: nn.Module, x: Tensor, y: Tensor, epochs: int) -> None:
    """Stochastic gradient descent whose rate rises for a fifth of the steps and then falls."""
    optimizer = torch.optim.SGD(
        net.parameters(), _RATE, _MOMENTUM, weight_decay=_DECAY, nesterov=True
    )
    steps = epochs * (len(x) // _BATCH)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, steps, pct_start=0.2)
    net.train()
    for images, labels in _batches(x, y, epochs):
        loss = functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        rate.step()


def accuracy(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """The share of pictures whose class has the highest score."""
    net.eval()
    with torch.no_grad():
        said = torch.cat([net(batch).argmax(1) for batch in torch.split(x, _BATCH)])
    return float((said == y).double().mean())


def _batches(x: Tensor, y: Tensor, epochs: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Pictures in a new order each epoch, half of them mirrored, each batch moved a little."""
    for _ in range(epochs):
        for chosen in torch.split(torch.randperm(len(x)), _BATCH):
            if len(chosen) == _BATCH:
                yield _moved(x[chosen]), y[chosen]


def _moved(x: Tensor) -> Tensor:
    mirrored = torch.rand(len(x), 1, 1, 1) < 0.5
    x = functional.pad(torch.where(mirrored, x.flip(3), x), (_SHIFT,) * 4)
    down, right = torch.randint(2 * _SHIFT + 1, (2,)).tolist()
    height, width = (side - 2 * _SHIFT for side in x.shape[2:])
    moved = x[:, :, down : down + height, right : right + width]
    return moved.contiguous(memory_format=torch.channels_last)


def _write(net: nn.Module, path: Path) -> None:
    """Half precision is enough: the accuracy that is printed is of what was written."""
    arrays = {
        name: tensor.half().numpy()
        for name, tensor in net.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    np.savez_compressed(path, allow_pickle=False, **arrays)


def main() -> None:
    """Trains, writes, and says how good it is."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--into", type=Path, default=Path(__file__).with_name(FILE))
    parser.add_argument("--epochs", type=int, default=_EPOCHS)
    parser.add_argument("--images", type=int, default=_IMAGES)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(0)
    seen = dataset("train", arguments.images, classes=PRETRAINING)
    unseen = dataset("val", _VALIDATION, classes=PRETRAINING)
    net = SmallResNet(len(PRETRAINING)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    start = time.process_time()
    train(net, normalized(seen.images), torch.from_numpy(seen.labels), arguments.epochs)
    print(f"{time.process_time() - start:.0f} s of CPU")
    _write(net, arguments.into)
    with np.load(arguments.into, allow_pickle=False) as file:
        load(net, {name: file[name].astype(np.float32) for name in file.files})
    right = accuracy(net, normalized(unseen.images), torch.from_numpy(unseen.labels))
    print(f"{right:.1%} of {_VALIDATION} validation images")


if __name__ == "__main__":
    main()

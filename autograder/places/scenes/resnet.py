"""A residual network for pictures of 64×64, small enough to be trained on a CPU in minutes.

K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016,
with basic blocks, three stages and torchvision's names of parameters. The last stage keeps the
size of its maps, 8×8, so that one can see where a class was found.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (32, 64, 128)
STRIDES = (1, 2, 1)
BLOCKS = 2  # a stage


class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a way around them: (N, C, H, W) to (N, C', H/stride, W/stride)."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels != width:
            shortcut = nn.Conv2d(channels, width, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """What the block adds to its input, and that."""
        out = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(out)) + self.downsample(x))


class SmallResNet(nn.Module):
    """(N, 3, 64, 64) to scores (N, num_classes); ``features`` gives the maps (N, 128, 8, 8)."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(WIDTHS[0], WIDTHS[0], STRIDES[0])
        self.layer2 = _stage(WIDTHS[0], WIDTHS[1], STRIDES[1])
        self.layer3 = _stage(WIDTHS[1], WIDTHS[2], STRIDES[2])
        self.fc = nn.Linear(WIDTHS[2], num_classes)

    def features(self, x: Tensor) -> Tensor:
        """The maps before they are averaged."""
        x = self.maxpool(functional.relu(self.bn1(self.conv1(x))))
        maps: Tensor = self.layer3(self.layer2(self.layer1(x)))
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes."""
        scores: Tensor = self.fc(self.features(x).mean((2, 3)))
        return scores


def _stage(channels: int, width: int, stride: int) -> nn.Sequential:
    first = BasicBlock(channels, width, stride)
    return nn.Sequential(first, *(BasicBlock(width, width, 1) for _ in range(BLOCKS - 1)))


def load(net: nn.Module, weights: Mapping[str, object]) -> None:
    """Puts arrays into a network's parameters and buffers of the same names.

    Raises:
        RuntimeError: torch's, where names or shapes differ. The count of batches that a batch
            norm has seen may be missing: it changes nothing.
    """
    given = {name: torch.as_tensor(array) for name, array in weights.items()}
    counts = {name: buffer for name, buffer in net.named_buffers() if name.endswith("_tracked")}
    net.load_state_dict(counts | given)

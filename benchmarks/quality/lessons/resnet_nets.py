"""Residual networks as the fifth lesson's text describes them, to hold students' ones against."""

from typing import Any

import torch
from torch import nn

COUNTS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


class Block(nn.Module):
    """Convolutions with a batch norm each, and a shortcut beside them.

    Args:
        c_in: channels that come in.
        plan: kernel size, channels and stride of each convolution.
        skip: whether there is a shortcut.
    """

    def __init__(self, c_in: int, plan: list[tuple[int, int, int]], skip: bool = True) -> None:
        super().__init__()
        self.depth, self.skip, before, scale = len(plan), skip, c_in, 1
        for number, (k, after, stride) in enumerate(plan, 1):
            conv = nn.Conv2d(before, after, k, stride, k // 2, bias=False)
            self.add_module(f"conv{number}", conv)
            self.add_module(f"bn{number}", nn.BatchNorm2d(after))
            before, scale = after, scale * stride
        if skip and (c_in, scale) != (before, 1):
            conv = nn.Conv2d(c_in, before, 1, scale, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(before))

    def forward(self, x: Any) -> Any:
        """Maps to maps."""
        h = x
        for number in range(1, self.depth + 1):
            h = self.get_submodule(f"bn{number}")(self.get_submodule(f"conv{number}")(h))
            if number < self.depth:
                h = torch.relu(h)
        if self.skip:
            shortcut = self._modules.get("downsample")
            h = h + (shortcut(x) if shortcut else x)
        return torch.relu(h)


class Basic(Block):
    """The basic block."""

    def __init__(self, c_in: int, channels: int, stride: int = 1, skip: bool = True) -> None:
        super().__init__(c_in, [(3, channels, stride), (3, channels, 1)], skip)


class Deep(Block):
    """The bottleneck."""

    def __init__(self, c_in: int, channels: int, stride: int = 1) -> None:
        plan = [(1, channels, 1), (3, channels, stride), (1, 4 * channels, 1)]
        super().__init__(c_in, plan)


class Residual(nn.Module):
    """ResNet of all five depths."""

    def __init__(self, depth: int, num_classes: int = 1000, width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        make, wider = (Deep, 4) if depth >= 50 else (Basic, 1)
        c_in = width
        for number, count in enumerate(COUNTS[depth]):
            blocks = []
            for place in range(count):
                channels, first = width << number, place == 0
                blocks.append(make(c_in, channels, 2 if first and number else 1))
                c_in = wider * channels
            self.add_module(f"layer{number + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x: Any) -> Any:
        """Images to scores."""
        h = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for number in range(1, 5):
            h = self.get_submodule(f"layer{number}")(h)
        return self.fc(nn.functional.adaptive_avg_pool2d(h, 1).flatten(1))

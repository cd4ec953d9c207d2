"""Draws what a network looks at: class activation maps of the package's own small ResNet.

python docs/images/attention.py
"""

from pathlib import Path

import torch

from autograder.places import scenes
from autograder.places.scenes.pretrain import normalized
from autograder.places.scenes.resnet import SmallResNet, load
from autograder.show import Picture, attention, png

HERE = Path(__file__).parent
SEED = 50  # a seed with bright days


def looked_at() -> Picture:
    """A scene of each class that the network was trained on, as it sees the right class in it."""
    some = scenes.dataset("val", 12, seed=SEED, classes=scenes.PRETRAINING, progress=False)
    net = SmallResNet(12).eval()
    load(net, scenes.pretrained(head=True))
    with torch.no_grad():
        maps = net.features(normalized(some.images))
        cams = torch.einsum("nchw,nc->nhw", maps, net.fc.weight[torch.tensor(some.labels)])
    names = [scenes.PRETRAINING[label][3:].replace("_", " ") for label in some.labels]
    return attention(some.images, cams, some.masks, names)


if __name__ == "__main__":
    (HERE / "attention.png").write_bytes(png(looked_at()))

"""How fast does a ResNet-18 learn? A tuned training loop beside a plain one, and the model alone.

The plain loop decodes and augments one JPEG after the other in the workers of a
`torch.utils.data.DataLoader` and computes in float32. The tuned one gathers whole batches from a
packed set, augments them together on the device, and computes in half precision with the channels
last. The model alone learns from one batch that is already on the device: no loop can be faster.

On a GPU the clock on the wall counts. On a CPU processor time does, that of loading processes
included, with one thread: so waiting for a core that others keep busy does not count.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np
import psutil
import torch
from PIL import Image
from resnet18 import ResNet18
from tabulate import tabulate
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, RandomSampler
from tqdm import tqdm

from autograder.places import Packed, scenes
from autograder.places.packing import pack

SIZE = 128
CLASSES = 100
WORKERS = 2  # what a free Colab machine has cores
PAD = 8  # a random crop moves an image by up to so many pixels
MEAN = torch.tensor(scenes.MEAN, dtype=torch.float32)
STD = torch.tensor(scenes.STD, dtype=torch.float32)

Batches = Iterator[tuple[Tensor, Tensor]]


class Jpegs(Dataset):
    """Decodes, moves, flips and normalizes one image at a time, as transforms of Pillow do."""

    def __init__(self, folder: Path, labels: dict[str, int]) -> None:
        self.folder, self.labels = folder, list(labels.items())

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        name, label = self.labels[row]
        y, x, flip = *torch.randint(2 * PAD + 1, (2,)).tolist(), torch.rand(()) < 0.5
        with Image.open(self.folder / name) as image:
            return one_augmented(image, y, x, bool(flip)), label


def one_augmented(image: Image.Image, y: int, x: int, flip: bool) -> Tensor:
    """(3, H, W): the part of an image with a black border of `PAD` that begins at (y, x)."""
    part = image.convert("RGB").crop((x - PAD, y - PAD, x - PAD + SIZE, y - PAD + SIZE))
    if flip:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = torch.from_numpy(np.array(part)).permute(2, 0, 1).contiguous().float().div(255)
    return pixels.sub_(MEAN[:, None, None]).div_(STD[:, None, None])


def all_augmented(
    images: Tensor, corners: Tensor, flips: Tensor, mean: Tensor, std: Tensor
) -> Tensor:
    """The same for a batch, on its device: (N, H, W, 3) uint8 to (N, 3, H, W), channels last.

    Args:
        images: the batch.
        corners: (N, 2), each image's y and x.
        flips: (N,) bool.
        mean: (3,) of the channels; like ``std`` it is on the device already, since to copy it from
            the host would wait until the GPU has done all that it was told to.
        std: (3,).
    """
    device = images.device
    padded = functional.pad(images, (0, 0, PAD, PAD, PAD, PAD))
    steps = torch.arange(SIZE, device=device)
    rows = corners[:, :1] + steps
    columns = corners[:, 1:] + torch.where(flips[:, None], steps.flip(0), steps)
    each = torch.arange(len(images), device=device)[:, None, None]
    parts = padded[each, rows[:, :, None], columns[:, None, :]]
    return parts.float().sub_(255 * mean).div_(255 * std).permute(0, 3, 1, 2)


class Learner:
    """A fresh ResNet-18 and a step of its training; ``tuned`` is half precision, channels last."""

    def __init__(self, device: torch.device, tuned: bool) -> None:
        torch.manual_seed(0)
        self.device = device
        order = torch.channels_last if tuned else torch.contiguous_format
        self.model = ResNet18(CLASSES).to(device, memory_format=order)
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.01, momentum=0.9)
        half = half_precision(device)
        self.autocast = partial(torch.autocast, device.type, half, enabled=tuned)
        scaled = tuned and half == torch.float16
        self.scaler = torch.amp.GradScaler(device.type, enabled=scaled)

    def step(self, x: Tensor, y: Tensor) -> None:
        """One update."""
        self.optimizer.zero_grad()
        with self.autocast():
            loss = functional.cross_entropy(self.model(x), y)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()


def half_precision(device: torch.device) -> torch.dtype:
    """What the device computes fast with: bfloat16, but on GPUs older than Ampere float16."""
    old = device.type == "cuda" and torch.cuda.get_device_capability(device) < (8, 0)
    return torch.float16 if old else torch.bfloat16


@dataclass(frozen=True)
class Way:
    """A row of the table.

    Attributes:
        name: of the row.
        learner: what it trains.
        batches: begins a new, endless sequence of batches on the learner's device.
        alone: the row of the same model without loading, if there is one.
    """

    name: str
    learner: Learner
    batches: Callable[[], Batches]
    alone: str = ""


def plain_batches(files: Jpegs, batch: int, device: torch.device) -> Batches:
    """From JPEG files, image by image, in `WORKERS` processes."""
    # One epoch without an end: a short one would make the workers start again and again.
    endless = RandomSampler(files, replacement=True, num_samples=10**9 // batch * batch)
    for x, y in DataLoader(files, batch, sampler=endless, num_workers=WORKERS):
        yield x.to(device), y.to(device)


def tuned_batches(packed: Packed, batch: int, device: torch.device) -> Batches:
    """From a packed set, a whole batch at a time."""
    pinned, mean, std = device.type == "cuda", MEAN.to(device), STD.to(device)
    rng = np.random.default_rng(0)
    shape = (batch, *packed.images.shape[1:])
    while True:
        order = rng.permutation(len(packed))
        for start in range(0, len(order) - batch + 1, batch):
            # Not the same tensor again: the last one may still be on its way to the GPU.
            images = torch.empty(shape, dtype=torch.uint8, pin_memory=pinned)
            _, labels = packed.batch(order[start : start + batch], out=images.numpy())
            y = torch.from_numpy(labels)
            y = y.pin_memory() if pinned else y
            corners = torch.randint(2 * PAD + 1, (batch, 2), device=device)
            flips = torch.rand(batch, device=device) < 0.5
            pixels = images.to(device, non_blocking=True)
            x = all_augmented(pixels, corners, flips, mean, std)
            yield x, y.to(device, non_blocking=True)


def one_batch(batch: int, device: torch.device, tuned: bool) -> Batches:
    """The same random batch again and again."""
    order = torch.channels_last if tuned else torch.contiguous_format
    x = torch.randn(batch, 3, SIZE, SIZE, device=device).contiguous(memory_format=order)
    return repeat((x, torch.randint(CLASSES, (batch,), device=device)))


def ways(root: Path, labels: dict[str, int], batch: int, device: torch.device) -> list[Way]:
    """All rows; the first is the peer."""
    half = str(half_precision(device)).removeprefix("torch.")
    alone = {False: "the model alone, float32", True: f"the model alone, channels last, {half}"}
    plain, tuned = Learner(device, tuned=False), Learner(device, tuned=True)
    files, packed = Jpegs(root, labels), Packed(root / "packed")
    jpegs = partial(plain_batches, files, batch, device)
    gathered = partial(tuned_batches, packed, batch, device)
    name = f"JPEGs one by one, DataLoader, {WORKERS} workers; float32"
    return [
        Way(name, plain, jpegs, alone[False]),
        # Every layer takes over the order of what comes in, so it is not the plain model any more.
        Way("packed, batch-wise; channels last, float32", plain, gathered),
        Way(f"packed, batch-wise; channels last, {half}", tuned, gathered, alone[True]),
        Way(alone[False], plain, partial(one_batch, batch, device, tuned=False)),
        Way(alone[True], tuned, partial(one_batch, batch, device, tuned=True)),
    ]


def take_turns(all_: Sequence[Way], seconds: float, rounds: int) -> dict[str, list[float]]:
    """Images a second, for each way in each round; ``seconds`` are those of all turns together."""
    speeds: dict[str, list[float]] = {way.name: [] for way in all_}
    for way in all_:
        turn(way, 0)  # the first steps of all choose algorithms and allocate
    for _ in tqdm(range(rounds), "rounds", disable=None, leave=False):
        for way in all_:
            speeds[way.name].append(turn(way, seconds / rounds / len(all_)))
    return speeds


def turn(way: Way, seconds: float) -> float:
    """Images a second, measured for as long and at least for a step."""
    batches = way.batches()
    way.learner.step(*next(batches))  # warms up; does not count
    used, images = spent(way.learner.device), 0
    end = perf_counter() + seconds
    while not images or perf_counter() < end:
        x, y = next(batches)
        way.learner.step(x, y)
        images += len(x)
    return images / (spent(way.learner.device) - used)


def spent(device: torch.device) -> float:
    """Seconds so far: on the wall once a GPU has done all it was told to, or of processors."""
    if device.type == "cuda":
        torch.cuda.synchronize()
        return perf_counter()
    loading = (child.cpu_times() for child in psutil.Process().children())
    return process_time() + sum(times.user + times.system for times in loading)


def draw(root: Path, count: int) -> tuple[dict[str, int], float]:
    """Scenes as JPEG files and as a packed set; their labels, and kilobytes a file."""
    drawn = scenes.dataset("train", count, size=SIZE, progress=sys.stderr.isatty())
    labels, size = {}, 0
    for k, (pixels, label) in enumerate(zip(drawn.images, drawn.labels, strict=True)):
        name = f"{k:08d}.jpg"
        Image.fromarray(pixels).save(root / name, quality=90)
        size += (root / name).stat().st_size
        labels[name] = int(label)
    pack(labels, root, root / "packed", workers=1)
    return labels, size / count / 1000


def require_agreement(root: Path, labels: dict[str, int], device: torch.device) -> None:
    """Both ways have to give the same numbers: raises AssertionError where they do not."""
    count = min(8, len(labels))
    images = torch.from_numpy(Packed(root / "packed").batch(range(count))[0]).to(device)
    corners = torch.randint(2 * PAD + 1, (count, 2))
    flips = torch.arange(count) % 2 == 0
    moved = (tensor.to(device) for tensor in (corners, flips, MEAN, STD))
    batch = all_augmented(images, *moved).cpu()
    for name, got, (y, x), flip in zip(labels, batch, corners.tolist(), flips, strict=False):
        with Image.open(root / name) as image:
            want = one_augmented(image, y, x, bool(flip))
        torch.testing.assert_close(got, want, rtol=0, atol=1e-4)


def table(all_: Sequence[Way], speeds: dict[str, list[float]]) -> str:
    """Speeds, and their ratios within a round."""
    peer = speeds[all_[0].name]
    rows = []
    for way in all_:
        mine = speeds[way.name]
        share = f"{ratio(mine, speeds[way.alone]):.0%}" if way.alone else ""
        rows.append([way.name, f"{median(mine):,.1f}", f"{ratio(mine, peer):.2f}", share])
    headers = ["training", "images/s", "over the\nplain loop", "of the model\nalone"]
    align = ("left", "right", "right", "right")
    return tabulate(rows, headers, colalign=align, disable_numparse=True)


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median of the ratios within each round."""
    return median(a / b for a, b in zip(above, below, strict=True))


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", help="cpu or cuda; by default a GPU if there is one")
    parser.add_argument(
        "--seconds", type=float, default=120, help="for all measuring; default: %(default)s"
    )
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--batch", type=int, default=64, help="default: %(default)s")
    parser.add_argument("--images", type=int, default=1024, help="default: %(default)s")
    parser.add_argument(
        "--quick", action="store_true", help="one step of each, eight images a step: says nothing"
    )
    options = parser.parse_args(argv)
    if options.quick:
        options.seconds, options.rounds, options.batch, options.images = 0, 1, 8, 24
    if options.batch > options.images:
        parser.error("--batch is more than --images")
    options.device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    return options


def about(device: torch.device) -> str:
    """The device in words, and which seconds were counted."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, {os.cpu_count()} cores; time on the wall"
    capability = torch.backends.cpu.get_cpu_capability()
    return f"one thread of a CPU with {capability}; processor time"


def main(argv: Sequence[str] | None = None) -> int:
    """Draws images, trains in all ways by turns, prints one table."""
    options = arguments(argv)
    device = torch.device(options.device)
    torch.backends.cudnn.benchmark = True  # all batches have one size
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        labels, kilobytes = draw(root, options.images)
        require_agreement(root, labels, device)
        all_ = ways(root, labels, options.batch, device)
        speeds = take_turns(all_, options.seconds, options.rounds)
    print(table(all_, speeds))
    print(
        f"\nResNet-18, {options.images:,} images of {SIZE}×{SIZE} pixels ({kilobytes:.1f} kB a "
        f"JPEG), batches of {options.batch};\nmedian of {options.rounds} rounds in "
        f"{options.seconds:g} s; torch {torch.__version__};\n{about(device)}."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

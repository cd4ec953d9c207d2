"""How fast do batches arrive? A packed set against a `torch.utils.data.DataLoader` over JPEGs.

All load the same images in a random order as uint8, with nothing done to them, and take turns, so
that whatever else the machine does in the meantime slows all of them alike.
"""

import os

# The libraries read these when they are loaded, hence before their imports.
os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from PIL import Image
from tabulate import tabulate
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from autograder import show
from autograder.places.labels import write_labels
from autograder.places.packed import Packed

SIZE = 128
BATCH = 256
WORKERS = 2  # what a free Colab machine has cores

Images = np.ndarray


class Jpegs(Dataset):
    """Decodes a file for each image, as `torchvision.datasets.ImageFolder` does with Pillow."""

    def __init__(self, folder: Path, labels: dict[str, int]) -> None:
        self.folder, self.labels = folder, list(labels.items())

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[Images, int]:
        name, label = self.labels[row]
        with Image.open(self.folder / name) as image:
            return np.array(image.convert("RGB")), label


class Rows(Dataset):
    """A packed set an image at a time, as a `DataLoader` would have it."""

    def __init__(self, packed: Packed) -> None:
        self.packed = packed

    def __len__(self) -> int:
        return len(self.packed)

    def __getitem__(self, row: int) -> tuple[Images, int]:
        images, labels = self.packed.batch([row])
        return images[0], int(labels[0])


def main(argv: Sequence[str] | None = None) -> int:
    """Generates images, loads them in all ways, prints one table."""
    options = _options(argv)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        labels, kilobytes = _generate(root, options.images)
        packing = options.images / _packed(root, labels)
        speeds = _measured(_ways(root, labels), options.rounds)
    print(_table(speeds))
    print(
        f"\n{options.images:,} JPEGs of {SIZE}×{SIZE} pixels, {kilobytes:.1f} kB each; batches of "
        f"{BATCH}; median of {options.rounds} rounds;\ntorch {torch.__version__}, NumPy "
        f"{np.__version__}; {os.cpu_count()} cores. Packing them, once: {packing:,.0f} images/s "
        f"with {WORKERS} processes."
    )
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=8192, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="2,048 images, three rounds")
    options = parser.parse_args(argv)
    if options.quick:
        options.images, options.rounds = 2048, 3
    return options


def _generate(root: Path, count: int) -> tuple[dict[str, int], float]:
    """Crops of the course's photograph, enlarged: about as hard to decode as photographs are."""
    photograph = Image.fromarray(np.uint8(show.photograph().transpose(1, 2, 0) * 255))
    rng = np.random.default_rng(0)
    labels: dict[str, int] = {}
    size = 0
    for k in tqdm(range(count), desc="generating", disable=None, leave=False):
        side = int(rng.integers(64, 128))
        x, y = (int(rng.integers(0, room - side)) for room in photograph.size)
        crop = photograph.crop((x, y, x + side, y + side)).resize((SIZE, SIZE))
        noise = rng.normal(0, 4, (SIZE, SIZE, 1))
        pixels = (np.asarray(crop, np.float64) + noise).clip(0, 255).astype(np.uint8)
        name = f"{k:08d}.jpg"
        Image.fromarray(pixels).save(root / name, quality=85)
        size += (root / name).stat().st_size
        labels[name] = k % 100
    return labels, size / count / 1000


def _packed(root: Path, labels: dict[str, int]) -> float:
    """Seconds for packing, as a command: from its start to its end."""
    write_labels(root / "all.txt", labels)
    files = [str(root / "all.txt"), "--images", str(root), "--into", str(root)]
    command = [sys.executable, "-m", "autograder.cli", "places", "pack", *files]
    started = perf_counter()
    subprocess.run([*command, "--workers", str(WORKERS)], check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - started


def _ways(root: Path, labels: dict[str, int]) -> dict[str, Callable[[], int]]:
    packed, rng = Packed(root / "all"), np.random.default_rng(0)

    def loader(data: Dataset, workers: int) -> Callable[[], int]:
        made = DataLoader(data, BATCH, shuffle=True, num_workers=workers)
        return lambda: sum(len(x) for x, _ in made)

    def gathered() -> int:
        return sum(len(torch.from_numpy(x)) for x, _ in packed.batches(BATCH, rng))

    return {
        f"JPEGs, DataLoader, {WORKERS} workers": loader(Jpegs(root, labels), WORKERS),
        "JPEGs, DataLoader, no worker": loader(Jpegs(root, labels), 0),
        "packed, an image at a time, DataLoader, no worker": loader(Rows(packed), 0),
        "packed, whole batches": gathered,
    }


def _measured(ways: dict[str, Callable[[], int]], rounds: int) -> dict[str, list[float]]:
    """Images a second, for each way in each round."""
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in tqdm(range(rounds), desc="rounds", disable=None, leave=False):
        for name, load in ways.items():
            started = perf_counter()
            count = load()
            speeds[name].append(count / (perf_counter() - started))
    return speeds


def _table(speeds: dict[str, list[float]]) -> str:
    peer = next(iter(speeds.values()))
    rows = [
        [name, f"{median(all_):,.0f}", f"{_ratio(all_, peer):.2f}"] for name, all_ in speeds.items()
    ]
    headers = ["loading", "images/s", f"over DataLoader,\n{WORKERS} workers"]
    return tabulate(rows, headers, colalign=("left", "right", "right"), disable_numparse=True)


def _ratio(speeds: Sequence[float], peer: Sequence[float]) -> float:
    """The median over rounds of the ratio within a round."""
    return median(mine / other for mine, other in zip(speeds, peer, strict=True))


if __name__ == "__main__":
    sys.exit(main())

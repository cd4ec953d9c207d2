from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
MINIPLACES = REPOSITORY.parent / "shared" / "miniplaces"


@pytest.fixture(scope="session")
def samples() -> Path:
    return REPOSITORY / "tests" / "predictions"


@pytest.fixture(scope="session")
def miniplaces() -> Path:
    if not MINIPLACES.is_dir():
        pytest.skip("miniPlaces' label files are not in ../shared/miniplaces")
    return MINIPLACES


@pytest.fixture(scope="session")
def truth() -> dict[str, int]:
    return {f"val/{k:08d}.jpg": 7 * k % 100 for k in range(1, 13)}


@pytest.fixture(scope="session")
def written() -> Callable[[Mapping[str, Sequence[int]]], bytes]:
    """The official form of predictions."""

    def write(predictions: Mapping[str, Sequence[int]]) -> bytes:
        rows = (" ".join([name, *map(str, labels)]) for name, labels in predictions.items())
        return "".join(f"{row}\n" for row in rows).encode()

    return write

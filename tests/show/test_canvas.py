import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib import colormaps, pyplot
from matplotlib.figure import Figure
from PIL import Image

from autograder import show
from autograder.show.canvas import PALETTE, SIGNED, tint

PICTURES = {
    "bars": lambda: show.bars(["a", "b"], [1, 20]),
    "columns": lambda: show.columns(np.eye(2), np.ones((2, 2)), (1, 2)),
    "error_map": lambda: show.error_map(np.eye(3), np.ones((3, 3))),
    "groups": lambda: show.groups(32, 16, 4),
    "images": lambda: show.images([show.photograph(), show.photograph(gray=True)]),
    "matrix": lambda: show.matrix(np.eye(3), r"$\hat{W}$"),
    "receptive_field": lambda: show.receptive_field([(3, 1), (3, 2, 2)]),
    "scatter": lambda: show.scatter(np.eye(2), np.eye(2), np.eye(3), at=[(0, 0), (0, 1)]),
    "sliding_window": lambda: show.sliding_window(np.eye(3), np.eye(2), np.ones((2, 2))),
    "volumes": lambda: show.volumes((3, 32, 32), (6, 3, 5, 5), (6, 28, 28)),
    "window_positions": lambda: show.window_positions((7, 5), 3, 2, 1),
}


def test_every_picture_is_tried():
    """Here, or in a file of its own beside this one."""
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    called = {name for text in texts for name in re.findall(r"\b(\w+)\(", text)}
    assert set(show.__all__) - set(PICTURES) - called == {"Picture"}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_a_figure_that_pyplot_does_not_hold(name):
    figure = PICTURES[name]()
    assert isinstance(figure, Figure)
    assert pyplot.get_fignums() == []


@pytest.mark.parametrize("name", PICTURES)
def test_a_notebook_shows_a_picture_as_one_png_no_wider_than_its_column(name):
    data, _ = DisplayFormatter().format(PICTURES[name]())
    assert [kind for kind in data if kind != "text/plain"] == ["image/png"]
    image = Image.open(BytesIO(data["image/png"]))
    assert image.width <= 950
    assert np.asarray(image.convert("L")).std() > 5  # something is drawn
    assert pyplot.get_fignums() == []


def test_png_is_repeatable_and_grows_with_dpi():
    once, again = (show.png(show.error_map(np.eye(3), np.zeros((3, 3)))) for _ in range(2))
    assert once == again
    large = show.png(show.error_map(np.eye(3), np.zeros((3, 3))), dpi=200)
    ratio = Image.open(BytesIO(large)).width / Image.open(BytesIO(once)).width
    assert ratio == pytest.approx(2, rel=0.05)


def test_tint_goes_from_white_to_the_colour():
    assert tint("#0072B2", 0) == (1, 1, 1)
    assert tint("#0072B2", 1) == pytest.approx((0, 0x72 / 255, 0xB2 / 255))


def test_zero_is_white_in_the_signed_map():
    assert SIGNED(0.5)[:3] == pytest.approx((1, 1, 1), abs=0.01)
    assert SIGNED.name not in colormaps  # no global registration by an import


def test_the_palette_has_no_two_colours_alike():
    assert len(set(PALETTE)) == len(PALETTE)

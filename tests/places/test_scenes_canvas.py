"""What is painted, sample by sample."""

import numpy as np
import pytest

from autograder.places.scenes.air import FAR, NEAR, Air, falling
from autograder.places.scenes.canvas import Canvas
from autograder.places.scenes.dice import Dice
from autograder.places.scenes.shapes import (
    Box,
    Frame,
    Polygon,
    arch,
    box,
    direction,
    disc,
    down,
    line,
    oval,
    plain,
    poly,
    ring,
    round_,
    thin,
    turned,
)

RED, BLUE, WHITE = (200, 0, 0), (0, 0, 240), (255, 255, 255)


def painted(*shapes, size=8, of_object=True):
    canvas = Canvas(size)
    for shape in shapes:
        canvas.paint(shape, lambda colour, glows: colour, of_object)
    return canvas


def area(shape, size=64):
    """The share of the picture that is red."""
    return painted(shape, size=size).image()[..., 0].sum() / 200 / size**2


def test_a_box_fills_its_pixels():
    image = painted(box(0.25, 0.5, 0.75, 1, RED)).image()
    assert (image[4:, 2:6] == RED).all()
    assert image.sum() == 200 * 4 * 4


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_part_of_a_pixel_gets_a_part_of_the_colour(quarter):
    image = painted(box(0, 0, quarter / 4 / 8, 1, RED)).image()
    assert (image[:, 0, 0] == 200 * quarter / 4).all()
    assert not image[:, 1:].any()


def test_a_mean_is_rounded_and_not_cut_off():
    image = painted(box(0, 0, 0.5 / 8, 1, (201, 0, 99))).image()
    assert (image[:, 0] == (101, 0, 50)).all()


def test_half_of_a_pixel_belongs_to_the_mask_and_less_does_not():
    assert painted(box(0, 0, 0.5 / 8, 1, RED)).mask()[:, 0].all()
    assert not painted(box(0, 0, 0.25 / 8, 1, RED)).mask().any()


def test_what_stands_before_the_object_hides_it():
    canvas = painted(box(0, 0, 1, 1, RED))
    canvas.paint(box(0, 0, 0.5, 1, BLUE), lambda colour, glows: colour)
    assert not canvas.mask()[:, :4].any()
    assert canvas.mask()[:, 4:].all()
    canvas.paint(box(0, 0, 1, 1, thin(BLUE, 8)), lambda colour, glows: colour)
    assert canvas.mask()[:, 4:].all()  # it is seen through what is thin


@pytest.mark.parametrize("opacity", [1, 5, 8, 15, 16])
def test_a_thin_shape_takes_some_of_every_pixel(opacity):
    image = painted(box(0, 0, 1, 1, WHITE), box(0, 0, 1, 1, thin((15, 15, 15), opacity))).image()
    assert (image == 255 - 15 * opacity).all()


def test_a_thin_shape_is_no_part_of_the_object():
    assert not painted(box(0, 0, 1, 1, thin(RED, 15))).mask().any()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (poly(RED, (0.1, 0.1), (0.9, 0.1), (0.1, 0.9)), 0.32),
        (poly(RED, (0.1, 0.9), (0.9, 0.1), (0.1, 0.1)), 0.32),  # the other way around
        (poly(RED, (0, 0), (1, 0), (1, 1), (0.5, 0.5), (0, 1)), 0.75),  # not convex
        (poly(RED, (0, 0), (1, 1), (1, 0), (0, 1)), 0.5),  # crosses itself
        (poly(RED, (-1, -1), (2, -1), (2, 2), (-1, 2)), 1.0),  # larger than the picture
        (poly(RED, (2, 2), (3, 2), (3, 3)), 0.0),  # beside it
        (disc(0.5, 0.5, 0.4, RED), 0.16 * np.pi),
        (oval(0.5, 0.5, 0.4, 0.2, RED), 0.08 * np.pi),
        (disc(0, 0, 0.4, RED), 0.04 * np.pi),  # a quarter of it
        (ring(0.5, 0.5, 0.4, 0.1, RED), (0.16 - 0.09) * np.pi),
        (line(RED, 0.1, (0.2, 0.2), (0.8, 0.2)), 0.06),
        (line(RED, 0.1, (0.2, 0.2), (0.7, 0.7)), 0.1 * 0.5 * 2**0.5),
    ],
)
def test_a_shape_has_its_area(shape, expected):
    assert area(shape) == pytest.approx(expected, abs=0.006)


def test_an_upside_down_box_is_a_box():
    upside_down = Box((0.75, 1.0), (0.25, 0.5), plain(RED))
    assert np.array_equal(
        painted(upside_down).image(), painted(box(0.25, 0.5, 0.75, 1, RED)).image()
    )


def test_a_gradient_goes_from_one_colour_to_the_other():
    column = painted(box(0, 0, 1, 1, down((0, 0, 0), (240, 0, 0))), size=16).image()[:, 3, 0]
    assert column == pytest.approx(240 * (np.arange(16) + 0.5) / 16, abs=2)
    row = painted(box(0, 0, 1, 1, round_((200, 200, 200))), size=16).image()[3, :, 1]
    assert (np.diff(row.astype(int)) < 0).all()


def test_a_gradient_that_is_cut_off_does_not_begin_anew():
    above = painted(box(0, -1, 1, 1, down((0, 0, 0), (240, 0, 0)))).image()[0, 0, 0]
    assert above == pytest.approx(120 + 7.5, abs=2)


def test_colours_are_those_of_the_look():
    canvas = Canvas(8)
    canvas.paint(box(0, 0, 1, 1, RED), lambda colour, glows: BLUE if glows else WHITE)
    assert (canvas.image() == WHITE).all()
    canvas.paint(box(0, 0, 1, 1, thin(RED, 16, glows=True)), lambda c, glows: BLUE if glows else c)
    assert (canvas.image() == BLUE).all()


def test_a_frame_stands_a_sheet_into_the_picture():
    frame = Frame(0.5, 0.75, -0.2, 0.5)
    assert frame.point((0, 0)) == (0.5, 0.75)
    assert frame.point((1, 1)) == (0.3, 0.25)
    placed = frame.shape(disc(0, 0.5, 0.1, RED))
    assert placed.centre == (0.5, 0.5) and placed.radii == pytest.approx((0.02, 0.05))
    points = frame.shape(poly(RED, (0, 0), (1, 0), (1, 1))).points
    assert isinstance(frame.shape(poly(RED, (0, 0), (1, 0), (1, 1))), Polygon)
    assert points == ((0.5, 0.75), (0.3, 0.75), (0.3, 0.25))
    assert frame.shape(box(0, 0, 1, 1, RED))[:2] == ((0.5, 0.75), (0.3, 0.25))


def test_a_sheet_may_lie_upside_down():
    assert Frame(0, 0, 1, -1).shape(oval(0.5, 0.25, 0.2, 0.1, RED)) == oval(
        0.5, 0.25, 0.2, 0.1, RED
    )


@pytest.mark.parametrize(
    ("weather", "least"), [("rain", 60), ("snow", 60), ("clear", 0), ("fog", 0)]
)
def test_what_falls_is_seen_all_over_the_picture(weather, least):
    canvas = Canvas(64)
    for shape in falling(Dice(1), Air("day", weather, indoors=False)):
        canvas.paint(shape, lambda colour, glows: colour)
    bright = canvas.image().max(axis=2) > 60
    assert bright.sum() >= least
    assert (not least) == (not bright.any())
    if least:
        assert all(part.any() for part in (bright[:32, :32], bright[32:, :32], bright[:32, 32:]))


def test_rooms_stay_dry():
    assert not list(falling(Dice(1), Air("day", "rain", indoors=True)))


def test_fog_hides_what_is_far_and_night_darkens_all_but_lamps():
    fog, night = Air("day", "fog", indoors=False), Air("night", "clear", indoors=False)
    far, near = (fog.look(depth)(RED, False) for depth in (FAR, NEAR))
    assert far[0] - far[1] < (near[0] - near[1]) / 2
    assert max(night.look(NEAR)(WHITE, False)) < 230
    assert night.look(NEAR)(WHITE, True) == WHITE
    assert Air("day", "clear", indoors=False).look(NEAR)(RED, False) == RED
    assert fog.look(FAR)(RED, True)[1] < fog.look(FAR)(RED, False)[1]  # a lamp is seen further


def test_directions_go_around():
    turns = np.array([direction(angle) for angle in range(-1, 33)])
    angles = np.arange(-1, 33) * 2 * np.pi / 32
    np.testing.assert_allclose(turns, np.stack([np.cos(angles), np.sin(angles)], 1), atol=1e-14)
    assert turned((2, 0), 8) == pytest.approx((0, 2))
    assert list(arch(1, 0, 2, 3))[8] == pytest.approx((1, 3))


def test_dice_are_fair_and_keep_to_their_ranges():
    dice = Dice(5)
    shares = [dice.share() for _ in range(4000)]
    assert 0 <= min(shares) < 0.01 and 0.99 < max(shares) < 1
    assert np.mean(shares) == pytest.approx(0.5, abs=0.02)
    assert np.bincount([dice.below(4) for _ in range(4000)]) == pytest.approx(
        np.full(4, 1000), abs=110
    )
    assert np.mean([dice.chance(0.3) for _ in range(4000)]) == pytest.approx(0.3, abs=0.03)
    assert all(2 <= dice.between(2, 2.5) < 2.5 for _ in range(100))


def test_a_shuffle_has_all_orders_equally_often():
    dice = Dice(6)
    orders = [tuple(dice.shuffled("abc")) for _ in range(3000)]
    assert len(set(orders)) == 6
    assert min(orders.count(order) for order in set(orders)) > 400


def test_dice_of_one_key_fall_alike_and_of_another_do_not():
    one, same, other = (Dice(*key) for key in ((1, 2), (1, 2), (2, 1)))
    assert [one.share() for _ in range(300)] == [same.share() for _ in range(300)]
    assert one.share() != other.share()


def test_the_stream_is_what_pcg64_promises():
    raw = np.random.PCG64(np.random.SeedSequence((1, 2))).random_raw(128)
    assert Dice(1, 2).share() == int(raw[-1] >> np.uint64(11)) / 2**53

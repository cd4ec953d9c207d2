"""Misconceptions of windows that slide over an image, and of computing them all at once."""

from typing import TYPE_CHECKING, Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import boxes as right

if TYPE_CHECKING:
    from torch import Tensor


def _columns_first(image: "Tensor", *, size: int, stride: int) -> "Tensor":
    found = image.unfold(1, size, stride).unfold(2, size, stride)
    return found.permute(2, 1, 0, 3, 4).flatten(0, 1)


def _mirrored_inside(image: "Tensor", *, size: int, stride: int) -> "Tensor":
    return right.windows(image, size=size, stride=stride).transpose(-1, -2)


def _channels_scrambled(image: "Tensor", *, size: int, stride: int) -> "Tensor":
    found = image.unfold(1, size, stride).unfold(2, size, stride)
    return found.reshape(-1, len(image), size, size)


def _last_lost(image: "Tensor", *, size: int, stride: int) -> "Tensor":
    """As with range(0, H - size, stride)."""
    return right.windows(image[:, :-1, :-1], size=size, stride=stride)


WINDOWS = (
    Mistake(
        "columns first",
        "The windows come column by column. Go through a row of windows before the next row.",
        _columns_first,
    ),
    Mistake(
        "last lost",
        "The last row and column of windows are missing: one that ends at the edge still fits.",
        _last_lost,
    ),
    Mistake(
        "stride ignored",
        "The windows move by 1: the stride is not used.",
        lambda image, *, size, stride: right.windows(image, size=size, stride=1),
    ),
    Mistake(
        "side by side",
        "The windows move by their own size; they should move by the stride.",
        lambda image, *, size, stride: right.windows(image, size=size, stride=size),
    ),
    Mistake(
        "channels scrambled",
        "The shape is right but the channels lie in another order: move the axes before you "
        "reshape.",
        _channels_scrambled,
    ),
    Mistake("transposed", "Rows and columns are swapped inside of every window.", _mirrored_inside),
)


def _dense(filters: "Tensor", maps: "Tensor", bias: "Tensor | None", **options: Any) -> "Tensor":
    from torch.nn import functional

    return functional.conv2d(maps, filters, bias, **options)


def _filters(maps: "Tensor", weight: "Tensor", height: int, width: int) -> "Tensor":
    return weight.reshape(len(weight), maps.shape[1], height, width)


def _channels_last(
    maps: "Tensor", weight: "Tensor", bias: "Tensor", *, height: int, width: int
) -> "Tensor":
    filters = weight.reshape(len(weight), height, width, maps.shape[1]).permute(0, 3, 1, 2)
    return _dense(filters, maps, bias)


def _sides_swapped(
    maps: "Tensor", weight: "Tensor", bias: "Tensor", *, height: int, width: int
) -> "Tensor":
    return _dense(_filters(maps, weight, width, height), maps, bias)


def _sides_transposed(
    maps: "Tensor", weight: "Tensor", bias: "Tensor", *, height: int, width: int
) -> "Tensor":
    return _dense(_filters(maps, weight, width, height).transpose(-1, -2), maps, bias)


def _bias_forgotten(
    maps: "Tensor", weight: "Tensor", bias: "Tensor", *, height: int, width: int
) -> "Tensor":
    return _dense(_filters(maps, weight, height, width), maps, None)


def _flipped(
    maps: "Tensor", weight: "Tensor", bias: "Tensor", *, height: int, width: int
) -> "Tensor":
    return _dense(_filters(maps, weight, height, width).flip(-1, -2), maps, bias)


def _side_by_side(
    maps: "Tensor", weight: "Tensor", bias: "Tensor", *, height: int, width: int
) -> "Tensor":
    filters = _filters(maps, weight, height, width)
    return _dense(filters, maps, bias, stride=(height, width))


def _padded(
    maps: "Tensor", weight: "Tensor", bias: "Tensor", *, height: int, width: int
) -> "Tensor":
    filters = _filters(maps, weight, height, width)
    return _dense(filters, maps, bias, padding=(height // 2, width // 2))


def _first_only(
    maps: "Tensor", weight: "Tensor", bias: "Tensor", *, height: int, width: int
) -> "Tensor":
    return right.window_scores(maps, weight, bias, height=height, width=width)[..., 0, 0]


def _scores_last(
    maps: "Tensor", weight: "Tensor", bias: "Tensor", *, height: int, width: int
) -> "Tensor":
    out = right.window_scores(maps, weight, bias, height=height, width=width)
    return out.permute(0, 2, 3, 1)


WINDOW_SCORES = (
    Mistake(
        "channels last",
        "The weights are cut up with the channels last. flatten lays out channel by channel, and "
        "so lie the weights: (K, C, height, width).",
        _channels_last,
    ),
    Mistake(
        "sides transposed",
        "Height and width of the filters are swapped when the weights are cut up.",
        _sides_transposed,
    ),
    Mistake("sides swapped", "Height and width of the filters are swapped.", _sides_swapped),
    Mistake("bias forgotten", "The bias is missing.", _bias_forgotten),
    Mistake(
        "flipped",
        "The filters are flipped. torch's convolution does not flip, so nothing has to be undone.",
        _flipped,
    ),
    Mistake(
        "side by side",
        "The windows lie side by side: there is one at *every* place, a stride of 1.",
        _side_by_side,
    ),
    Mistake(
        "padded",
        "There is padding, so some windows reach beyond the maps. Only whole windows count.",
        _padded,
    ),
    Mistake("first window only", "These are the scores of the first window only.", _first_only),
    Mistake(
        "scores last", "The scores are on the last axis; they should be on axis 1.", _scores_last
    ),
)

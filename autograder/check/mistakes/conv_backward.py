"""Misconceptions of each gradient of a convolution.

Functions take dout: (N, C_out, H', W') and then what the oracle takes.
"""

from collections.abc import Callable
from typing import Any

from autograder.check import oracle
from autograder.check.mistakes import Mistake
from autograder.check.mistakes.conv_forward import (
    all_channels,
    dilation_only_in_the_size,
    filters_interleaved,
    flipped,
    groups_ignored,
    groups_interleaved,
    height_and_width_swapped,
    padded_by_one,
    stride_only_in_the_size,
    unpadded_size,
)

Function = Callable[..., Any]


def _gradient(name: str, of: Function = oracle.conv) -> Function:
    """The gradient called ``name`` that autograd gives for the (mistaken) function ``of``."""

    def answer(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
        leaves = {k: v.detach().requires_grad_() for k, v in {"x": x, "w": w, "b": b}.items()}
        out = of(*leaves.values(), **options)
        if out.shape != dout.shape:
            return None
        out.backward(dout)
        return leaves[name].grad

    return answer


def _of_part(name: str, kept: Function) -> Function:
    """The gradient that is left if only the part ``kept`` of dout counts."""

    def answer(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
        place = kept(dout, x, w, options)
        if place is None:
            return None
        part = dout * 0
        part[place] = dout[place]
        return _gradient(name)(part, x, w, b, **options)

    return answer


def _last_image(*_: Any) -> Any:
    return -1


def _last_window(*_: Any) -> Any:
    return -1, slice(None), -1, -1


def _last_filter(dout: Any, x: Any, w: Any, options: dict[str, int]) -> Any:
    """The last of each group."""
    size = len(w) // options.get("groups", 1)
    return slice(None), slice(size - 1, None, size)


def _without_padding(dout: Any, x: Any, w: Any, options: dict[str, int]) -> Any:
    """What loops over the unpadded size come to."""
    rows, cols = unpadded_size(x, w, options)
    return ..., slice(rows), slice(cols)


def _a_square(dout: Any, x: Any, w: Any, options: dict[str, int]) -> Any:
    """What loops come to that take the smaller of H' and W' for both."""
    size = min(dout.shape[2:])
    return ..., slice(size), slice(size)


def _as_many_filters_as_channels(dout: Any, x: Any, w: Any, options: dict[str, int]) -> Any:
    return slice(None), slice(x.shape[1])


def _padded_gradient(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    """The gradient with respect to the padded input, border included."""
    from torch.nn.functional import pad

    p = options.get("padding", 0)
    inner = {**options, "padding": 0}
    return _gradient("x")(dout, pad(x, (p, p, p, p)), w, b, **inner)


def _cropped_to_nothing(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    p = options.get("padding", 0)
    return _padded_gradient(dout, x, w, b, **options)[:, :, p:-p, p:-p]


def _cropped_by_one(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    return _padded_gradient(dout, x, w, b, **options)[:, :, 1:-1, 1:-1]


def _cropped_too_early(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    p = options.get("padding", 0)
    return _padded_gradient(dout, x, w, b, **options)[:, :, p : x.shape[2], p : x.shape[3]]


def _top_left(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    return _padded_gradient(dout, x, w, b, **options)[:, :, : x.shape[2], : x.shape[3]]


def _of_unpadded(name: str) -> Function:
    """The gradient if x in the cache has no border, and loops end where x ends."""

    def answer(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
        rows, cols = unpadded_size(x, w, options)
        inner = {**options, "padding": 0}
        return _gradient(name)(dout[:, :, :rows, :cols], x, w, b, **inner)

    return answer


def _overwritten(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    """Dx where overlapping windows overwrite each other instead of adding up."""
    from torch import einsum

    if options.get("groups", 1) != 1:
        return None
    p, s, d = (options.get(*known) for known in (("padding", 0), ("stride", 1), ("dilation", 1)))
    n, c, height, width = x.shape
    dx = x.new_zeros(n, c, height + 2 * p, width + 2 * p)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows = slice(i * s, i * s + d * (w.shape[2] - 1) + 1, d)
            cols = slice(j * s, j * s + d * (w.shape[3] - 1) + 1, d)
            dx[:, :, rows, cols] = einsum("nf,fckl->nckl", dout[:, :, i, j], w)
    return dx[:, :, p : p + height, p : p + width]


def _last_filter_overwritten(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    """Dx where every place of every filter overwrites what was there."""
    return _overwritten(dout[:, -1:], x, w[-1:], b, **options)


def _averaged(name: str) -> Function:
    def answer(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
        return _gradient(name)(dout, x, w, b, **options) / len(x)

    return answer


def _flipped_dw(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    return _gradient("w")(dout, x, w, b, **options).flip(-1, -2)


def _dw_per_image(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    from torch import stack

    pairs = zip(dout.split(1), x.split(1), strict=True)
    return stack([_gradient("w")(one, image, w, b, **options) for one, image in pairs])


def _dw_as_rows(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    return _gradient("w")(dout, x, w, b, **options).flatten(1)


def _dw_of_all_filters(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    """Dw where the maps of dout are summed, so that all filters of a group get the same."""
    sizes = len(x), options.get("groups", 1), -1, *dout.shape[2:]
    together = dout.reshape(sizes).sum(dim=2, keepdim=True)
    return _gradient("w")(together.expand_as(dout.reshape(sizes)).flatten(1, 2), x, w, b, **options)


def _of_dout(change: Function) -> Function:
    """A db that is made from dout alone."""
    return lambda dout, x, w, b, **options: change(dout)


def _summed(*axes: int) -> Function:
    return _of_dout(lambda dout: dout.sum(dim=axes))


def _shaped(*shape: int) -> Function:
    """The right db with an axis too many."""
    return _of_dout(lambda dout: dout.sum(dim=(0, 2, 3)).reshape(shape))


AVERAGED = "This is the right gradient divided by N: the loss is a sum over dout, not a mean."
LAST_IMAGE = "Only the last image counts: each image overwrites the one before; add them up (+=)."
LAST_WINDOW = "Only the last window counts: each overwrites the one before; add them up (+=)."
LOOPS = (
    "The last rows and columns of dout are left out: the loops end where they would without "
    "padding. Loop over the shape of dout."
)
SQUARE = (
    "Rows or columns of dout are left out: H' and W' differ, and the loops take one for the other."
)
FILTERS = "Only the first C_in filters count: the loop over filters ends at C_in, not at C_out."
UNPADDED = (
    "This is the answer for an x without its border of zeros: keep the padded x in the cache, or "
    "pad it again."
)
STRIDE = "dout[i, j] came from the window that starts at (i·S, j·S), not at (i, j)."
DILATION = (
    "This is the answer for dilation=1: the taps of the filter met pixels that lie D apart, "
    "start : start + D(K − 1) + 1 : D."
)
SWAPPED = "Rows and columns of the filter are swapped."
WRONG_AXES = (
    "db is summed over the wrong axes: b[f] has one number a filter; sum over images, rows and "
    "columns."
)
EXTRA_AXIS = "The numbers are right, but db has an axis too many: its shape is that of b, (C_out,)."
GROUPS = (
    ("groups ignored", "All groups are taken to read the channels of the first.", groups_ignored),
    (
        "groups interleaved",
        "Group g is taken to read every G-th channel; it reads the g-th run of neighbours.",
        groups_interleaved,
    ),
    (
        "filters interleaved",
        "Filter f is taken to be in group f modulo G; the first C_out/G filters are the first "
        "group, and so on.",
        filters_interleaved,
    ),
    (
        "all channels in every group",
        "Every filter is taken to read the channels of all groups, and not only of its own.",
        all_channels,
    ),
)


def _of_groups(name: str) -> tuple[Mistake, ...]:
    return tuple(Mistake(title, says, _gradient(name, of)) for title, says, of in GROUPS)


GRADIENTS = {
    "dx": (
        Mistake(
            "crop p:-p at padding 0",
            "dx_padded[:, :, p:-p, p:-p] is empty when p = 0, because -0 is 0. Crop with "
            "p : p + H and p : p + W.",
            _cropped_to_nothing,
        ),
        Mistake(
            "padding not cropped",
            "This is the gradient of the padded input: cut the border off again.",
            _padded_gradient,
        ),
        Mistake(
            "crop fixed at 1",
            "You always cut one pixel off; cut off as many as were padded.",
            _cropped_by_one,
        ),
        Mistake(
            "crop ends at H",
            "The crop ends P pixels too early: in the padded array x ends at P + H and P + W.",
            _cropped_too_early,
        ),
        Mistake(
            "crop starts at 0",
            "The crop starts at the border: in the padded array x starts at row P and column P.",
            _top_left,
        ),
        Mistake(
            "overlap overwritten",
            "Overlapping windows overwrite each other. A pixel seen by several windows receives a "
            "gradient from each: add (+=), do not assign.",
            _overwritten,
        ),
        Mistake(
            "overlap and filters overwritten",
            "Each filter and each window overwrites what was there. A pixel receives a gradient "
            "from every window that saw it: add (+=), do not assign.",
            _last_filter_overwritten,
        ),
        Mistake(
            "filter upside down",
            "The filter is turned around in dx. If you add dout[i, j] · w[f] into each window, use "
            "w[f] as it is; only if you slide a filter over dout must it be flipped.",
            _gradient("x", flipped),
        ),
        Mistake("stride ignored", STRIDE, _gradient("x", stride_only_in_the_size)),
        Mistake("dilation ignored", DILATION, _gradient("x", dilation_only_in_the_size)),
        Mistake("loops without padding", LOOPS, _of_part("x", _without_padding)),
        Mistake("unpadded x", UNPADDED, _of_unpadded("x")),
        Mistake("loops over a square", SQUARE, _of_part("x", _a_square)),
        Mistake(
            "last filter only",
            "Only the last filter counts: each filter overwrites the one before; add them up (+=).",
            _of_part("x", _last_filter),
        ),
        Mistake("filters up to C_in", FILTERS, _of_part("x", _as_many_filters_as_channels)),
        Mistake("last image only", LAST_IMAGE, _of_part("x", _last_image)),
        Mistake("height and width swapped", SWAPPED, _gradient("x", height_and_width_swapped)),
        *_of_groups("x"),
        Mistake("divided by N", AVERAGED, _averaged("x")),
    ),
    "dw": (
        Mistake("stride ignored", STRIDE, _gradient("w", stride_only_in_the_size)),
        Mistake("dilation ignored", DILATION, _gradient("w", dilation_only_in_the_size)),
        Mistake("flipped", "dw is flipped along rows and columns.", _flipped_dw),
        Mistake("last window only", LAST_WINDOW, _of_part("w", _last_window)),
        Mistake("last image only", LAST_IMAGE, _of_part("w", _last_image)),
        Mistake("unpadded x", UNPADDED, _of_unpadded("w")),
        Mistake(
            "border fixed at 1",
            "x gets a border of 1, whatever padding was given to forward: keep it in the cache.",
            _gradient("w", padded_by_one),
        ),
        Mistake("loops without padding", LOOPS, _of_part("w", _without_padding)),
        Mistake("loops over a square", SQUARE, _of_part("w", _a_square)),
        Mistake(
            "not summed over N",
            "w is shared by all images: sum dw over N as well.",
            _dw_per_image,
        ),
        Mistake(
            "kept as rows",
            "The numbers are right, but each filter is one long row: give dw the shape of w.",
            _dw_as_rows,
        ),
        Mistake(
            "summed over the filters",
            "All filters get the same dw: w[f] made only the map out[:, f], so only dout[:, f] "
            "belongs to it.",
            _dw_of_all_filters,
        ),
        Mistake("filters up to C_in", FILTERS, _of_part("w", _as_many_filters_as_channels)),
        Mistake("height and width swapped", SWAPPED, _gradient("w", height_and_width_swapped)),
        *_of_groups("w"),
        Mistake("divided by N", AVERAGED, _averaged("w")),
    ),
    "db": (
        Mistake(
            "mean for sum",
            "b[f] is added to every number of map f, so its gradient is the sum of dout[:, f], "
            "not the mean.",
            _of_dout(lambda dout: dout.mean(dim=(0, 2, 3))),
        ),
        Mistake(
            "not summed over N",
            "b[f] is shared by all images: sum over N as well.",
            _summed(2, 3),
        ),
        Mistake(
            "not summed over the map",
            "b[f] is added to every number of map f: sum over its rows and columns as well.",
            _summed(0),
        ),
        Mistake("one number an image", WRONG_AXES, _summed(1, 2, 3)),
        Mistake("one number a row", WRONG_AXES, _summed(0, 1, 3)),
        Mistake("one number a column", WRONG_AXES, _summed(0, 1, 2)),
        Mistake("a row", EXTRA_AXIS, _shaped(1, -1)),
        Mistake("a column", EXTRA_AXIS, _shaped(-1, 1)),
        Mistake("four axes", EXTRA_AXIS, _shaped(1, -1, 1, 1)),
        Mistake("last window only", LAST_WINDOW, _of_part("b", _last_window)),
        Mistake("last image only", LAST_IMAGE, _of_part("b", _last_image)),
        Mistake("loops without padding", LOOPS, _of_part("b", _without_padding)),
        Mistake("loops over a square", SQUARE, _of_part("b", _a_square)),
        Mistake("filters up to C_in", FILTERS, _of_part("b", _as_many_filters_as_channels)),
        Mistake("divided by N", AVERAGED, _averaged("b")),
    ),
}

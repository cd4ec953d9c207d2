"""What well-known misconceptions would have answered, and how to say so.

Each is written with the oracle, so none of them gives away a NumPy solution. A mistake is only ever
reported when its answer equals the student's on the same inputs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.check import oracle


@dataclass(frozen=True)
class Mistake:
    """A misconception: ``answer`` takes what the oracle takes; None where it cannot arise."""

    name: str
    says: str
    answer: Callable[..., Any]


def _flipped(x: Any, w: Any, b: Any, **options: int) -> Any:
    return oracle.conv(x, w.flip(-1, -2), b, **options)


def _without(option: str, neutral: int) -> Callable[..., Any]:
    def answer(x: Any, w: Any, b: Any, **options: int) -> Any:
        return oracle.conv(x, w, b, **{**options, option: neutral})

    return answer


def _groups_ignored(x: Any, w: Any, b: Any, groups: int = 1, **options: int) -> Any:
    """Every filter reads the first C_in / groups channels."""
    return oracle.conv(x[:, : w.shape[1]], w, b, **options)


def _padded_at_one_side(x: Any, w: Any, b: Any, padding: int = 0, **options: int) -> Any:
    from torch.nn.functional import pad

    return oracle.conv(pad(x, (2 * padding, 0, 2 * padding, 0)), w, b, **options)


def _axes_swapped(x: Any, w: Any, b: Any, **options: int) -> Any:
    return oracle.conv(x, w.transpose(-1, -2), b, **options)


def _bias_per_channel(x: Any, w: Any, b: Any, **options: int) -> Any:
    return oracle.conv(x, w, b * w.shape[1], **options)


def _first_channel_only(x: Any, w: Any, b: Any, **options: int) -> Any:
    return oracle.conv(x[:, :1], w[:, :1], b, **{**options, "groups": 1})


def _no_bias(x: Any, w: Any, b: Any, **options: int) -> Any:
    return oracle.conv(x, w, 0 * b, **options)


CONV_FORWARD = (
    Mistake(
        "kernel flipped",
        "You flip the filter: that is the convolution of signal processing. The course's "
        "convolution is a cross-correlation, out[i, j] = Σ x[i+u, j+v] · w[u, v].",
        _flipped,
    ),
    Mistake("bias forgotten", "The bias b is missing: add b[f] to the map of filter f.", _no_bias),
    Mistake(
        "bias once per channel",
        "The bias is added once for every input channel; it belongs to a filter, add it once.",
        _bias_per_channel,
    ),
    Mistake(
        "padding ignored",
        "This is the answer for padding=0: x is never surrounded by zeros.",
        _without("padding", 0),
    ),
    Mistake(
        "padding fixed at 1",
        "This is the answer for padding=1, whatever padding you are given.",
        _without("padding", 1),
    ),
    Mistake(
        "padding at one side",
        "All the zeros are at the top and the left; half of them belong at the bottom and the "
        "right.",
        _padded_at_one_side,
    ),
    Mistake(
        "stride ignored",
        "This is the answer for stride=1: the window moves one pixel at a time.",
        _without("stride", 1),
    ),
    Mistake(
        "dilation ignored",
        "This is the answer for dilation=1: the taps of the filter are not spread out.",
        _without("dilation", 1),
    ),
    Mistake(
        "groups ignored",
        "Every filter reads the first C_in/groups channels; the filters of group g read the "
        "channels of group g.",
        _groups_ignored,
    ),
    Mistake(
        "height and width swapped", "The filter's rows and columns are swapped.", _axes_swapped
    ),
    Mistake(
        "first channel only",
        "Only the first input channel is used; sum over all C_in channels.",
        _first_channel_only,
    ),
)

CORR2D = (
    Mistake(
        "kernel flipped",
        "You flip K: that is the convolution of signal processing. corr2d slides K as it is.",
        lambda X, K: oracle.corr2d(X, K.flip(0, 1)),
    ),
    Mistake(
        "height and width swapped",
        "The rows and columns of K are swapped.",
        lambda X, K: oracle.corr2d(X, K.T),
    ),
    Mistake(
        "fractions cut off",
        "The fractions are gone: Y took the integer dtype of X.",
        lambda X, K: oracle.corr2d(X, K).trunc(),
    ),
    Mistake(
        "last window missing",
        "The last row and column of windows are missing: there are H − K_H + 1 positions.",
        lambda X, K: oracle.corr2d(X, K)[:-1, :-1],
    ),
)


def _gradient(name: str, of: Callable[..., Any]) -> Callable[..., Any]:
    """The gradient called ``name`` that autograd gives for the (mistaken) function ``of``."""

    def answer(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
        leaves = {k: v.detach().requires_grad_() for k, v in {"x": x, "w": w, "b": b}.items()}
        out = of(*leaves.values(), **options)
        if out.shape != dout.shape:
            return None
        out.backward(dout)
        return leaves[name].grad

    return answer


def _padded_gradient(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    """The gradient with respect to the padded input, border included."""
    from torch.nn.functional import pad

    p = options.get("padding", 0)
    inner = {**options, "padding": 0}
    return _gradient("x", oracle.conv)(dout, pad(x, (p, p, p, p)), w, b, **inner)


def _cropped_to_nothing(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    p = options.get("padding", 0)
    return _padded_gradient(dout, x, w, b, **options)[:, :, p:-p, p:-p]


def _cropped_by_one(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    return _padded_gradient(dout, x, w, b, **options)[:, :, 1:-1, 1:-1]


def _windows(dout: Any, w: Any, stride: int, dilation: int) -> Any:
    """The places (n, f, i, j) of dout with the slices of the padded input that they saw."""
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows = slice(i * stride, i * stride + dilation * (w.shape[2] - 1) + 1, dilation)
            cols = slice(j * stride, j * stride + dilation * (w.shape[3] - 1) + 1, dilation)
            yield i, j, rows, cols


def _overwritten(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    """Dx where overlapping windows overwrite each other instead of adding up."""
    from torch import einsum

    if options.get("groups", 1) != 1:
        return None
    p = options.get("padding", 0)
    n, c, height, width = x.shape
    dx = x.new_zeros(n, c, height + 2 * p, width + 2 * p)
    for i, j, rows, cols in _windows(dout, w, options.get("stride", 1), options.get("dilation", 1)):
        dx[:, :, rows, cols] = einsum("nf,fckl->nckl", dout[:, :, i, j], w)
    return dx[:, :, p : p + height, p : p + width]


def _stride_ignored_in_dx(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    """Dx where the window of out[i, j] is taken to start at (i, j) of the padded input."""
    from torch import einsum

    if options.get("groups", 1) != 1:
        return None
    p = options.get("padding", 0)
    n, c, height, width = x.shape
    dx = x.new_zeros(n, c, height + 2 * p, width + 2 * p)
    for i, j, rows, cols in _windows(dout, w, 1, options.get("dilation", 1)):
        dx[:, :, rows, cols] += einsum("nf,fckl->nckl", dout[:, :, i, j], w)
    return dx[:, :, p : p + height, p : p + width]


def _stride_ignored_in_dw(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    from torch import einsum
    from torch.nn.functional import pad

    if options.get("groups", 1) != 1:
        return None
    p = options.get("padding", 0)
    padded, dw = pad(x, (p, p, p, p)), w.new_zeros(w.shape)
    for i, j, rows, cols in _windows(dout, w, 1, options.get("dilation", 1)):
        dw += einsum("nf,nckl->fckl", dout[:, :, i, j], padded[:, :, rows, cols])
    return dw


def _averaged(name: str) -> Callable[..., Any]:
    def answer(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
        return _gradient(name, oracle.conv)(dout, x, w, b, **options) / len(x)

    return answer


def _last_image(name: str) -> Callable[..., Any]:
    def answer(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
        return _gradient(name, oracle.conv)(dout[-1:], x[-1:], w, b, **options)

    return answer


def _last_filter(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    if options.get("groups", 1) != 1:
        return None
    return _gradient("x", oracle.conv)(dout[:, -1:], x, w[-1:], b[-1:], **options)


def _mean_per_filter(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    return dout.mean(dim=(0, 2, 3))


def _sum_per_image(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    return dout.sum(dim=(2, 3))


AVERAGED = "This is the right gradient divided by N: the loss is a sum over dout, not a mean."
LAST_IMAGE = "Only the last image counts: each image overwrites the one before; add them up (+=)."

CONV_BACKWARD = {
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
            "overlap overwritten",
            "Overlapping windows overwrite each other. A pixel seen by several windows receives a "
            "gradient from each: add (+=), do not assign.",
            _overwritten,
        ),
        Mistake(
            "filter not flipped",
            "dx is dout convolved with the *flipped* filter (Ŵᵀ has w reversed along its rows); "
            "here the filter is not flipped.",
            _gradient("x", _flipped),
        ),
        Mistake(
            "stride ignored",
            "dout[i, j] came from the window that starts at (i·S, j·S), not at (i, j).",
            _stride_ignored_in_dx,
        ),
        Mistake(
            "last filter only",
            "Only the last filter counts: each filter overwrites the one before; add them up (+=).",
            _last_filter,
        ),
        Mistake("divided by N", AVERAGED, _averaged("x")),
    ),
    "dw": (
        Mistake(
            "stride ignored",
            "dout[i, j] came from the window that starts at (i·S, j·S), not at (i, j).",
            _stride_ignored_in_dw,
        ),
        Mistake(
            "flipped",
            "dw is flipped along rows and columns.",
            lambda dout, x, w, b, **o: _gradient("w", oracle.conv)(dout, x, w, b, **o).flip(-1, -2),
        ),
        Mistake("last image only", LAST_IMAGE, _last_image("w")),
        Mistake("divided by N", AVERAGED, _averaged("w")),
    ),
    "db": (
        Mistake(
            "mean for sum",
            "b[f] is added to every number of map f, so its gradient is the sum of dout[:, f], "
            "not the mean.",
            _mean_per_filter,
        ),
        Mistake(
            "not summed over N",
            "b[f] is shared by all images: sum over N as well.",
            _sum_per_image,
        ),
        Mistake("last image only", LAST_IMAGE, _last_image("b")),
        Mistake("divided by N", AVERAGED, _averaged("b")),
    ),
}

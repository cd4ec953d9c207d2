"""Misconceptions of each gradient of a convolution.

Functions take dout: (N, C_out, H', W') and then what the oracle takes.
"""

from collections.abc import Callable
from typing import Any

from autograder.check import oracle
from autograder.check.mistakes import Mistake
from autograder.check.mistakes.conv_forward import flipped


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


def _last_filter_overwritten(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    """Dx where every place of every filter overwrites what was there."""
    return _overwritten(dout[:, -1:], x, w[-1:], b, **options)


def _last_window(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    """Dw where only the last image's last window is left."""
    last = dout * 0
    last[-1, :, -1, -1] = dout[-1, :, -1, -1]
    return _gradient("w", oracle.conv)(last, x, w, b, **options)


def _last_number(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    return dout[-1, :, -1, -1]


def _mean_per_filter(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    return dout.mean(dim=(0, 2, 3))


def _sum_per_image(dout: Any, x: Any, w: Any, b: Any, **options: int) -> Any:
    return dout.sum(dim=(2, 3))


AVERAGED = "This is the right gradient divided by N: the loss is a sum over dout, not a mean."
LAST_IMAGE = "Only the last image counts: each image overwrites the one before; add them up (+=)."

LAST_WINDOW = "Only the last window counts: each overwrites the one before; add them up (+=)."

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
        Mistake("last window only", LAST_WINDOW, _last_window),
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
        Mistake("last window only", LAST_WINDOW, _last_number),
        Mistake("last image only", LAST_IMAGE, _last_image("b")),
        Mistake("divided by N", AVERAGED, _averaged("b")),
    ),
}

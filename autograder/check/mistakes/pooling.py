"""Misconceptions of pooling, forward and backward.

Functions take x: (N, C, H, W), kernel_size and stride; those of a gradient take dout:
(N, C, H', W') before them.
"""

from collections.abc import Callable
from typing import Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import pooling as oracle

Pool = Callable[..., Any]


def _size(x: Any, kernel_size: int, stride: int) -> tuple[int, int]:
    rows, cols = ((size - kernel_size) // stride + 1 for size in x.shape[2:])
    return rows, cols


def _strided(pool: Pool, step: Callable[[int, int], int]) -> Pool:
    """A pool whose windows are step(K, S) apart."""
    return lambda x, kernel_size, stride: pool(x, kernel_size, step(kernel_size, stride))


def _stride_only_in_the_size(pool: Pool) -> Pool:
    def answer(x: Any, kernel_size: int, stride: int) -> Any:
        rows, cols = _size(x, kernel_size, stride)
        return pool(x, kernel_size, 1)[:, :, :rows, :cols]

    return answer


def _one_size_for_both(pool: Pool) -> Pool:
    def answer(x: Any, kernel_size: int, stride: int) -> Any:
        least = min(_size(x, kernel_size, stride))
        return pool(x, kernel_size, stride)[:, :, :least, :least]

    return answer


def _window_one_short(pool: Pool) -> Pool:
    def answer(x: Any, kernel_size: int, stride: int) -> Any:
        if kernel_size == 1:
            return None
        rows, cols = _size(x, kernel_size, stride)
        return pool(x, kernel_size - 1, stride)[:, :, :rows, :cols]

    return answer


def _last_windows_missing(pool: Pool) -> Pool:
    return lambda x, kernel_size, stride: pool(x, kernel_size, stride)[:, :, :-1, :-1]


def _over_channels(pool: Pool, dims: tuple[int, ...]) -> Pool:
    """One answer for all channels (dims = 1), or for all images too (dims = 0, 1)."""

    def answer(x: Any, kernel_size: int, stride: int) -> Any:
        out = pool(x, kernel_size, stride)
        joint = out.mean(dims, True) if pool is oracle.avg_pool else out.amax(dims, True)
        return joint.expand_as(out)

    return answer


def _rounded_up(function: str) -> Pool:
    def answer(x: Any, kernel_size: int, stride: int) -> Any:
        from torch.nn import functional

        return getattr(functional, function)(x, kernel_size, stride, ceil_mode=True)

    return answer


def _transposed(pool: Pool) -> Pool:
    return lambda x, kernel_size, stride: pool(x, kernel_size, stride).transpose(2, 3)


def _scaled(pool: Pool, factor: Callable[[int, int], float]) -> Pool:
    """A pool whose numbers are multiplied by factor(K, S)."""
    return lambda x, kernel_size, stride: factor(kernel_size, stride) * pool(x, kernel_size, stride)


STRIDE_IGNORED = "This is the answer for stride=1: the window moves one pixel at a time."
STRIDE_FIXED = (
    "The windows are K apart, whatever the stride: the window of out[i, j] starts at (i·S, j·S)."
)
STRIDE_IN_SIZE = (
    "The output has the right size, but its windows are one pixel apart: the window of out[i, j] "
    "starts at (i·S, j·S)."
)
ROUNDED_UP = (
    "There is a row or column too many: where the windows do not fit, (H − K)/S + 1 is rounded "
    "down."
)
LAST_MISSING = "The last row and column of windows are missing: there are (H − K)/S + 1."
SQUARE = "The output is square: W' follows from W as H' does from H."
ONE_SHORT = "Your windows are (K − 1) pixels wide: in a slice, the end is not included."


def _geometry(pool: Pool, function: str, what: str) -> tuple[Mistake, ...]:
    """What goes wrong with places and sizes, whatever is taken of a window."""
    return (
        *_wrong_stride(pool),
        Mistake("rounded up", ROUNDED_UP, _rounded_up(function)),
        *_wrong_size(pool),
        *_taken_together(pool, what),
    )


def _wrong_stride(pool: Pool) -> tuple[Mistake, ...]:
    return (
        Mistake("stride ignored", STRIDE_IGNORED, _strided(pool, lambda K, S: 1)),
        Mistake("stride is the kernel size", STRIDE_FIXED, _strided(pool, lambda K, S: K)),
        Mistake("stride only in the size", STRIDE_IN_SIZE, _stride_only_in_the_size(pool)),
    )


def _wrong_size(pool: Pool) -> tuple[Mistake, ...]:
    return (
        Mistake("last windows missing", LAST_MISSING, _last_windows_missing(pool)),
        Mistake("one size for both", SQUARE, _one_size_for_both(pool)),
        Mistake("height and width swapped", "The output is transposed.", _transposed(pool)),
        Mistake("window one short", ONE_SHORT, _window_one_short(pool)),
    )


def _taken_together(pool: Pool, what: str) -> tuple[Mistake, ...]:
    channels = f"You take one {what} for all channels; each channel is pooled by itself."
    images = f"You take one {what} for all images and channels; each is pooled by itself."
    return (
        Mistake(f"{what} over channels", channels, _over_channels(pool, (1,))),
        Mistake(f"{what} over images", images, _over_channels(pool, (0, 1))),
    )


MAX_POOL = (
    Mistake(
        "zero-initialised maximum",
        "Where all of a window is negative you answer 0: a maximum must not start at 0.",
        lambda x, kernel_size, stride: oracle.max_pool(x, kernel_size, stride).clamp(min=0),
    ),
    Mistake("mean for maximum", "This is average pooling.", oracle.avg_pool),
    Mistake(
        "smallest",
        "You take the smallest number of each window.",
        lambda x, kernel_size, stride: -oracle.max_pool(-x, kernel_size, stride),
    ),
    Mistake(
        "largest in absolute value",
        "You compare absolute values: −3 is not larger than 2.",
        lambda x, kernel_size, stride: oracle.max_pool(x.abs(), kernel_size, stride),
    ),
    *_geometry(oracle.max_pool, "max_pool2d", "maximum"),
    Mistake(
        "position for value",
        "You return where in its window the largest number is, not the number.",
        lambda x, kernel_size, stride: (
            oracle.windows(x, kernel_size, stride).flatten(4).argmax(-1).to(x.dtype)
        ),
    ),
)

AVG_POOL = (
    Mistake(
        "sum for mean",
        "You add up each window: divide by the K·K numbers in it.",
        _scaled(oracle.avg_pool, lambda K, S: K * K),
    ),
    Mistake(
        "divided by K",
        "You divide by K; a window has K·K numbers.",
        _scaled(oracle.avg_pool, lambda K, S: K),
    ),
    Mistake(
        "divided by the stride",
        "You divide by S·S; a window has K·K numbers, whatever the stride.",
        _scaled(oracle.avg_pool, lambda K, S: K * K / (S * S)),
    ),
    Mistake("maximum for mean", "This is max pooling.", oracle.max_pool),
    *_geometry(oracle.avg_pool, "avg_pool2d", "mean"),
)


# Backward. A misconception is a share of dout for each of the places of a window; the shares go
# back to where the windows are, or to where a student might think that they are.


def _winners(x: Any, kernel_size: int, stride: int) -> Any:
    """1 for the first maximum of each window, else 0: (N, C, H', W', K, K)."""
    seen = oracle.windows(x, kernel_size, stride)
    place = seen.flatten(4).argmax(-1, keepdim=True)
    return (seen.flatten(4) * 0).scatter(-1, place, 1).reshape(seen.shape)


def _even(x: Any, kernel_size: int, stride: int) -> Any:
    """1/K² everywhere: (N, C, H', W', K, K)."""
    return 0 * oracle.windows(x, kernel_size, stride) + 1 / kernel_size**2


Shares = Callable[[Any, int, int], Any]


def _back(shares: Shares) -> Pool:
    """The dx in which each number of dout is spread over its window by these shares."""

    def dx(dout: Any, x: Any, kernel_size: int, stride: int) -> Any:
        parts = shares(x, kernel_size, stride) * dout[..., None, None]
        return oracle.added_up(parts, x, stride)

    return dx


def _from_windows_apart(shares: Shares, step: Callable[[int, int], int]) -> Pool:
    """The same, where the window of dout[i, j] is taken to be at step(K, S)·(i, j)."""

    def dx(dout: Any, x: Any, kernel_size: int, stride: int) -> Any:
        apart = step(kernel_size, stride)
        parts = shares(x, kernel_size, apart)[:, :, : dout.shape[2], : dout.shape[3]]
        if parts.shape[2:4] != dout.shape[2:]:
            return None
        return oracle.added_up(parts * dout[..., None, None], x, apart)

    return dx


def _windows_overwritten(shares: Shares) -> Pool:
    """Each window of dx is assigned, one after the other."""

    def dx(dout: Any, x: Any, kernel_size: int, stride: int) -> Any:
        parts, found = shares(x, kernel_size, stride) * dout[..., None, None], 0 * x
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                rows = slice(i * stride, i * stride + kernel_size)
                cols = slice(j * stride, j * stride + kernel_size)
                found[:, :, rows, cols] = parts[:, :, i, j]
        return found

    return dx


def _slices_overwritten(shares: Shares) -> Pool:
    """All windows at once: the place (u, v) of each of them is assigned, one after the other."""

    def dx(dout: Any, x: Any, kernel_size: int, stride: int) -> Any:
        parts, found = shares(x, kernel_size, stride) * dout[..., None, None], 0 * x
        rows, cols = (stride * (size - 1) + 1 for size in dout.shape[2:])
        for u in range(kernel_size):
            for v in range(kernel_size):
                found[:, :, u : u + rows : stride, v : v + cols : stride] = parts[..., u, v]
        return found

    return dx


def _winners_overwritten(dout: Any, x: Any, kernel_size: int, stride: int) -> Any:
    """Only the winner of each window is assigned, one window after the other."""
    marks, found = _winners(x, kernel_size, stride), 0 * x
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows = slice(i * stride, i * stride + kernel_size)
            cols = slice(j * stride, j * stride + kernel_size)
            mine = marks[:, :, i, j] * dout[:, :, i, j, None, None]
            found[:, :, rows, cols] = mine.where(marks[:, :, i, j] > 0, found[:, :, rows, cols])
    return found


def _of_all_channels(x: Any, kernel_size: int, stride: int) -> Any:
    """1 where a number is the largest of its window in all channels."""
    seen = oracle.windows(x, kernel_size, stride)
    return (seen == seen.amax((1, 4, 5), keepdim=True)).to(x.dtype)


def _above_zero(x: Any, kernel_size: int, stride: int) -> Any:
    return _winners(x, kernel_size, stride) * (oracle.windows(x, kernel_size, stride) > 0)


def _times_the_maximum(x: Any, kernel_size: int, stride: int) -> Any:
    return _winners(x, kernel_size, stride) * oracle.windows(x, kernel_size, stride)


def _corner_forgotten(dout: Any, x: Any, kernel_size: int, stride: int) -> Any:
    """Every window is taken to lie at the top left of x."""
    found = 0 * x
    parts = _winners(x, kernel_size, stride) * dout[..., None, None]
    found[:, :, :kernel_size, :kernel_size] = parts.sum((2, 3))
    return found


def _without_dout(dout: Any, x: Any, kernel_size: int, stride: int) -> Any:
    return _back(_winners)(dout * 0 + 1, x, kernel_size, stride)


def _averaged(right: Pool) -> Pool:
    return lambda dout, x, kernel_size, stride: right(dout, x, kernel_size, stride) / len(x)


def _weighed(factor: Callable[[int, int], float]) -> Shares:
    """Average pooling's shares, times factor(K, S)."""
    return lambda x, kernel_size, stride: (
        factor(kernel_size, stride) * _even(x, kernel_size, stride)
    )


OVERWRITTEN = (
    "Overlapping windows overwrite each other. A pixel that is in several windows may get a "
    "gradient from each: add (+=), do not assign."
)
STRIDE_IGNORED_BACK = "dout[i, j] came from the window that starts at (i·S, j·S), not at (i, j)."
STRIDE_IS_K = "dout[i, j] came from the window that starts at (i·S, j·S), not at (i·K, j·K)."
AVERAGED = "This is the right gradient divided by N: the loss is a sum over dout, not a mean."

MAX_POOL_DX = (
    Mistake("windows overwritten", OVERWRITTEN, _windows_overwritten(_winners)),
    Mistake("winners overwritten", OVERWRITTEN, _winners_overwritten),
    Mistake("slices overwritten", OVERWRITTEN, _slices_overwritten(_winners)),
    Mistake(
        "stride ignored",
        STRIDE_IGNORED_BACK,
        _from_windows_apart(_winners, lambda K, S: 1),
    ),
    Mistake(
        "stride is the kernel size", STRIDE_IS_K, _from_windows_apart(_winners, lambda K, S: K)
    ),
    Mistake(
        "spread evenly",
        "You spread dout evenly over the window, as average pooling does. Only the maximum "
        "made it to the output, so it alone gets dout.",
        _back(_even),
    ),
    Mistake(
        "given to the whole window",
        "Every pixel of a window gets all of dout; only its maximum should.",
        _back(_weighed(lambda K, S: K * K)),
    ),
    Mistake(
        "maximum of all channels",
        "You look for the maximum in all channels together; each channel has its own.",
        _back(_of_all_channels),
    ),
    Mistake(
        "nothing for negative maxima",
        "A window whose maximum is negative gets nothing: max pooling is not ReLU, its maximum "
        "gets dout too.",
        _back(_above_zero),
    ),
    Mistake(
        "times the maximum",
        "You multiply dout by the maximum itself. The local gradient of a maximum is 1 for the "
        "winner and 0 for the others.",
        _back(_times_the_maximum),
    ),
    Mistake(
        "dout forgotten",
        "This is the local gradient: multiply by dout.",
        _without_dout,
    ),
    Mistake(
        "row and column of the winner swapped",
        "In each window the winner's row and column are swapped.",
        _back(lambda x, kernel_size, stride: _winners(x, kernel_size, stride).transpose(4, 5)),
    ),
    Mistake(
        "corner forgotten",
        "Everything lands in the top left corner: the winner's place counts from the corner of "
        "its window, (i·S, j·S).",
        _corner_forgotten,
    ),
    Mistake("divided by N", AVERAGED, _averaged(_back(_winners))),
)

AVG_POOL_DX = (
    Mistake("windows overwritten", OVERWRITTEN, _windows_overwritten(_even)),
    Mistake("slices overwritten", OVERWRITTEN, _slices_overwritten(_even)),
    Mistake(
        "not divided",
        "Every pixel of a window gets all of dout; it counts for 1/(K·K) in the mean.",
        _back(_weighed(lambda K, S: K * K)),
    ),
    Mistake(
        "divided by K",
        "You divide by K; a pixel counts for 1/(K·K) in the mean.",
        _back(_weighed(lambda K, S: K)),
    ),
    Mistake(
        "divided by the stride",
        "You divide by S·S; a pixel counts for 1/(K·K) in the mean, whatever the stride.",
        _back(_weighed(lambda K, S: K * K / (S * S))),
    ),
    Mistake("stride ignored", STRIDE_IGNORED_BACK, _from_windows_apart(_even, lambda K, S: 1)),
    Mistake("stride is the kernel size", STRIDE_IS_K, _from_windows_apart(_even, lambda K, S: K)),
    Mistake(
        "only the maximum",
        "Only the largest number of a window gets a gradient, as in max pooling; here all do.",
        _back(_winners),
    ),
    Mistake("divided by N", AVERAGED, _averaged(_back(_even))),
)

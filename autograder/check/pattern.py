"""When no known mistake matches: what the error itself looks like.

Every sentence states only what can be read off the two arrays, so that none can be wrong; the
surest and most telling is chosen.
"""

from collections.abc import Iterator
from itertools import combinations, permutations
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from autograder.check.compare import Mask
from autograder.check.record import Array

T = TypeVar("T", bound=np.generic)
MOST_AXES = 5  # whose orders are tried
ENDS = {-2: "row", -1: "column"}  # what the last two axes hold


def describe(got: Array, want: Array, wrong: Mask | None) -> str:
    """A sentence on where and how ``got`` is off, or ''; ``wrong`` is None if shapes differ."""
    if wrong is None:
        return misshapen(got, want)
    for look in (
        _nearly,
        _sign,
        _factor,
        _offset,
        _swapped,
        _reordered,
        _shifted,
        _factor_of_each,
        _offset_of_each,
        _one_index,
        _ends,
        _border,
        _corners,
        _one_right,
        _zeros,
    ):
        sentence = look(got, want, wrong)
        if sentence:
            return sentence
    return ""


def misshapen(got: Array, want: Array) -> str:
    """A sentence on what a ``got`` of another shape than ``want`` holds, or ''.

    It does not name the right shape, which a hidden check keeps to itself.
    """
    if got.size == want.size and _close(got.reshape(want.shape), want):
        return "The numbers are right and in the right order: only give them the right shape."
    for order in _orders(got, want.shape):
        if _close(got.transpose(order), want):
            return f"The axes are in another order: transpose yours by {order}."
    return _begins_alike(got, want) if got.ndim == want.ndim else ""


def _begins_alike(got: Array, want: Array) -> str:
    more, less = got[tuple(map(slice, want.shape))], want[tuple(map(slice, got.shape))]
    if more.shape == want.shape and _varied(want) and _close(more, want):
        return "It is right as far as it should go; what lies beyond is too much."
    if less.shape == got.shape and _varied(got) and _close(got, less):
        return "It is right as far as it goes, but it ends too early."
    return ""


def _orders(got: Array, shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The orders of the axes that give an array this shape."""
    if got.ndim != len(shape) or not 2 <= got.ndim <= MOST_AXES:
        return
    for order in permutations(range(got.ndim)):
        if order != tuple(range(got.ndim)) and got.transpose(order).shape == shape:
            yield order


def _close(a: Array, b: Array) -> bool:
    return bool(np.allclose(a, b, rtol=1e-4, atol=1e-6 * float(np.abs(b).max(initial=1e-300))))


def _varied(array: Array) -> bool:
    """Whether there is enough in it that agreement cannot be chance."""
    return array.size > 1 and not _close(array, np.full_like(array, array.flat[0]))


def _place(shape: tuple[int, ...], axis: int, index: object) -> str:
    """``[:, 2, :, :]``."""
    return f"[{', '.join(str(index) if a == axis else ':' for a in range(len(shape)))}]"


def _slices(array: npt.NDArray[T], axis: int) -> npt.NDArray[T]:
    """The array as one row for each index of an axis."""
    return np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)


def _ratio(got: Array, want: Array) -> float:
    norm = float((want * want).sum())
    return float((got * want).sum()) / norm if norm else 0.0


def _nearly(got: Array, want: Array, wrong: Mask) -> str:
    return "Every number is right to about four digits." if _close(got, want) else ""


def _sign(got: Array, want: Array, wrong: Mask) -> str:
    return "Every number has the wrong sign." if _close(got, -want) else ""


def _factor(got: Array, want: Array, wrong: Mask) -> str:
    factor = _ratio(got, want)
    if want.size < 2 or abs(factor) < 1e-9 or not _close(got, factor * want):
        return ""
    return f"Every number is {factor:.4g} times what it should be."


def _offset(got: Array, want: Array, wrong: Mask) -> str:
    more = float((got - want).mean())
    if want.size < 2 or not _close(got, want + more):
        return ""
    return f"Every number is {abs(more):.4g} too {'large' if more > 0 else 'small'}."


def _swapped(got: Array, want: Array, wrong: Mask) -> str:
    """Axes of equal sizes in another order: one pair where that explains it, else several."""
    for one, other in combinations(range(want.ndim), 2):
        if want.shape[one] == want.shape[other] and _close(got.swapaxes(one, other), want):
            last = (one, other) == (want.ndim - 2, want.ndim - 1)
            return f"{'The last two axes' if last else f'Axes {one} and {other}'} are swapped."
    for order in _orders(got, want.shape):
        if _close(got.transpose(order), want):
            return f"The axes are in another order: transpose yours by {order}."
    return ""


def _reordered(got: Array, want: Array, wrong: Mask) -> str:
    for axis in range(want.ndim):
        ours, right = _slices(got, axis), _slices(want, axis)
        if _close(ours[::-1], right):
            return f"Axis {axis} runs backwards: {_place(want.shape, axis, 0)} belongs at its end."
        order = _order(ours, right)
        if order:
            moved = next(i for i, home in enumerate(order) if i != home)
            here, home = (_place(want.shape, axis, i) for i in (moved, order[moved]))
            return f"Axis {axis} is in another order: what is in {here} belongs in {home}."
    return ""


def _distinct(rows: Array) -> bool:
    """Whether rows are so different that none can be taken for another."""
    return rows.shape[1] > 1 and not any(_close(a, b) for a, b in combinations(rows[:64], 2))


def _order(ours: Array, right: Array) -> list[int]:
    """For each row, which of ``right`` it is; [] if that is not another order of all."""
    if len(right) > 64:
        return []
    homes = [[i for i, row in enumerate(right) if _close(mine, row)] for mine in ours]
    found = [home[0] for home in homes if home]
    return found if sorted(found) == list(range(len(right))) else []


def _shifted(got: Array, want: Array, wrong: Mask) -> str:
    for axis in range(want.ndim):
        ours, right = _slices(got, axis), _slices(want, axis)
        for by in (1, -1):
            late, early = (ours[1:], right[:-1]) if by == 1 else (ours[:-1], right[1:])
            if len(right) > 2 and _close(late, early) and _distinct(right):
                here, home = (_place(want.shape, axis, i) for i in (("i + 1", "i")[::by]))
                return (
                    f"All is shifted by one along axis {axis}: {here} holds what belongs in {home}."
                )
    return ""


def _factor_of_each(got: Array, want: Array, wrong: Mask) -> str:
    for axis in range(want.ndim):
        ours, right = _slices(got, axis), _slices(want, axis)
        if right.shape[1] < 2 or len(right) < 2:
            continue
        factors = np.array([_ratio(mine, row) for mine, row in zip(ours, right, strict=True)])
        exact = _close(ours, factors[:, None] * right)
        if exact and (np.abs(factors) > 1e-9).all() and (np.abs(factors - 1) > 1e-4).all():
            some = f"{factors[0]:.4g} at 0, {factors[1]:.4g} at 1"
            return f"Each {_place(want.shape, axis, 'i')} is off by a factor of its own ({some})."
    return ""


def _offset_of_each(got: Array, want: Array, wrong: Mask) -> str:
    for axis in range(want.ndim):
        ours, right = _slices(got, axis), _slices(want, axis)
        more = (ours - right).mean(axis=1)
        every = _slices(wrong, axis).any(axis=1).all()
        if every and min(right.shape) > 1 and _close(ours, right + more[:, None]):
            some = f"{more[0]:+.4g} at 0, {more[1]:+.4g} at 1"
            return f"Each {_place(want.shape, axis, 'i')} is off by a constant of its own ({some})."
    return ""


def _one_index(got: Array, want: Array, wrong: Mask) -> str:
    for axis in range(want.ndim):
        hit = np.flatnonzero(_slices(wrong, axis).any(axis=1))
        if want.shape[axis] > 1 and len(hit) == 1:
            which = _which(want.shape, axis, int(hit[0]))
            return f"Only {which} is wrong; everything else is right{_all_zero(got, wrong)}."
    return ""


def _which(shape: tuple[int, ...], axis: int, index: int) -> str:
    place = _place(shape, axis, index)
    end = {0: "first", shape[axis] - 1: "last"}.get(index)
    what = ENDS.get(axis - len(shape)) if len(shape) > 1 else None
    return f"the {end} {what}, {place}," if end and what and shape[axis] > 2 else place


def _all_zero(got: Array, wrong: Mask) -> str:
    return ". What is wrong is 0" if not got[wrong].any() else ""


def _ends(got: Array, want: Array, wrong: Mask) -> str:
    """Only a first or last row and a first or last column."""
    if want.ndim < 2 or min(want.shape[-2:]) < 3:
        return ""
    for name, inside in (("last", np.s_[..., :-1, :-1]), ("first", np.s_[..., 1:, 1:])):
        if not wrong[inside].any():
            zero = _all_zero(got, wrong)
            return f"Only the {name} row and column are wrong; everything else is right{zero}."
    return ""


def _border(got: Array, want: Array, wrong: Mask) -> str:
    if want.ndim < 2 or min(want.shape[-2:]) < 3 or wrong[..., 1:-1, 1:-1].any():
        return ""
    return f"Only the border is wrong; everything inside is right{_all_zero(got, wrong)}."


def _corners(got: Array, want: Array, wrong: Mask) -> str:
    if want.ndim != 4 or min(want.shape[-2:]) < 3:
        return ""
    rest = wrong.copy()
    rest[..., :: want.shape[2] - 1, :: want.shape[3] - 1] = True
    if wrong[..., :: want.shape[2] - 1, :: want.shape[3] - 1].any() or not rest.all():
        return ""
    return (
        "Only the four corners, which the fewest windows see, are right: look at where windows "
        "overlap."
    )


def _one_right(got: Array, want: Array, wrong: Mask) -> str:
    for axis in range(want.ndim):
        good = np.flatnonzero(~_slices(wrong, axis).any(axis=1))
        if want.shape[axis] > 2 and len(good) == 1:
            place = _place(want.shape, axis, int(good[0]))
            return f"Only {place} is right{_all_zero(got, wrong)}."
    return ""


def _zeros(got: Array, want: Array, wrong: Mask) -> str:
    if got[wrong].any():
        return ""
    return "Every number is 0." if wrong.all() or not got.any() else "All that is wrong is 0."

"""Misconceptions of backpropagation through a neuron, through gates, and of measuring a gradient.

Forward answers take what the oracle takes; gradients take dout before that.
"""

from collections.abc import Callable, Mapping
from typing import Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import backprop as right

Answer = Callable[..., Any]


def gradient_of(of: Answer, place: int) -> Answer:
    """The gradient of the argument at ``place`` that autograd gives for a (mistaken) function."""

    def answer(dout: Any, *arrays: Any, **settings: Any) -> Any:
        leaves = [array.detach().requires_grad_() for array in arrays]
        of(*leaves, **settings).backward(dout)
        return leaves[place].grad

    return answer


def scaled(answer: Answer, factor: Answer) -> Answer:
    """``answer`` times a number that ``factor`` finds from the same arguments."""

    def product(dout: Any, *arrays: Any, **settings: Any) -> Any:
        return answer(dout, *arrays, **settings) * factor(*arrays, **settings)

    return product


def upstream_ignored(of: Answer, place: int) -> Answer:
    """As `gradient_of`, with ones for dout."""

    def answer(dout: Any, *arrays: Any, **settings: Any) -> Any:
        return gradient_of(of, place)(dout * 0 + 1, *arrays, **settings)

    return answer


UPSTREAM = "The upstream gradient is missing: multiply the local gradient by dout."
WRONG_SIGN = "The sign is wrong."

# The sigmoid neuron.


def _s3(w0: Any, x0: Any, w1: Any, x1: Any, w2: Any) -> Any:
    return w0 * x0 + w1 * x1 + w2


NEURON = (
    Mistake("sigmoid missing", "That is s3: the sigmoid is still missing.", _s3),
    Mistake(
        "exponent's sign",
        "The sign of the exponent is wrong: it is e to the minus s.",
        lambda *given: (-_s3(*given)).sigmoid(),
    ),
    Mistake(
        "w2 missing",
        "w2 is missing: it is added on its own.",
        lambda w0, x0, w1, x1, w2: right.neuron(w0, x0, w1, x1, 0 * w2),
    ),
    Mistake(
        "w2 multiplied",
        "w2 is multiplied; it is added.",
        lambda w0, x0, w1, x1, w2: ((w0 * x0 + w1 * x1) * w2).sigmoid(),
    ),
    Mistake("tanh", "That is tanh, not the sigmoid.", lambda *given: _s3(*given).tanh()),
)

PARTNERS = {0: 1, 1: 0, 2: 3, 3: 2}  # what each of w0, x0, w1, x1 is multiplied by
Local = Callable[[Any, Any], Any]  # of the sigmoid, from s3 and L

SIGMOID_SLOPES: tuple[tuple[str, str, Local], ...] = (
    (
        "σ for its slope",
        "The sigmoid's local gradient is not the sigmoid: it is (1 − L) · L.",
        lambda s, out: out,
    ),
    (
        "1 − σ for its slope",
        "A factor is missing: the sigmoid's local gradient is (1 − L) · L.",
        lambda s, out: 1 - out,
    ),
    (
        "s3 for L",
        "The sigmoid's local gradient is (1 − L) · L, with its output L, not with s3.",
        lambda s, out: s * (1 - s),
    ),
    (
        "sigmoid of L",
        "L has already been through the sigmoid: do not apply it again in (1 − L) · L.",
        lambda s, out: out.sigmoid() * (1 - out.sigmoid()),
    ),
    (
        "sigmoid's slope missing",
        "The gradient jumps over the sigmoid: multiply by its local gradient (1 − L) · L.",
        lambda s, out: 1.0,
    ),
    (
        "L + L²",
        "The sigmoid's local gradient is (1 − L) · L: check the sign.",
        lambda s, out: (1 + out) * out,
    ),
    ("wrong sign", WRONG_SIGN, lambda s, out: -(1 - out) * out),
)


def _through(place: int, local: Local) -> Answer:
    """A gradient of the neuron with another local gradient of its sigmoid."""

    def answer(dout: Any, *given: Any) -> Any:
        into = given[PARTNERS[place]] if place in PARTNERS else 1.0
        return dout * local(_s3(*given), right.neuron(*given)) * into

    return answer


def _neuron_mistakes(place: int) -> tuple[Mistake, ...]:
    slopes = [Mistake(name, says, _through(place, local)) for name, says, local in SIGMOID_SLOPES]
    if place not in PARTNERS:
        return tuple(slopes)
    multiplied = (
        Mistake(
            "not swapped",
            "A multiply gate sends each input the upstream gradient times the *other* input.",
            lambda dout, *given: (
                gradient_of(right.neuron, 4)(dout, *given)
                * given[place]  # w2's is upstream of both
            ),
        ),
        Mistake(
            "multiply gate as add gate",
            "This gradient went through the multiply gate unchanged: multiply by the other input.",
            gradient_of(right.neuron, 4),
        ),
        Mistake(
            "wrong pair",
            "You multiply by an input of the other multiply gate.",
            lambda dout, *given: (
                gradient_of(right.neuron, 4)(dout, *given) * given[(PARTNERS[place] + 2) % 4]
            ),
        ),
    )
    return (*multiplied, *slopes)


NEURON_GRADIENTS = {
    f"d{name}": _neuron_mistakes(place) for place, name in enumerate(("w0", "x0", "w1", "x1", "w2"))
}

# Gates.


def _pair(mistakes: Callable[[int], tuple[Mistake, ...]]) -> Mapping[str, tuple[Mistake, ...]]:
    """The same mistakes for dx and for dy; they take which of the two it is."""
    return {"dx": mistakes(0), "dy": mistakes(1)}


ADD = (Mistake("product", "That is the product.", right.multiply),)
MULTIPLY = (Mistake("sum", "That is the sum.", right.add),)
MAXIMUM = (
    Mistake("minimum", "That is the smaller one.", lambda x, y: x.minimum(y)),
    Mistake("sum", "That is the sum.", right.add),
)

ADD_GRADIENTS = _pair(
    lambda place: (
        Mistake("upstream ignored", UPSTREAM, upstream_ignored(right.add, place)),
        Mistake(
            "swapped",
            "The local gradient of a sum is 1: an add gate passes dout on as it is. Multiplying by "
            "the other input is what a multiply gate does.",
            gradient_of(right.multiply, place),
        ),
        Mistake(
            "halved",
            "An add gate does not share dout out: both inputs receive all of it.",
            lambda dout, *given: dout / 2,
        ),
    )
)
MULTIPLY_GRADIENTS = _pair(
    lambda place: (
        Mistake(
            "not swapped",
            "Multiply dout by the *other* input: if x grows a little, x·y grows by y times that.",
            lambda dout, *given: dout * given[place],
        ),
        Mistake("upstream ignored", UPSTREAM, upstream_ignored(right.multiply, place)),
        Mistake(
            "passed on unchanged",
            "That is what an add gate does. The local gradient of x·y with respect to x is y.",
            lambda dout, *given: dout,
        ),
        Mistake(
            "product passed back",
            "You multiply dout by the output; the local gradient is only the other input.",
            lambda dout, x, y: dout * x * y,
        ),
    )
)
MAXIMUM_GRADIENTS = _pair(
    lambda place: (
        Mistake(
            "to both",
            "Both inputs receive dout. Only the larger one made it through the gate: the other "
            "one's gradient is 0.",
            lambda dout, *given: dout,
        ),
        Mistake(
            "to the smaller",
            "dout goes to the smaller input; it belongs to the one that was passed on.",
            lambda dout, x, y: gradient_of(right.maximum, place)(dout, y, x),
        ),
        Mistake("upstream ignored", UPSTREAM, upstream_ignored(right.maximum, place)),
        Mistake(
            "times the input",
            "dout is multiplied by the value that was passed on; the local gradient is just 1.",
            lambda dout, *given: gradient_of(right.maximum, place)(dout, *given) * given[place],
        ),
        Mistake(
            "halved",
            "Each input receives half of dout. The larger one receives all of it.",
            lambda dout, *given: dout / 2,
        ),
    )
)


def _by_sum(dout: Any, x: Any, y: Any) -> Any:
    """What comes back to either input of `branch` through the add gate."""
    return dout * x.maximum(y)


def _by_maximum(place: int) -> Answer:
    """What comes back to an input of `branch` through the max gate."""

    def answer(dout: Any, x: Any, y: Any) -> Any:
        return gradient_of(right.maximum, place)(dout * (x + y), x, y)

    return answer


BRANCH = (
    Mistake("minimum", "That is (x + y) times the smaller.", lambda x, y: (x + y) * x.minimum(y)),
    Mistake("sum of both", "s and m are multiplied, not added.", lambda x, y: x + y + x.maximum(y)),
)
BRANCH_GRADIENTS = _pair(
    lambda place: (
        Mistake(
            "only through the add gate",
            "Only what comes back through the add gate is there. A value that is used twice "
            "receives from both uses: add them up.",
            _by_sum,
        ),
        Mistake(
            "only through the max gate",
            "Only what comes back through the max gate is there. A value that is used twice "
            "receives from both uses: add them up.",
            _by_maximum(place),
        ),
        Mistake(
            "averaged",
            "The two contributions are averaged; they add up.",
            scaled(gradient_of(right.branch, place), lambda *given: 0.5),
        ),
        Mistake(
            "multiplied",
            "The two contributions are multiplied. Along one path gradients multiply; where paths "
            "meet again they add.",
            lambda dout, *given: _by_sum(dout, *given) * _by_maximum(place)(dout, *given),
        ),
        Mistake(
            "max to both",
            "The max gate sends its gradient to both inputs; only the larger one receives it.",
            lambda dout, x, y: _by_sum(dout, x, y) + dout * (x + y),
        ),
        Mistake(
            "not swapped",
            "At the multiply gate, s receives m times the upstream gradient and m receives s times "
            "it.",
            lambda dout, x, y: (
                dout * (x + y) + gradient_of(right.maximum, place)(dout * x.maximum(y), x, y)
            ),
        ),
    )
)

# The student's own numerical gradient; these take f first.


def _one_sided(sign: int) -> Answer:
    def answer(f: Answer, x: Any, h: float = 1e-5) -> Any:
        from torch import eye, stack

        steps = sign * h * eye(x.numel(), dtype=x.dtype).reshape(-1, *x.shape)
        return stack([(f(x + step) - f(x)) / (sign * h) for step in steps]).reshape(x.shape)

    return answer


def _never_back(f: Answer, x: Any, h: float = 1e-5) -> Any:
    """Every number stays at x − h once it has been moved."""
    slopes, moved = x.clone(), x.clone()
    for place in range(x.numel()):
        number = moved.view(-1)[place]
        moved.view(-1)[place] = up = number + h
        above = f(moved)
        moved.view(-1)[place] = up - 2 * h
        slopes.view(-1)[place] = (above - f(moved)) / (2 * h)
    return slopes


def _from_above(f: Answer, x: Any, h: float = 1e-5) -> Any:
    """The second step is taken from where the first one ended: f(x + h) − f(x)."""
    return _one_sided(1)(f, x, h) / 2


def _all_at_once(f: Answer, x: Any, h: float = 1e-5) -> Any:
    return (f(x + h) - f(x - h)) / (2 * h) + 0 * x


NUMERICAL_GRADIENT = (
    Mistake(
        "one-sided",
        "This is (f(x + h) − f(x)) / h, whose error shrinks like h. The central difference's "
        "shrinks like h².",
        _one_sided(1),
    ),
    Mistake(
        "one-sided, below",
        "This is (f(x) − f(x − h)) / h, whose error shrinks like h. The central difference's "
        "shrinks like h².",
        _one_sided(-1),
    ),
    Mistake(
        "divided by h",
        "f is measured at two points that are 2h apart: divide by 2h.",
        lambda f, x, h=1e-5: 2 * right.central_difference(f, x, h),
    ),
    Mistake(
        "half a difference",
        "x moves up by h and back by h, not on to x − h: the two points should be 2h apart.",
        _from_above,
    ),
    Mistake(
        "wrong sign",
        "The sign is wrong: f(x + h) comes first.",
        lambda f, x, h=1e-5: -right.central_difference(f, x, h),
    ),
    Mistake(
        "not divided",
        "The difference is not divided by 2h.",
        lambda f, x, h=1e-5: 2 * h * right.central_difference(f, x, h),
    ),
    Mistake(
        "never back",
        "A number that was moved stays moved while the next ones are measured: put it back.",
        _never_back,
    ),
    Mistake(
        "all at once",
        "All numbers of x are moved together: move one at a time.",
        _all_at_once,
    ),
    Mistake(
        "h ignored",
        "This is the answer for h = 1e-5, whatever h you are given.",
        lambda f, x, h=1e-5: right.central_difference(f, x),
    ),
)

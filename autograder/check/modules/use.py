"""Checks of functions that are given a student's network: training, accuracy, gradients, NumPy.

The network is made by the student's own class, which has to be right first, and is given numbers
that are known here; what the function should do with it is computed on these.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check.case import name_of
from autograder.check.compare import settled
from autograder.check.explain import changed_arguments, kind
from autograder.check.mistakes import learning_net as mistakes
from autograder.check.modules import judge
from autograder.check.modules.judge import Refused, attempt, wrong
from autograder.check.modules.net import Case
from autograder.check.modules.resnet import resnet
from autograder.check.oracle import learning_net as oracle
from autograder.check.record import Array, Outcome, Record
from autograder.check.verdict import conclude

if TYPE_CHECKING:
    import torch

Function = Callable[..., Any]
Find = Callable[[], Record]

DEPTH, CLASSES, WIDTH = 18, 5, 2
IMAGES = (6, 3, 40, 33)
MANY = 25  # images for an accuracy, of which 20 are right


def gradient_norms(function: Function, make: Function, *, concept: str = "") -> None:
    """Checks ``gradient_norms(net, x, y)`` on a small ResNet-18 that ``make`` makes.

    Args:
        function: the student's.
        make: their ``ResNet(depth, num_classes, width)``.
        concept: see `Record`.

    Raises:
        CheckFailed: a norm is wrong, or there is none, or the network is not right yet.
        GraderBroke: the check itself failed; nothing is said about the student.
    """
    case = _case(make, concept, training=True)
    _conclude(function, "net, x, y", case, lambda: _judged_norms(function, case))


def net_training(
    function: Function,
    make: Function,
    *,
    learning_rate: float,
    momentum: float,
    concept: str = "",
) -> None:
    """Checks ``train(net, batches, learning_rate, momentum)`` by the weights that it leaves.

    The network is in eval mode when it is handed over. All else is as for `gradient_norms`.
    """
    case = _case(make, concept, training=False)
    rates = (learning_rate, momentum)
    told = f"net, batches, {learning_rate}, {momentum}"
    _conclude(function, told, case, lambda: _judged_training(function, case, *rates))


def net_accuracy(function: Function, make: Function, *, concept: str = "") -> None:
    """Checks ``accuracy(net, x, y)``; the network is in train mode when it is handed over.

    All else is as for `gradient_norms`.
    """
    case = _case(make, concept, training=True)
    _conclude(function, "net, x, y", case, lambda: _judged_accuracy(function, case))


def numpy_resnet(
    function: Function,
    *,
    x: tuple[int, ...],
    num_classes: int,
    width: int,
    depth: int = DEPTH,
    concept: str = "",
) -> None:
    """Checks ``numpy_resnet(state, x)``: the scores of a ResNet in eval mode, in NumPy.

    ``state`` is a state dict of arrays. Errors are those of `gradient_norms`.
    """
    case = resnet.case(function, (depth, num_classes), {"width": width}, concept, x)
    _conclude(function, "state, x", case, lambda: _judged_scores(function, case))


def _case(make: Function, concept: str, training: bool) -> Case:
    options = {"width": WIDTH}
    return resnet.case(make, (DEPTH, CLASSES), options, concept, IMAGES, training)


def _conclude(function: Function, told: str, case: Case, find: Find) -> None:
    name = name_of(function)
    subject = case.record(call=f"{name}({told})", inputs=f"net: {case.call}, x: {case.shape}")

    def found() -> Record:
        try:
            record = judge.needs_torch(subject) or find()
        except Refused as refused:
            record = case.record(**refused.found)
        return record.but(call=subject.call, inputs=subject.inputs)

    conclude(subject, found)


def _net(case: Case, dtype: "torch.dtype") -> Any:
    """The student's network, with its numbers; if it is not right yet, that comes first."""
    record = judge.output(case)
    if record.outcome is not Outcome.PASSED:
        message = f"{name_of(case.make)} is not right yet, and this needs one: mend it first"
        found = {"outcome": Outcome.COULD_NOT_RUN, "message": message}
        raise Refused({**found, "hint": record.hint})
    return judge.loaded(case, dtype)


def _images(case: Case) -> "tuple[torch.Tensor, torch.Tensor]":
    import torch

    labels = case.rng.integers(0, CLASSES, len(case.x))
    return torch.tensor(case.x), torch.tensor(labels)


def _network(case: Case) -> oracle.Network:
    return partial(case.net.oracle, **case.sizes)


def _judged_norms(function: Function, case: Case) -> Record:
    import torch

    net, (x, y) = _net(case, torch.float64), _images(case)
    for _ in range(2):  # the second time there are gradients already
        got = _called(function, net, x, y, _numbers)
        names = [name for name, _ in attempt(case.call, lambda: list(net.named_parameters()))]
        state = case.state(torch.float64)
        by_name = oracle.loss_gradients(_network(case), state, x, y, True)
        found = [by_name[name] for name in names if by_name[name].ndim == 4]
        fault = _wrong_norms(got, found, name_of(function))
        if fault:
            return case.record(**fault)
    return case.record(message="every norm is right, and so it is the second time")


def _called(
    function: Function, net: Any, x: "torch.Tensor", y: "torch.Tensor", read: Function
) -> Any:
    """What it returns, as ``read`` makes of it; the images and labels have to be as they were."""
    import torch

    given = {"x": x.clone(), "y": y.clone()}
    value = attempt(name_of(function), lambda: read(function(net, *given.values())))
    before = {"x": x, "y": y}
    changed = tuple(key for key in given if not torch.equal(given[key], before[key]))
    if changed:
        raise Refused(changed_arguments(name_of(function), changed))
    return value


def _numbers(values: Any) -> Any:
    """What was returned, as an array: a tensor, or a list of numbers or tensors."""
    return settled([float(value) for value in values])


def _wrong_norms(got: Any, found: "Sequence[torch.Tensor]", name: str) -> dict[str, Any]:
    want = _array(mistakes.norms(found))
    if np.shape(got) != want.shape:
        return {
            "outcome": Outcome.FAILED, "message": f"{name} returns {np.size(got)} numbers",
            "expected": f"{len(want)}", "hint": mistakes.LENGTH,
        }  # fmt: skip
    known = [(m.says, _array(m.answer(found))) for m in mistakes.NORMS]
    known.append((mistakes.STALE, 2 * want))
    return wrong(got, want, known)


def _array(values: "Sequence[torch.Tensor]") -> Array:
    return np.array([float(value) for value in values])


def _judged_training(function: Function, case: Case, rate: float, momentum: float) -> Record:
    import torch

    net, name = _net(case, torch.float64), name_of(function)
    batches = [_batch(case) for _ in range(3)]
    got = attempt(name, lambda: function(net, list(batches), rate, momentum))
    after = attempt(case.call, lambda: {k: judge.array(v) for k, v in net.state_dict().items()})

    def run(way: oracle.Way) -> tuple[Mapping[str, "torch.Tensor"], list[float]]:
        state = case.state(torch.float64)
        return oracle.trajectory(_network(case), state, batches, rate, momentum, way)

    state, losses = run(oracle.RIGHT)
    looks: list[tuple[str, Any, Callable[[Any], Any]]] = [
        (f"net's {key} afterwards", after[key], partial(_weight, key))
        for key in ("fc.weight", "conv1.weight", "bn1.running_mean")
    ]
    if not isinstance(got, (list, tuple)):
        return case.record(**_not_losses(name, got))
    looks.append(("the losses", settled([float(loss) for loss in got]), lambda ran: ran[1]))
    for what, mine, part in looks:
        known = ((bug.says, np.asarray(part(run(bug.way)))) for bug in mistakes.TRAINING)
        fault = wrong(mine, np.asarray(part((state, losses))), known)
        if fault:
            return case.record(**{**fault, "message": f"{what}: {fault['message']}"})
    return case.record(message="every weight and loss is that of PyTorch's run")


def _weight(key: str, ran: Any) -> Any:
    return ran[0][key].numpy()


def _not_losses(name: str, got: Any) -> dict[str, Any]:
    message = f"{name} should return a list of losses"
    return {"outcome": Outcome.FAILED, "message": message, "got": kind(got)}


def _batch(case: Case) -> "tuple[torch.Tensor, torch.Tensor]":
    import torch

    labels = case.rng.integers(0, CLASSES, len(case.x))
    return torch.tensor(case.rng.standard_normal(case.shape)), torch.tensor(labels)


def _judged_accuracy(function: Function, case: Case) -> Record:
    import torch

    x, y, right = _told_apart(case)
    net = _net(case, torch.float64)
    got = _called(function, net, x, y, lambda value: settled(float(value)))
    want, count = np.asarray(right[False] / len(y)), len(y)
    known = [
        (mistakes.EVAL, np.asarray(right[True] / count)),
        (mistakes.COUNT, want * count),
        (mistakes.PERCENT, want * 100),
        (mistakes.WRONG_ONES, 1 - want),
    ]
    fault = wrong(got, want, known)
    return case.record(**fault) if fault else case.record(message=f"= {want:.3g}")


def _told_apart(case: Case) -> "tuple[torch.Tensor, torch.Tensor, dict[bool, int]]":
    """Images, labels, and how many are right in each mode: more in eval mode than in train mode."""
    import torch

    def scores(training: bool) -> "torch.Tensor":
        return _network(case)(case.state(torch.float64), x, training).detach()

    x = torch.tensor(case.rng.standard_normal((MANY, *case.shape[1:])))
    # Else one class may have the largest score everywhere, in both modes.
    case.numbers["fc.bias"] -= scores(training=False).mean(0).numpy()
    says = {mode: scores(mode).argmax(1) for mode in (False, True)}
    y = says[False].clone()
    for i in range(0, MANY, 5):  # these are wrong in both modes
        y[i] = min({*range(CLASSES)} - {int(said[i]) for said in says.values()})
    return x, y, {mode: int((says[mode] == y).sum()) for mode in says}


def _judged_scores(function: Function, case: Case) -> Record:
    state, x = {name: array.copy() for name, array in case.numbers.items()}, case.x.copy()
    out = attempt(name_of(function), lambda: settled(function(state, x)))
    want = case.answer(case.net.oracle).out
    fault = wrong(out, want, judge.known_answers(case, lambda answer: answer.out))
    given = {"state": _same(state, case.numbers), "x": _same({"x": x}, {"x": case.x})}
    changed = tuple(name for name, same in given.items() if not same)
    if not fault and changed:
        fault = changed_arguments(name_of(function), changed)
    return case.record(**fault) if fault else case.record(message="the scores are PyTorch's")


def _same(after: Mapping[str, Array], before: Mapping[str, Array]) -> bool:
    return after.keys() == before.keys() and all(
        map(np.array_equal, after.values(), before.values())
    )

"""Checks of what a net starts with: taken over weights, what is frozen, what stays in eval mode."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check.case import name_of
from autograder.check.finetuning.nets import (
    CLASSES,
    Function,
    State,
    Subject,
    backbone_of,
    batch,
    conclude_precisely,
    conclude_with,
    explained,
    failed,
    first_wrong,
    flags_of,
    frozen_by,
    made,
    our_state,
    pair,
    state_of,
    subject,
)
from autograder.check.mistakes import finetuning as mistakes
from autograder.check.modules import judge
from autograder.check.modules.judge import MOST_NAMES, Refused, attempt
from autograder.check.oracle import finetuning as oracle
from autograder.check.record import Record

if TYPE_CHECKING:
    import torch
    from torch import Tensor

GIVEN = 12  # classes of the head that is to be left out
SCORES = "the scores in train mode"


def pretrained_net(make: Function, *, num_classes: int, concept: str = "") -> None:
    """Checks ``pretrained_net(state, num_classes)``: the state is in the net, but for the head.

    Args:
        make: the student's.
        num_classes: of the net; the state has a head of `GIVEN` classes, and once none.
        concept: see `Record`.

    Raises:
        CheckFailed: some of the state is missing, or the head is not a new one.
        GraderBroke: the check itself failed; nothing is said about the student.
    """
    case = subject(make, f"state, {num_classes}", concept, f"state: with a head of {GIVEN} classes")
    conclude_with(case, lambda: _judged_net(case, make, num_classes))


def _judged_net(case: Subject, make: Function, num_classes: int) -> Record:
    import torch

    numbers = oracle.drawn(case.stream(), GIVEN)
    backbone = backbone_of(numbers)
    head = {
        name: value
        for name, value in oracle.tensors(numbers, torch.float32).items()
        if oracle.is_head(name)
    }
    heads = []
    for state in ({**backbone, **head}, {**head, **backbone}, backbone):
        found = _taken_over(case, make, state, num_classes)
        heads.append(found["fc.weight"])
    if np.array_equal(heads[0], heads[1]):
        return case.record(**failed("the head is not drawn anew", hint=mistakes.SAME_HEAD))
    return case.record(message="has all of the state but its head")


def _taken_over(
    case: Subject, make: Function, state: "Mapping[str, Tensor]", num_classes: int
) -> State:
    """What the net holds that is made of ``state``; raises `Refused` unless that is right."""
    import torch

    given = {name: value.clone() for name, value in state.items()}
    net = explained(case.name, lambda: make(given, num_classes), mistakes.LOADING)
    if not isinstance(net, torch.nn.Module):
        got = "None" if net is None else f"one {type(net).__name__}"
        raise Refused(failed(f"{case.name} should return a net", got=got))
    found = state_of(net, case.name)
    fault = (
        _changed(case, given, state)
        or _misshapen(case, net, num_classes)
        or _not_loaded(found, state)
        or _old_head(found, state)
        or _frozen(case, net)
        or _shared(case, net, given, state)
    )
    if fault:
        raise Refused(fault)
    return found


def _changed(
    case: Subject, given: "Mapping[str, Tensor]", state: "Mapping[str, Tensor]"
) -> dict[str, Any]:
    if _equal(given, state):
        return {}
    return failed(f"{case.name} changes its argument state", hint=mistakes.STATE_CHANGED)


def _equal(given: "Mapping[str, Tensor]", state: "Mapping[str, Tensor]") -> bool:
    import torch

    return given.keys() == state.keys() and all(torch.equal(given[n], state[n]) for n in state)


def _misshapen(case: Subject, net: Any, num_classes: int) -> dict[str, Any]:
    got = attempt(case.name, lambda: judge.shapes_of(net.state_dict()))
    want = judge.shapes_of(oracle.small_resnet(num_classes).state_dict())
    wrong = [name for name in want if got.get(name) != want[name]]
    if not wrong and len(got) == len(want):
        return {}
    name = wrong[0] if wrong else next(name for name in got if name not in want)
    return failed(
        f"{name} is not as in a SmallResNet of {num_classes} classes",
        got=str(got.get(name, "missing")),
        expected=str(want.get(name, "no such name")),
    )


def _not_loaded(found: State, state: "Mapping[str, Tensor]") -> dict[str, Any]:
    names = [name for name in state if not oracle.is_head(name)]
    missing = [name for name in names if not np.allclose(found[name], state[name].numpy())]
    if not missing:
        return {}
    more = f" and {len(missing) - MOST_NAMES} more" if len(missing) > MOST_NAMES else ""
    return failed(
        f"{len(missing)} of {len(names)} tensors of the backbone are not the state's",
        got=", ".join(missing[:MOST_NAMES]) + more,
        hint=_what_is_missing(names, missing),
    )


def _what_is_missing(names: Sequence[str], missing: Sequence[str]) -> str:
    statistics = {name for name in names if judge.is_statistic(name)}
    known = {
        frozenset(names): mistakes.NOTHING_LOADED,
        frozenset(statistics): mistakes.NO_STATISTICS,
        frozenset(set(names) - statistics): mistakes.ONLY_STATISTICS,
    }
    return known.get(frozenset(missing), "")


def _old_head(found: State, state: "Mapping[str, Tensor]") -> dict[str, Any]:
    for name in ("fc.weight", "fc.bias"):
        old = state.get(name)
        alike = old is not None and old.shape == found[name].shape
        if alike and np.allclose(found[name], state[name].numpy()):
            return failed(f"{name} is the state's", hint=mistakes.HEAD)
    if np.ptp(found["fc.weight"]) == 0:
        return failed("fc.weight is not random", hint=mistakes.FLAT_HEAD)
    return {}


def _frozen(case: Subject, net: Any) -> dict[str, Any]:
    frozen = [name for name, flag in flags_of(net, case.name).items() if not flag]
    if not frozen:
        return {}
    return failed(f"{frozen[0]} requires no gradient", hint="Freezing comes later, and not here.")


def _shared(
    case: Subject, net: Any, given: "Mapping[str, Tensor]", state: "Mapping[str, Tensor]"
) -> dict[str, Any]:
    zeros = {name: 0 * value for name, value in attempt(case.name, net.state_dict).items()}
    attempt(case.name, lambda: net.load_state_dict(zeros))
    if _equal(given, state):
        return {}
    return failed("training the net would change the state", hint=mistakes.SHARED)


def frozen_net(
    make: Function, freeze: Function, *, children: Sequence[str], concept: str = ""
) -> None:
    """Checks ``freeze(net, children)`` by where gradients arrive.

    Args:
        make: the student's ``pretrained_net``.
        freeze: the student's.
        children: names of children of the net.
        concept: see `Record`.

    Raises:
        CheckFailed: others are frozen, or the net is not right yet.
        GraderBroke: the check itself failed; nothing is said about the student.
    """
    case = subject(freeze, f"net, {list(children)}", concept)
    conclude_precisely(case, lambda dtype: _judged_freezing(case, make, freeze, children, dtype))


def _judged_freezing(
    case: Subject, make: Function, freeze: Function, children: Sequence[str], dtype: "torch.dtype"
) -> Record:
    import torch

    rng = case.stream()
    net, _ = pair(make, rng, dtype)
    given, before = list(children), state_of(net, case.name)
    attempt(case.name, lambda: freeze(net, given))
    if given != list(children):
        message = f"{case.name} changes its argument children"
        return case.record(**failed(message, hint="The caller still needs that list."))
    x, labels = batch(rng, dtype)
    flags = flags_of(net, case.name)
    loss = torch.nn.functional.cross_entropy(attempt(case.name, lambda: net.eval()(x)), labels)
    if any(flags.values()):
        attempt(case.name, lambda: torch.autograd.backward(loss))
    reached = attempt(case.name, lambda: {n for n, p in net.named_parameters() if _nonzero(p.grad)})
    fault = _wrongly_frozen(flags, set(flags) - reached, children)
    after = state_of(net, case.name)
    if not fault and any(not np.array_equal(before[name], after[name]) for name in before):
        fault = failed(f"{case.name} changes the net's weights", hint="Only requires_grad changes.")
    return case.record(**(fault or {"message": "these are frozen, and no others"}))


def _nonzero(gradient: "Tensor | None") -> bool:
    return gradient is not None and bool(gradient.any())


def _wrongly_frozen(
    flags: Mapping[str, bool], frozen: set[str], children: Sequence[str]
) -> dict[str, Any]:
    names = list(flags)
    want = {name for name in names if oracle.child_of(name) in children}
    said = {name for name in names if not flags[name]}
    if frozen == want == said:
        return {}
    if frozen == want:
        name = next(name for name in names if name in want ^ said)
        return failed(f"{name} does not say that it is frozen", hint=mistakes.NO_FLAG)
    known = (m.says for m in mistakes.FROZEN if m.answer(names, children) == frozen != want)
    name = next(name for name in names if name in want ^ frozen)
    told = ("a gradient reaches it", "no gradient reaches it")
    return failed(
        f"{name} {'should be' if name in want else 'should not be'} frozen",
        got=told[name in frozen],
        expected=told[name in want],
        where=f"{len(want ^ frozen)} of {len(names)} parameters are not as they should be",
        hint=next(known, ""),
    )


def frozen_statistics(
    make: Function,
    freeze: Function,
    train_mode: Function,
    *,
    children: Sequence[str],
    concept: str = "",
) -> None:
    """Checks ``train_mode(net)`` by the scores and the running statistics of the next forward pass.

    The net is in eval mode when it is handed over, and once in train mode. All else is as for
    `frozen_net`.
    """
    case = subject(train_mode, "net", concept, f"net: after {name_of(freeze)}(net, {[*children]})")

    def find(dtype: "torch.dtype") -> Record:
        for training in (False, True):
            fault = _wrong_mode(case, (make, freeze, train_mode), children, training, dtype)
            if fault:
                return case.record(**fault)
        return case.record(message="the scores and running statistics are PyTorch's")

    conclude_precisely(case, find)


def _wrong_mode(
    case: Subject,
    functions: tuple[Function, Function, Function],
    children: Sequence[str],
    training: bool,
    dtype: "torch.dtype",
) -> dict[str, Any]:
    make, freeze, train_mode = functions
    rng = case.stream()
    numbers = oracle.drawn(rng, CLASSES)
    net = made(make, numbers, dtype)
    frozen_by(freeze, net, children)
    attempt(case.name, lambda: net.train(training))
    x, _ = batch(rng, dtype)
    got = _scored(case, net, _returned(case, train_mode, net), x)
    answer = partial(_our_scores, numbers, children, x)
    known = [(mistake.says, partial(answer, mistake.answer)) for mistake in mistakes.MODES]
    known += [(mistakes.KEPT, partial(answer, mistakes.MODES[0].answer, kept=True))]
    return first_wrong(got, answer(_learning), known)


def _returned(case: Subject, train_mode: Function, net: Any) -> Any:
    """What ``train_mode`` returns; raises `Refused` unless it is a net."""
    import torch

    returned = attempt(case.name, lambda: train_mode(net))
    if not isinstance(returned, torch.nn.Module):
        got = "None" if returned is None else f"one {type(returned).__name__}"
        raise Refused(failed(f"{case.name} should return the net", got=got))
    return returned


def _scored(case: Subject, net: Any, returned: Any, x: "Tensor") -> State:
    """The scores of what was returned, and the statistics of the net after them."""
    import torch

    with torch.no_grad():
        scores = attempt(case.name, lambda: judge.array(returned(x)))
    return {SCORES: scores, **_statistics(state_of(net, case.name))}


def _our_scores(
    numbers: oracle.Numbers,
    children: Sequence[str],
    x: "Tensor",
    names: Function,
    kept: bool = False,
) -> State:
    """The same of ours, with these batch norms in train mode.

    Args:
        numbers: of the net.
        children: that are frozen.
        x: images.
        names: of the batch norms in train mode, for a net.
        kept: whether the statistics of those that are frozen are put back afterwards.
    """
    import torch

    net = oracle.net_of(numbers, x.dtype)
    oracle.freeze(net, children)
    moving, before = names(net), our_state(net)
    for name, layer in oracle.batch_norms(net):
        layer.train(name in moving)
    with torch.no_grad():
        scores = judge.array(net(x))
    after = our_state(net)
    if kept:
        learning = _learning(net)
        after = {n: (after if n.rpartition(".")[0] in learning else before)[n] for n in after}
    return {SCORES: scores, **_statistics(after)}


def _learning(net: Any) -> set[str]:
    return {name for name, layer in oracle.batch_norms(net) if layer.weight.requires_grad}


def _statistics(state: State) -> State:
    return {f"{name} afterwards": state[name] for name in state if judge.is_statistic(name)}

"""What a check of a module finds: the student's answers beside the oracle's, as records."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check import oracle
from autograder.check.call import Called, call_as_is
from autograder.check.case import name_of
from autograder.check.compare import Difference, difference
from autograder.check.explain import changed_arguments, differs, kind, raised
from autograder.check.record import Array, Outcome, Record

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from autograder.check.modules.net import Answer, Case

Shapes = Mapping[str, tuple[int, ...]]

# What PyTorch says where single and double precision meet.
DTYPES = re.compile(r"dtype|scalar type|Double|Float")
DEPTH = 8  # layers, in each of which a correct answer may lose a little more
MOST_NAMES = 4  # that a report lists


def needs_torch(record: Record) -> Record | None:
    """The record of a check that cannot be made, where there is no PyTorch."""
    if oracle.available():
        return None
    message = "this lesson is written in PyTorch, which is not installed here: pip install torch"
    return record.but(outcome=Outcome.COULD_NOT_RUN, message=message)


def is_statistic(name: str) -> bool:
    """Whether that is the name of something that batch norm keeps and nobody learns."""
    return name.endswith(("running_mean", "running_var", "num_batches_tracked"))


def statistics(state: Mapping[str, Any]) -> dict[str, Array]:
    """The running statistics in a state dict."""
    return {name: array(value) for name, value in state.items() if is_statistic(name)}


def array(value: "Tensor") -> Array:
    """The numbers of a tensor, wherever it is and whatever its dtype."""
    return np.asarray(value.detach().cpu().double().numpy())


class Refused(Exception):  # noqa: N818, it carries a finding rather than an error
    """The student's module did not do what was asked of it; ``found`` says how."""

    def __init__(self, found: dict[str, Any]) -> None:
        super().__init__(found.get("message", ""))
        self.found = found


def attempt(name: str, act: Callable[[], Any]) -> Any:
    """What ``act`` returns, which runs student code; raises `Refused` if that raises."""
    called: Called = call_as_is(act, [], {}, {})
    if called.error is not None:
        raise Refused(raised(called, name))
    return called.value


def built(case: "Case") -> Any:
    """The student's module, whose names and shapes are right.

    Raises:
        Refused: there is none, or they are not.
    """
    import torch

    name = name_of(case.make)
    module = attempt(name, lambda: case.make(*case.given, **case.options))
    if not isinstance(module, torch.nn.Module):
        message = f"{name} should make a torch.nn.Module"
        raise Refused({"outcome": Outcome.FAILED, "message": message, "got": kind(module)})
    fault = _misnamed(case, attempt(name, lambda: shapes_of(module.state_dict())))
    if fault:
        raise Refused(fault)
    return module


def shapes_of(state: Any) -> dict[str, tuple[int, ...]]:
    """The shape of everything in a state dict."""
    return {str(name): tuple(value.shape) for name, value in state.items()}


def names(case: "Case") -> Record:
    """What is found of the names and shapes in the state dict."""
    try:
        built(case)
    except Refused as refused:
        return case.record(**refused.found)
    return case.record(message="names and shapes are right")


def _misnamed(case: "Case", got: Shapes) -> dict[str, Any]:
    want = case.net.shapes(**case.sizes)
    if got == want:
        return {}
    known = (m.says for m in case.net.drafts if m.answer(**case.sizes) == got)
    advice = next(known, "") or _renamed(got, want)
    missing = [name for name in want if name not in got]
    more = [name for name in got if name not in want]
    fault: dict[str, Any] = {"outcome": Outcome.FAILED, "hint": advice}
    if missing or more:
        fault["message"] = f"its state_dict has no {missing[0]}" if missing else (
            f"its state_dict should have no {more[0]}"
        )  # fmt: skip
        fault["got"] = _listed(more) and f"besides, {_listed(more)}" if missing else _listed(more)
        fault["expected"] = _listed(missing)
        fault["where"] = f"{len(missing)} names are missing, {len(more)} are too many"
        return fault
    name = next(name for name in want if got[name] != want[name])
    shapes = {"got": str(got[name]), "expected": str(want[name])}
    return {**fault, "message": f"{name} has another shape", **shapes}


def _renamed(got: Shapes, want: Shapes) -> str:
    """What to say where nothing but names is wrong."""
    if sorted(got.values()) != sorted(want.values()):
        return ""
    mine = [name for name in got if name not in want]
    theirs = [name for name in want if name not in got]
    pairs = [(a, b) for a, b in zip(mine, theirs, strict=True) if got[a] == want[b]]
    if not pairs:
        return ""
    return f"Everything is there, but under another name: your {pairs[0][0]} is {pairs[0][1]}."


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def output(case: "Case") -> Record:
    """What is found of the output, and of the statistics afterwards."""
    return _either_precision(case, _output)


def gradients(case: "Case") -> Record:
    """What is found of the gradients of the input and of every parameter."""
    return _either_precision(case, _gradients)


def _either_precision(case: "Case", judge: Callable[["Case", "torch.dtype"], Record]) -> Record:
    """In double precision; in single only if the module is made for nothing else."""
    import torch

    record = _judged(case, judge, torch.float64)
    if " raised " in record.message and DTYPES.search(record.got):
        return _judged(case, judge, torch.float32)
    return record


def _judged(
    case: "Case", judge: Callable[["Case", "torch.dtype"], Record], dtype: "torch.dtype"
) -> Record:
    try:
        return judge(case, dtype)
    except Refused as refused:
        return case.record(**refused.found)


def loaded(case: "Case", dtype: "torch.dtype") -> Any:
    """The student's module with the numbers of the case, in its mode; may raise `Refused`."""
    module = built(case)

    def load() -> None:
        module.to("cpu", dtype)
        module.load_state_dict(case.state(dtype))
        module.train(case.training)

    attempt(name_of(case.make), load)
    return module


def _output(case: "Case", dtype: "torch.dtype") -> Record:
    import torch

    name, module = name_of(case.make), loaded(case, dtype)
    given = torch.tensor(case.x, dtype=dtype)
    out = _ran(case, module, given)
    if not isinstance(out, torch.Tensor):
        return case.record(**no_tensor(name, out))
    want = case.answer(case.net.oracle)
    found = wrong(
        attempt(name, lambda: array(out)), want.out, known_answers(case, lambda answer: answer.out)
    )
    if found:
        return case.record(**found)
    if not torch.equal(given, torch.tensor(case.x, dtype=dtype)):
        return case.record(**changed_arguments(name, ("x",)))
    after = attempt(name, lambda: statistics(module.state_dict()))
    return _wrong_statistics(case, after, want) or case.record(message="agrees with PyTorch")


def _ran(case: "Case", module: Any, x: "Tensor") -> Any:
    try:
        return attempt(name_of(case.make), lambda: module(x))
    except Refused as refused:
        said = str(refused.found.get("got", ""))
        known = (says for pattern, says in case.net.errors.items() if re.search(pattern, said))
        raise Refused({**refused.found, "hint": next(known, "")}) from None


def no_tensor(name: str, got: Any) -> dict[str, Any]:
    """What to say where a tensor was expected."""
    message, expected = f"{name} should return a tensor", "a torch.Tensor"
    return {
        "outcome": Outcome.FAILED, "message": message, "got": kind(got), "expected": expected,
    }  # fmt: skip


Part = Callable[["Answer"], Array | None]
Known = Iterable[tuple[str, Array | None]]  # what a mistake says, and its answer


def known_answers(
    case: "Case", part: Part, dout: Array | None = None
) -> Iterator[tuple[str, Array | None]]:
    """What each mistake says and would have answered; found out only when asked for."""
    for mistake in case.net.mistakes:
        try:
            answer = part(case.answer(mistake.answer, dout))
        except (RuntimeError, ValueError, KeyError):
            continue  # torch says that this mistake cannot be made with these shapes
        yield mistake.says, answer


def wrong(got: Array, want: Array, known: Known = ()) -> dict[str, Any]:
    """How an array differs, if it does; by the mistake whose answer it is."""
    found = _differs(got, want)
    if found is None:
        return {}
    hints = (says for says, answer in known if answer is not None and not _differs(got, answer))
    return differs(found, got, want, next(hints, ""))


def _differs(got: Array, want: Array) -> Difference | None:
    return difference(got, want, np.full_like(want, DEPTH * np.abs(want).max(initial=0.0)))


def _statistic(name: str) -> Part:
    return lambda answer: answer.statistics[name]


def _gradient(name: str) -> Part:
    return lambda answer: answer.gradients[name]


def _wrong_statistics(case: "Case", after: Mapping[str, Array], want: "Answer") -> Record | None:
    for name, right in want.statistics.items():
        found = wrong(after[name], right, known_answers(case, _statistic(name)))
        if found:
            mode = "after one step" if case.training else "in eval mode"
            return case.record(**{**found, "message": f"{name} {mode}: {found['message']}"})
    return None


def _gradients(case: "Case", dtype: "torch.dtype") -> Record:
    import torch

    name, module = name_of(case.make), loaded(case, dtype)
    given = torch.tensor(case.x, dtype=dtype, requires_grad=True)
    out = _ran(case, module, given)
    want = case.answer(case.net.oracle).out
    if not isinstance(out, torch.Tensor) or wrong(attempt(name, lambda: array(out)), want):
        message = "its output is not right yet: mend it first"
        return case.record(outcome=Outcome.COULD_NOT_RUN, message=message)
    dout = case.rng.standard_normal(want.shape)
    attempt(name, lambda: torch.autograd.backward(out, torch.tensor(dout, dtype=dtype)))
    got = attempt(name, lambda: {key: p.grad for key, p in module.named_parameters()})
    found = {**got, "x": given.grad}
    return _compared_gradients(
        case, {key: None if part is None else array(part) for key, part in found.items()}, dout
    )


def _compared_gradients(case: "Case", got: Mapping[str, Array | None], dout: Array) -> Record:
    for name, want in case.answer(case.net.oracle, dout).gradients.items():
        known = known_answers(case, _gradient(name), dout)
        mine = got.get(name)
        if want is not None and mine is None:
            hints = (says for says, answer in known if answer is None)
            found = {"outcome": Outcome.FAILED, "hint": next(hints, "")}
            return case.record(**found, message=f"no gradient reaches {name}")
        fault = {} if mine is None or want is None else wrong(mine, want, known)
        if fault:
            return case.record(**{**fault, "message": f"gradient of {name}: {fault['message']}"})
    return case.record(message="every gradient agrees with autograd's")

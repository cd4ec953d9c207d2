"""Nets of the student's with numbers that are known, and how a check of them is concluded."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.check import seed
from autograder.check.call import call_as_is
from autograder.check.case import drawn, name_of
from autograder.check.compare import difference, settled
from autograder.check.explain import changed_arguments, raised
from autograder.check.modules import judge
from autograder.check.modules.judge import DTYPES, Refused, attempt, wrong
from autograder.check.oracle import finetuning as oracle
from autograder.check.record import Array, Outcome, Record
from autograder.check.verdict import conclude

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Function = Callable[..., Any]
State = dict[str, Array]
CLASSES = 5
IMAGES = (4, 3, 16, 24)


@dataclass(frozen=True)
class Subject:
    """One check: how to speak of it, and what it draws from.

    Attributes:
        name: of the function that is checked.
        call: how a student would write it.
        concept: see `Record`.
        inputs: what it is given.
    """

    name: str
    call: str
    concept: str
    inputs: str = ""

    def record(self, **found: Any) -> Record:
        """A `Record` that is passed unless ``found`` says otherwise."""
        record = Record(
            call=self.call, inputs=self.inputs, concept=self.concept, seed=seed.current()
        )
        return record.but(**found)

    def stream(self) -> np.random.Generator:
        """Random numbers, the same on every call."""
        return seed.stream(f"{self.call} {self.concept}")


def subject(function: Function, told: str, concept: str, inputs: str = "") -> Subject:
    """The check of ``function``, whose arguments are ``told``."""
    name = name_of(function)
    return Subject(name, f"{name}({told})", concept, inputs)


def conclude_with(subject: Subject, find: Callable[[], Record]) -> None:
    """Shows what is found, and raises unless it is right; where there is no PyTorch, says so."""

    def found() -> Record:
        try:
            return judge.needs_torch(subject.record()) or find()
        except Refused as refused:
            return subject.record(**refused.found)

    conclude(subject.record(), found)


def conclude_precisely(subject: Subject, find: "Callable[[torch.dtype], Record]") -> None:
    """The same in double precision; in single only where the student's code allows no other."""

    def found() -> Record:
        import torch

        try:
            return find(torch.float64)
        except Refused as refused:
            told = refused.found
            if " raised " not in told["message"] or not DTYPES.search(str(told.get("got"))):
                raise
        return find(torch.float32)

    conclude_with(subject, found)


def failed(message: str, **more: Any) -> dict[str, Any]:
    """What a record says of a wrong answer."""
    return {"outcome": Outcome.FAILED, "message": message, **more}


def not_yet(name: str, hint: str = "") -> Refused:
    """Something that a check stands on is wrong, and that is what to mend."""
    message = f"{name} is not right yet, and this needs one: mend it first"
    return Refused({"outcome": Outcome.COULD_NOT_RUN, "message": message, "hint": hint})


def explained(name: str, act: Callable[[], Any], errors: Mapping[str, str]) -> Any:
    """As `attempt`; ``errors`` say what words in a message of PyTorch's come from.

    The words may stand behind those of the message that are shown.
    """
    called = call_as_is(act, [], {}, {})
    if called.error is None:
        return called.value
    said = str(called.error)
    hint = next((says for words, says in errors.items() if re.search(words, said)), "")
    raise Refused({**raised(called, name), "hint": hint})


def made(make: Function, numbers: oracle.Numbers, dtype: "torch.dtype") -> Any:
    """The student's net with these numbers.

    Raises:
        Refused: ``make`` does not make one that can take them.
    """
    import torch

    name = name_of(make)
    backbone = backbone_of(numbers)
    net = attempt(name, lambda: make(backbone, len(numbers["fc.bias"])))
    if not isinstance(net, torch.nn.Module):
        raise not_yet(name)
    shapes = {key: value.shape for key, value in numbers.items()}
    if attempt(name, lambda: judge.shapes_of(net.state_dict())) != shapes:
        raise not_yet(name)
    attempt(name, lambda: net.to("cpu", dtype))
    attempt(name, lambda: net.load_state_dict(oracle.tensors(numbers, dtype)))
    return net


def backbone_of(numbers: oracle.Numbers) -> "dict[str, Tensor]":
    """What ``pretrained_net`` is given: no head, and no counts of batches."""
    import torch

    return {
        name: value
        for name, value in oracle.tensors(numbers, torch.float32).items()
        if not oracle.is_head(name) and not name.endswith(oracle.COUNT)
    }


def pair(
    make: Function, rng: np.random.Generator, dtype: "torch.dtype", classes: int = CLASSES
) -> tuple[Any, Any]:
    """The student's net and one of ours with the same numbers."""
    numbers = oracle.drawn(rng, classes)
    return made(make, numbers, dtype), oracle.net_of(numbers, dtype)


def state_of(net: Any, name: str) -> State:
    """All that a net of the student's holds and that matters, as arrays by name.

    They are copies: a state dict shares its memory with the net, which goes on learning.
    """
    found = attempt(name, lambda: net.state_dict())
    return {key: judge.array(found[key]).copy() for key in found if not key.endswith(oracle.COUNT)}


def our_state(net: Any) -> State:
    """The same of one of ours."""
    return state_of(net, "")


def frozen_by(freeze: Function | None, net: Any, children: Sequence[str]) -> None:
    """Lets the student freeze children of a net; raises `Refused` if those are not frozen."""
    if freeze is None:
        return
    attempt(name_of(freeze), lambda: freeze(net, list(children)))
    for name, flag in flags_of(net, name_of(freeze)).items():
        if flag == (oracle.child_of(name) in children):
            raise not_yet(name_of(freeze))


def flags_of(net: Any, name: str) -> dict[str, bool]:
    """Whether each parameter has gradients."""

    def read() -> dict[str, bool]:
        return {str(key): bool(value.requires_grad) for key, value in net.named_parameters()}

    found: dict[str, bool] = attempt(name, read)
    return found


def batch(rng: np.random.Generator, dtype: "torch.dtype", classes: int = CLASSES) -> "oracle.Batch":
    """Images as numbers, and labels."""
    import torch

    labels = torch.tensor(rng.integers(0, classes, IMAGES[0]))
    return torch.tensor(rng.standard_normal(IMAGES), dtype=dtype), labels


def pixels(rng: np.random.Generator, images: Any) -> "Tensor":
    """Images as bytes."""
    import torch

    return torch.tensor(np.asarray(drawn(rng, images)).astype(np.uint8))


def unchanged(name: str, given: "Mapping[str, Tensor]", act: Callable[..., Any]) -> Any:
    """What ``act`` returns for copies of tensors, which it has to leave as they are."""
    import torch

    copies = {key: value.clone() for key, value in given.items()}
    value = attempt(name, lambda: act(*copies.values()))
    changed = tuple(key for key in given if not torch.equal(given[key], copies[key]))
    if changed:
        raise Refused(changed_arguments(name, changed))
    return value


def first_wrong(
    got: Mapping[str, Any], want: Mapping[str, Any], known: "Iterable[tuple[str, Known]]" = ()
) -> dict[str, Any]:
    """How the first of several arrays differs; a mistake is named if all of them are its own.

    Args:
        got: the student's, by what they are.
        want: the right ones.
        known: what a mistake says, and what makes its answer.
    """
    key = next((key for key in want if not _alike(got[key], want[key])), None)
    if key is None:
        return {}
    hint = next((says for says, answer in known if same(got, answer())), "")
    found = wrong(got[key], want[key], [(hint, got[key])] if hint else ())
    return {**found, "message": f"{key}: {found['message']}"}


Known = Callable[[], Mapping[str, Any]]


def same(got: Mapping[str, Any], want: Mapping[str, Any]) -> bool:
    """Whether several arrays are all alike."""
    return got.keys() == want.keys() and all(_alike(got[key], want[key]) for key in want)


def _alike(got: Any, want: Array) -> bool:
    """Whether nothing is `wrong`; what is wrong is not asked, which would take much longer."""
    magnitude = np.full_like(want, judge.DEPTH * np.abs(want).max(initial=0.0))
    return difference(got, want, magnitude) is None


def numbers_in(name: str, losses: Any) -> Any:
    """Losses that were returned, as an array.

    Raises:
        Refused: they are no numbers, or tensors that still hold their graph.
    """
    import torch

    try:
        items = list(losses)
    except TypeError:
        message = f"{name} should return a list of losses"
        got = "None" if losses is None else f"one {type(losses).__name__}"
        raise Refused(failed(message, got=got)) from None
    if any(isinstance(item, torch.Tensor) and item.requires_grad for item in items):
        message = f"{name} returns tensors, not numbers"
        hint = "Each holds on to the graph of its whole step, and memory fills up: loss.item()."
        raise Refused(failed(message, hint=hint))
    return attempt(name, lambda: settled([float(item) for item in items]))

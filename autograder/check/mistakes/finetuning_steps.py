"""Misconceptions of the optimizer's groups, of an epoch's steps, and of going on after a break."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from autograder.check.mistakes import Mistake
from autograder.check.oracle.finetuning import (
    Plan,
    Restored,
    Way,
    grouped,
    is_head,
    optimizer,
)

if TYPE_CHECKING:
    from torch import Tensor

Chosen = tuple[float, float] | None


def _planned(**changes: Any) -> Any:
    return lambda net, plan: optimizer(net, replace(plan, **changes))


def _by(group: Any) -> Any:
    return lambda net, plan: optimizer(net, plan, group)


def _decayed(chosen: Any) -> Any:
    """Weight decay for other parameters: where ``chosen(name, parameter)``."""

    def group(plan: Plan, name: str, parameter: "Tensor") -> Chosen:
        rate = plan.head_rate if is_head(name) else plan.backbone_rate
        return rate, plan.weight_decay if chosen(name, parameter) else 0.0

    return _by(group)


def _without(left_out: Any) -> Any:
    def group(plan: Plan, name: str, parameter: "Tensor") -> Chosen:
        return None if left_out(name, parameter) else grouped(plan, name, parameter)

    return _by(group)


def _swapped(plan: Plan, name: str, parameter: "Tensor") -> Chosen:
    return grouped(replace(plan, head_rate=plan.backbone_rate, backbone_rate=plan.head_rate), name,
                   parameter)  # fmt: skip


def _same_rate(which: str) -> Any:
    def group(plan: Plan, name: str, parameter: "Tensor") -> Chosen:
        rate = getattr(plan, which)
        return grouped(replace(plan, head_rate=rate, backbone_rate=rate), name, parameter)

    return _by(group)


def _head_bias(plan: Plan, name: str, parameter: "Tensor") -> Chosen:
    chosen = grouped(plan, name, parameter)
    return (plan.backbone_rate, 0.0) if name == "fc.bias" else chosen


def _is_bias(name: str, parameter: "Tensor") -> bool:
    return name.endswith("bias")


def _wide(name: str, parameter: "Tensor") -> bool:
    return parameter.ndim > 1


OPTIMIZER = (
    Mistake(
        "rates swapped",
        "The two rates are swapped: head_rate is that of fc.",
        _by(_swapped),
    ),
    Mistake("the head's rate", "All have the head's rate.", _same_rate("head_rate")),
    Mistake("the backbone's rate", "All have the backbone's rate.", _same_rate("backbone_rate")),
    Mistake(
        "decay everywhere",
        "All parameters decay. Those with a single axis (biases, γ and β) should not: their group "
        "needs a weight_decay of its own, 0.",
        _decayed(lambda name, parameter: True),
    ),
    Mistake(
        "gammas decay",
        "Biases do not decay, but γ of the batch norms does. It is called weight, and has a single "
        "axis: go by the number of axes, not by the name.",
        _decayed(lambda name, parameter: not _is_bias(name, parameter)),
    ),
    Mistake(
        "the shortcuts' batch norms decay",
        "The batch norms of the shortcuts (downsample.1) decay: their name has no bn in it. Go by "
        "the number of axes.",
        _decayed(
            lambda name, parameter: (
                _wide(name, parameter) or ("downsample.1" in name and not _is_bias(name, parameter))
            )
        ),
    ),
    Mistake(
        "all of the shortcuts' batch norms decay",
        "The batch norms of the shortcuts (downsample.1) decay: their name has no bn in it. Go by "
        "the number of axes.",
        _decayed(lambda name, parameter: _wide(name, parameter) or "downsample.1" in name),
    ),
    Mistake(
        "the wrong ones decay",
        "It is the other way round: those with a single axis decay, the others do not.",
        _decayed(lambda name, parameter: not _wide(name, parameter)),
    ),
    Mistake(
        "no decay",
        "Nothing decays: is weight_decay in the groups of those with more than one axis?",
        _planned(weight_decay=0.0),
    ),
    Mistake(
        "decay of the default",
        "The weight decay is always 0.0005, whatever you are given.",
        _planned(weight_decay=5e-4),
    ),
    Mistake(
        "decay in the head",
        "Only the head decays; in the backbone, the weights with more than one axis should too.",
        _decayed(lambda name, parameter: is_head(name) and _wide(name, parameter)),
    ),
    Mistake(
        "decay in the backbone",
        "Only the backbone decays; fc.weight should too.",
        _decayed(lambda name, parameter: not is_head(name) and _wide(name, parameter)),
    ),
    Mistake("no momentum", "There is no momentum: give it to SGD.", _planned(momentum=0.0)),
    Mistake(
        "momentum of the default",
        "The momentum is always 0.9, whatever you are given.",
        _planned(momentum=0.9),
    ),
    Mistake(
        "Nesterov",
        "That is Nesterov's momentum: leave the option away.",
        lambda net, plan: optimizer(net, plan, nesterov=True),
    ),
    Mistake(
        "no head",
        "The head does not learn: its parameters are in no group.",
        _without(lambda name, parameter: is_head(name)),
    ),
    Mistake(
        "only the head",
        "Only the head learns: the backbone's parameters are in no group.",
        _without(lambda name, parameter: not is_head(name)),
    ),
    Mistake(
        "the head's bias",
        "fc.bias belongs to the head as well: it has the backbone's rate.",
        _by(_head_bias),
    ),
    Mistake(
        "no single axes",
        "Parameters with a single axis do not learn: they are in no group. They only have no "
        "weight decay.",
        _without(lambda name, parameter: not _wide(name, parameter)),
    ),
    Mistake("no biases", "Biases do not learn: they are in no group.", _without(_is_bias)),
    Mistake(
        "only single axes",
        "Parameters with more than one axis do not learn: they are in no group.",
        _without(_wide),
    ),
)
TWICE = "A parameter can be in one group only: does fc. start its name, or not?"
EMPTY = "No parameter was chosen at all: named_parameters() can be gone through once only."


class Bug(NamedTuple):
    """A misconception of a training loop."""

    name: str
    says: str
    way: Way


EPOCH = (
    Bug(
        "never cleared",
        "The gradients of all steps add up: call zero_grad before each backward.",
        Way(cleared=False),
    ),
    Bug(
        "frozen batch norms learn",
        "Frozen batch norms are in train mode and drift: train_mode(net), not net.train().",
        Way(mode="train"),
    ),
    Bug(
        "as it was",
        "The net is in the mode in which it came, here eval mode: train_mode(net) at the start of "
        "every epoch.",
        Way(mode="as it is"),
    ),
    Bug("no smoothing", "The loss is not smoothed: smoothed_cross_entropy.", Way(smoothing=0.0)),
    Bug("summed", "The loss is added up over the batch; take the mean.", Way(reduction="sum")),
    Bug(
        "no schedule",
        "The rate stays what it is: call schedule.step() after each step, in the loop.",
        Way(scheduled="never"),
    ),
    Bug(
        "schedule first",
        "schedule.step() comes before optimizer.step(), so the first rate is never used, and each "
        "step has the next one's.",
        Way(scheduled="before"),
    ),
    Bug(
        "schedule by epochs",
        "schedule.step() is called once an epoch. It belongs to every step, into the loop.",
        Way(scheduled="epoch"),
    ),
    Bug("schedule twice", "schedule.step() is called twice a step.", Way(scheduled="twice")),
    Bug(
        "no steps",
        "The weights stay as they are: there is no optimizer.step(), or it finds no gradients, as "
        "zero_grad stands between backward and it.",
        Way(steps=False),
    ),
    Bug("uphill", "The weights climb: they should move against the gradient.", Way(ascends=True)),
    Bug(
        "one batch", "Only the first batch is used: does the loop return in its body?", Way(most=1)
    ),
)
NEVER = "Nothing is computed with 16 bits: the forward pass belongs within autocast."
ALWAYS = "16 bits are used although none were asked for: autocast is to be enabled by precision."
CONVERTED = "Nothing is to be converted: autocast does what is needed, and weights keep 32 bits."


class Lost(NamedTuple):
    """What did not come back after a break."""

    name: str
    says: str
    restored: Restored


RESUMED = (
    Lost(
        "optimizer",
        "The optimizer starts anew: its velocities are lost, or its rates. Save and load its "
        "state_dict as well.",
        Restored(optimizer=False),
    ),
    Lost(
        "schedule",
        "The scheduler starts anew, with its warm-up: save and load its state_dict as well.",
        Restored(schedule=False),
    ),
    Lost(
        "both",
        "Optimizer and scheduler start anew: save and load the state_dict of both as well.",
        Restored(optimizer=False, schedule=False),
    ),
)
NET_LOST = "The net is as it was before: load its weights with net.load_state_dict."
STATISTICS_LOST = (
    "The weights are back, the running statistics of the batch norms are not: state_dict() has "
    "both, parameters() only weights."
)
OLD_FILE = "That is what was saved first: a second save has to replace the file."
EPOCH_AFTER = "Return the epoch as it was saved; whoever goes on counts from there."
NOT_ATOMIC = (
    "A save that is cut off destroys the last good file. Write to another name first, and give it "
    "this one, with Path.replace, when it is whole."
)
NO_FILE = "Where there is no file yet, return 0 and leave all as it is: does the path exist?"
SAVING_CHANGES = "Saving only looks at the net; it should not change it."
READING = {
    r"GLOBAL numpy": (
        "There is a number of NumPy's in the file, which weights_only=True does not make: a rate, "
        "if rate_factor returns what np.cos gives. Make it one of Python's, with float(...)."
    ),
    r"[Ww]eights.only|Unsupported global|WeightsUnpickler": (
        "The file holds whole objects, which weights_only=True does not make: save the state_dict "
        "of each part, and numbers."
    ),
    r"No such file": "What save writes and what resume reads should be the same path.",
    r"has no attribute '(with_|parent|exists|replace|name|stem)": (
        "The path is a text: Path(path) makes more of it."
    ),
    r"[Pp]ickle": "Save what state_dict() gives for each part, and numbers, not the objects.",
}

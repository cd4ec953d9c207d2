"""Misconceptions of taking over a net's weights, of freezing them, and of what stays in eval mode.

Those of frozen weights answer with the names of what is frozen, those of the mode with the names
of the batch norms that are in train mode.
"""

from collections.abc import Sequence
from typing import Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle.finetuning import batch_norms, child_of, is_head

HEAD = (
    "The head is the state's as well, but it tells other classes apart. That the shapes fit is "
    "chance: leave out what starts with fc."
)
SAME_HEAD = "Two nets have the same head: leave it as PyTorch drew it, without a seed of your own."
FLAT_HEAD = "All its weights are equal. Leave it as PyTorch drew it."
SHARED = (
    "The net holds the very tensors of the state, so that training one changes the other: copy "
    "them, as load_state_dict does."
)
STATE_CHANGED = (
    "Whoever called you still needs that dict: make a new one with what you want of it, rather "
    "than del or pop."
)
NOTHING_LOADED = (
    "None of the state's weights are in the net. load_state_dict with strict=False says nothing "
    "where no name fits; and it must be this net that is returned."
)
NO_STATISTICS = (
    "The weights are there, the batch norms' running_mean and running_var are not: they are "
    "buffers, no parameters, and without them eval mode is wrong."
)
ONLY_STATISTICS = "Only running statistics were loaded: the weights are missing."
LOADING = {
    r"size mismatch for fc": (
        "The state's head has another shape: leave out what starts with fc. before you load. "
        "strict=False forgives names that are missing, not shapes."
    ),
    r"Missing key|Unexpected key": (
        "load_state_dict wants every name: add the net's own values for those that the state "
        "lacks (fc., num_batches_tracked), and leave out its head."
    ),
    r"fc\.(weight|bias)": "A state may come without a head: do not rely on the names being there.",
}

Names = Sequence[str]


def _every(names: Names, children: Names) -> set[str]:
    return set(names)


def _none(names: Names, children: Names) -> set[str]:
    return set()


def _others(names: Names, children: Names) -> set[str]:
    return {name for name in names if child_of(name) not in children}


def _contained(names: Names, children: Names) -> set[str]:
    return {name for name in names if any(child in name for child in children)}


def _exact(names: Names, children: Names) -> set[str]:
    own = {f"{child}.{kind}" for child in children for kind in ("weight", "bias")}
    return own & set(names)


def _only(kind: str) -> Any:
    def found(names: Names, children: Names) -> set[str]:
        return {n for n in names if child_of(n) in children and n.endswith(kind)}

    return found


def _one(place: int) -> Any:
    def found(names: Names, children: Names) -> set[str]:
        return {name for name in names if child_of(name) == children[place]}

    return found


def _but_head(names: Names, children: Names) -> set[str]:
    return {name for name in names if not is_head(name)}


FROZEN = (
    Mistake(
        "nothing",
        "Nothing is frozen. A module has no requires_grad of its own, so setting one does "
        "nothing: module.requires_grad_(False), or set it for each parameter.",
        _none,
    ),
    Mistake("everything", "Everything is frozen, not only these children.", _every),
    Mistake(
        "whole backbone", "All but the head is frozen, whatever children are named.", _but_head
    ),
    Mistake(
        "others", "It is the other way round: these learn, and all others are frozen.", _others
    ),
    Mistake(
        "contained",
        "layer2.0.conv1.weight is no part of the child conv1, though the name is in it: the first "
        "part of a parameter's name is its child.",
        _contained,
    ),
    Mistake("only the first", "Only the first child is frozen: does the loop end early?", _one(0)),
    Mistake("only the last", "Only the last child is frozen.", _one(-1)),
    Mistake(
        "not the inner ones",
        "Layers have layers in them: parameters() finds all of a child's, at any depth.",
        _exact,
    ),
    Mistake("only weights", "Weights are frozen, biases are not.", _only("weight")),
    Mistake("only biases", "Biases are frozen, weights are not.", _only("bias")),
)
NO_FLAG = (
    "No gradient reaches it, but it still says that it requires one: train_mode and the optimizer "
    "go by requires_grad."
)


def _all_train(net: Any) -> set[str]:
    return {name for name, _ in batch_norms(net)}


def _all_eval(net: Any) -> set[str]:
    return set()


def _frozen_train(net: Any) -> set[str]:
    return {name for name, layer in batch_norms(net) if not layer.weight.requires_grad}


def _outer_eval(net: Any) -> set[str]:
    return {name for name, layer in batch_norms(net) if "." in name or layer.weight.requires_grad}


def _inner_eval(net: Any) -> set[str]:
    return {
        name for name, layer in batch_norms(net) if "." not in name or layer.weight.requires_grad
    }


def _shortcuts_train(net: Any) -> set[str]:
    return {
        name
        for name, layer in batch_norms(net)
        if "downsample" in name or layer.weight.requires_grad
    }


MODES = (
    Mistake(
        "all in train mode",
        "Frozen batch norms are in train mode: they normalize by the batch, and their running "
        "statistics drift. After net.train(), put those back into eval mode.",
        _all_train,
    ),
    Mistake(
        "all in eval mode",
        "All of the net is in eval mode, so the layers that learn do not follow their data: "
        "net.train() first.",
        _all_eval,
    ),
    Mistake(
        "the other way round",
        "It is the other way round: the frozen batch norms are in train mode, the others are not.",
        _frozen_train,
    ),
    Mistake(
        "only outer ones",
        "Only bn1 of the net itself is in eval mode, not the frozen ones within layers: "
        "net.modules() finds them all.",
        _outer_eval,
    ),
    Mistake(
        "only inner ones",
        "Frozen batch norms within layers are in eval mode, bn1 of the net itself is not.",
        _inner_eval,
    ),
    Mistake(
        "shortcuts",
        "The batch norms of the shortcuts (downsample) are in train mode, frozen or not: "
        "net.modules() finds them all.",
        _shortcuts_train,
    ),
)
KEPT = (
    "The running statistics stay, but frozen batch norms still normalize by the batch: they have "
    "to be in eval mode."
)

"""Torch's own functions and classes, by name: what is in both rooms need not cross.

Nothing is imported to find one: a name is looked up in what the process has imported already.
"""

import sys
from typing import Any

PREFIX = "torch."
# What an object that stays in the student's room may be said to be an instance of: nothing whose
# instances hold numbers, so that to pass isinstance is all that a lie can achieve.
KINDS = (
    "torch.nn.modules.module.Module",
    "torch.optim.optimizer.Optimizer",
    "torch.optim.lr_scheduler.LRScheduler",
    "torch.utils.data.dataset.Dataset",
    "torch.utils.data.dataloader.DataLoader",
    "torch.utils.data.sampler.Sampler",
)


def name_of(value: Any) -> str:
    """The dotted name of a function or class of torch's; '' for anything else."""
    name = getattr(value, "__name__", "")
    module = getattr(value, "__module__", "") or ""
    # Functions written in C say that they live in torch, or in torch._C._nn.
    homes = (module, "torch", "torch.nn.functional")
    names = (f"{home}.{name}" for home in homes if f"{home}.".startswith(PREFIX))
    return next((dotted for dotted in names if _found(dotted) is value), "")


def named(dotted: str) -> Any:
    """The function or class of that name.

    Raises:
        LookupError: there is none.
    """
    found = _found(dotted)
    if found is None:
        raise LookupError(f"{dotted} is not here")
    return found


def kind_of(value: type) -> str:
    """The dotted name of the class of torch's that a class is or is derived from first, or ''."""
    return next(filter(None, map(_class_name, value.__mro__)), "")


def claimed_kind(dotted: object) -> type | None:
    """The class of that name, if objects in the student's room may be instances of it."""
    found = _found(dotted) if isinstance(dotted, str) and dotted else None
    if found is None:
        return None
    kinds = tuple(kind for kind in map(_found, KINDS) if kind is not None)
    return found if isinstance(found, type) and issubclass(found, kinds) else None


def _class_name(kind: type) -> str:
    dotted = f"{kind.__module__}.{kind.__qualname__}"
    return dotted if dotted.startswith(PREFIX) else ""


def _found(dotted: str) -> Any:
    module, _, name = dotted.rpartition(".")
    home = sys.modules.get(module) if f"{module}.".startswith(PREFIX) else None
    return vars(home).get(name) if home is not None else None

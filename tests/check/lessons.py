"""The answers in lessons and samples, whole and with bugs put into them."""

import re
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from autograder.check.record import Outcome


def answers(path, *changes):
    """The answers in a lesson or a sample, by name, with changes of their text."""
    cells = re.split(r"(?m)^(?=# %%)", path.read_text(encoding="utf-8"))
    code = "".join(cell for cell in cells if cell.startswith("# %% solution="))
    for old, new in changes:
        assert old in code, old
        code = code.replace(old, new)
    names = {"np": np, "torch": torch, "nn": nn, "F": F}
    exec(compile(code, path.name, "exec"), names)
    return SimpleNamespace(**names)


def passed(record):
    return record.outcome is Outcome.PASSED and not record.hint


def require_named(records, hint, bug):
    """Some of the records say that there is a bug, the first of them which one it is."""
    failed = [record for record in records if record.outcome is not Outcome.PASSED]
    assert failed and all(record.outcome is Outcome.FAILED for record in failed), bug
    assert hint is None or hint in failed[0].hint, (bug, failed[0].hint)

"""ResNet-18 as others have trained it: on ImageNet (torchvision), or on Places365.

Both come as plain dictionaries of tensors with torchvision's parameter names. A file is fetched
once, its checksum compared, and read with ``weights_only=True``: nothing in it is ever run.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.places.fetch import obtain
from autograder.places.manifest import Item, Manifest, load
from autograder.problem import BadInputError, Problem

if TYPE_CHECKING:
    from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]

_SHOWN = 5
_CHANNELS = (64, 128, 256, 512)
_COUNTER = "num_batches_tracked"  # which networks trained before 2018 do not have


def pretrained(
    name: str,
    folder: Path | str = "data/weights",
    manifest: Manifest | None = None,
    say: Callable[[str], None] = print,
) -> dict[str, "Tensor"]:
    """The parameters and running statistics of a trained ResNet-18, on the CPU.

    Args:
        name: ``"imagenet"`` (1,000 classes) or ``"places365"`` (365 classes).
        folder: where the file is, or is put.
        manifest: what there is; by default the package's own.
        say: told what is going on.

    Raises:
        BadInputError: the file cannot be had, or is not what it should be.
    """
    item = choose((manifest or load()).weights, name)
    path = obtain(item, Path(folder), say)
    state = read(path)
    require(state, resnet18_shapes(item.classes), str(path))
    return state


def choose(items: Mapping[str, Item], name: str) -> Item:
    """Weights by name; raises `BadInputError` naming those that there are."""
    if name in items:
        return items[name]
    expected = "one of " + ", ".join(sorted(items))
    raise BadInputError(Problem("weights", repr(name), expected, "Check the spelling."))


def read(path: Path) -> dict[str, "Tensor"]:
    """The tensors in a checkpoint by name: of itself or of its ``state_dict``, without ``module.``.

    Counters of batches are left out: they say nothing about a trained network, and older files do
    not have them.

    Raises:
        BadInputError: it holds anything but tensors, or is damaged.
    """
    checkpoint = _loaded(path)
    state = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, Mapping) else None
    if not isinstance(state, Mapping) or not all(map(_is_tensor, state.values())):
        raise BadInputError(_unusable(path, "something else than named tensors"))
    return {
        str(key).removeprefix("module."): value
        for key, value in state.items()
        if not str(key).endswith(_COUNTER)
    }


def require(state: Mapping[str, "Tensor"], shapes: Shapes, where: str) -> None:
    """Compares names and shapes with those of a network.

    Raises:
        BadInputError: lists what is missing, what is unexpected, and what has another shape.
    """
    found = {key: tuple(value.shape) for key, value in state.items()}
    wanted = {key: shape for key, shape in shapes.items() if not key.endswith(_COUNTER)}
    missing = [key for key in wanted if key not in found]
    unexpected = [key for key in found if key not in wanted]
    others = [
        f"{key} {found[key]} and not {shape}"
        for key, shape in wanted.items()
        if found.get(key, shape) != shape
    ]
    listed = {"missing": missing, "unexpected": unexpected, "of another shape": others}
    got = "; ".join(f"{what}: {_list(names)}" for what, names in listed.items() if names)
    if got:
        fix = "These weights are of another network, or of one with other names."
        expected = f"the {len(wanted)} tensors of the network"
        raise BadInputError(Problem(where, got, expected, fix))


def resnet18_shapes(classes: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of ResNet-18 (K. He et al., 2016, table 1) as torchvision names them."""
    shapes = {"conv1.weight": (64, 3, 7, 7), **_batch_norm("bn1", 64)}
    before = 64
    for layer, channels in enumerate(_CHANNELS, 1):
        for block in range(2):
            shapes |= _block(f"layer{layer}.{block}", before, channels)
            before = channels
    return shapes | {"fc.weight": (classes, before), "fc.bias": (classes,)}


def _block(name: str, before: int, channels: int) -> dict[str, tuple[int, ...]]:
    shapes = {
        f"{name}.conv1.weight": (channels, before, 3, 3),
        **_batch_norm(f"{name}.bn1", channels),
        f"{name}.conv2.weight": (channels, channels, 3, 3),
        **_batch_norm(f"{name}.bn2", channels),
    }
    if before == channels:
        return shapes
    shapes[f"{name}.downsample.0.weight"] = (channels, before, 1, 1)
    return shapes | _batch_norm(f"{name}.downsample.1", channels)


def _batch_norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{part}": (channels,) for part in parts}


def _loaded(path: Path) -> Any:
    try:
        import torch
    except ModuleNotFoundError as missing:
        fix = "Install it: pip install 'receptive-field[lab]'"
        raise BadInputError(Problem("weights", f"no module {missing.name}", "torch", fix)) from None
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    # Whatever is wrong inside a file that somebody made: it has many names in torch.
    except Exception as error:
        got = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInputError(_unusable(path, got)) from error


def _is_tensor(value: object) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _unusable(path: Path, got: str) -> Problem:
    fix = "Delete it, so that it is fetched again. A file that is no bare checkpoint is never run."
    return Problem(str(path), got, "a checkpoint of tensors alone", fix)


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more

"""Boxes, what they overlap, and what a localizer computes, according to PyTorch.

A box is (x0, y0, x1, y1) in pixels, the second corner the first pixel outside; or, as fractions of
the image's sides, (x, y, w, h) with (x, y) the corner at the top left.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Numbers = Mapping[str, "Tensor"]
Shapes = Mapping[str, tuple[int, ...]]


def fractions(corners: "Tensor", *, height: int, width: int) -> "Tensor":
    """(N, 4) corners in pixels as (x, y, w, h) in fractions of the image."""
    import torch

    x0, y0, x1, y1 = corners.unbind(-1)
    return torch.stack([x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height], -1)


def corners(boxes: "Tensor", *, height: int, width: int) -> "Tensor":
    """The way back from `fractions`."""
    import torch

    x, y, w, h = boxes.unbind(-1)
    return torch.stack([x * width, y * height, (x + w) * width, (y + h) * height], -1)


def clipped(corners: "Tensor", *, height: int, width: int) -> "Tensor":
    """The part of each box that lies in the image; empty where there is none."""
    import torch

    x, y = corners[..., 0::2].clamp(0, width), corners[..., 1::2].clamp(0, height)
    return torch.stack([x[..., 0], y[..., 0], x[..., 1], y[..., 1]], -1)


def box_of(mask: "Tensor") -> "Tensor":
    """(H, W) to (4,): the smallest box around all that is not 0; four zeros if all is."""
    import torch

    rows, columns = torch.nonzero(mask, as_tuple=True)
    if not len(rows):
        return torch.zeros(4, dtype=mask.dtype)
    ends = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    return torch.stack(ends).to(mask.dtype)


def area(corners: "Tensor") -> "Tensor":
    """(N, 4) to (N,); 0 where the second corner does not lie beyond the first."""
    return sides(corners).clamp(min=0).prod(-1)


def sides(corners: "Tensor") -> "Tensor":
    """(..., 4) to (..., 2): width and height, which may be negative."""
    return corners[..., 2:] - corners[..., :2]


def common(a: "Tensor", b: "Tensor") -> "Tensor":
    """(N, 4) and (M, 4) to (N, M, 4): the box that two share; its sides may be negative."""
    import torch

    first = torch.maximum(a[:, None, :2], b[None, :, :2])
    return torch.cat([first, torch.minimum(a[:, None, 2:], b[None, :, 2:])], -1)


def iou(a: "Tensor", b: "Tensor") -> "Tensor":
    """(N, 4) and (M, 4) to (N, M): intersection over union; 0 where both boxes are empty."""
    import torch

    shared = area(common(a, b))
    union = area(a)[:, None] + area(b)[None] - shared
    return torch.where(union > 0, shared / union, 0.0)


def score(
    boxes: "Tensor", true_boxes: "Tensor", *, labels: "Tensor", true_labels: "Tensor"
) -> "Tensor":
    """(mean IoU, share of images with IoU > 0.5 and the right class)."""
    import torch

    overlaps = iou(boxes, true_boxes).diagonal()
    right = (overlaps > 0.5) & (labels == true_labels)
    return torch.stack([overlaps.mean(), right.double().mean()])


def windows(image: "Tensor", *, size: int, stride: int) -> "Tensor":
    """(C, H, W) to (n, C, size, size), row by row."""
    found = image.unfold(1, size, stride).unfold(2, size, stride)
    return found.permute(1, 2, 0, 3, 4).flatten(0, 1)


def window_scores(
    maps: "Tensor", weight: "Tensor", bias: "Tensor", *, height: int, width: int
) -> "Tensor":
    """A linear layer for (C, height, width) at every place: (N, K, H - height + 1, ...)."""
    from torch.nn import functional

    filters = weight.reshape(len(weight), maps.shape[1], height, width)
    return functional.conv2d(maps, filters, bias)


def heads_shapes(channels: int, height: int, width: int, num_classes: int) -> Shapes:
    """What the state dict of two heads holds."""
    return {
        "class_head.weight": (num_classes, channels),
        "class_head.bias": (num_classes,),
        "box_head.weight": (4, channels * height * width),
        "box_head.bias": (4,),
    }


def class_head(state: Numbers, x: "Tensor") -> "Tensor":
    """(N, D) to scores (N, K)."""
    return x @ state["class_head.weight"].T + state["class_head.bias"]


def box_head(state: Numbers, x: "Tensor") -> "Tensor":
    """(N, D) to four numbers for each image, of any size."""
    return x @ state["box_head.weight"].T + state["box_head.bias"]


def heads(state: Numbers, x: "Tensor", training: bool, **_: int) -> "Tensor":
    """Maps (N, C, H, W) to (N, K + 4): the scores, and the box after them."""
    import torch

    box = box_head(state, x.flatten(1)).sigmoid()
    return torch.cat([class_head(state, x.mean((2, 3))), box], 1)


def box_loss(predicted: "Tensor", true: "Tensor") -> "Tensor":
    """The squared differences, summed over the four numbers; the mean over the images."""
    return ((predicted - true) ** 2).sum(1).mean()


def smooth_l1(predicted: "Tensor", true: "Tensor", *, beta: float) -> "Tensor":
    """Squares below ``beta``, straight lines above. The sum over four, the mean over the images.

    R. Girshick, *Fast R-CNN* (2015), equation 3, with ``beta`` = 1.
    """
    import torch

    off = (predicted - true).abs()
    return torch.where(off < beta, off**2 / (2 * beta), off - beta / 2).sum(1).mean()


def multitask_loss(
    scores: "Tensor",
    boxes: "Tensor",
    *,
    labels: "Tensor",
    true_boxes: "Tensor",
    weight: float,
) -> "Tensor":
    """Mean cross-entropy and ``weight`` times the loss of the boxes."""
    from torch.nn import functional

    return functional.cross_entropy(scores, labels) + weight * box_loss(boxes, true_boxes)

"""What the sixth lesson asks of batches of images, scores and maps, according to PyTorch.

Class numbers, places and truth values may come as tensors of any type.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def normalized(images: "Tensor", mean: "Tensor", std: "Tensor") -> "Tensor":
    """(N, H, W, 3) from 0 to 255 to (N, 3, H, W), of each channel (p / 255 − mean) / std."""
    return ((images.double() / 255 - mean) / std).permute(0, 3, 1, 2)


def cropped(x: "Tensor", top: "Tensor", left: "Tensor", *, height: int, width: int) -> "Tensor":
    """(N, C, H, W) to (N, C, height, width), each from its own corner."""
    import torch

    corners = zip(top.long().tolist(), left.long().tolist(), strict=True)
    windows = [
        image[:, t : t + height, s : s + width] for image, (t, s) in zip(x, corners, strict=True)
    ]
    return torch.stack(windows)


def mirrored(x: "Tensor", chosen: "Tensor") -> "Tensor":
    """The chosen images with left and right exchanged, the others as they are."""
    return flipped(x, chosen, 3)


def flipped(x: "Tensor", chosen: "Tensor", *axes: int) -> "Tensor":
    """The chosen images turned around along these axes."""
    import torch

    return torch.where(chosen.bool()[:, None, None, None], x.flip(axes), x)


def smoothed_loss(scores: "Tensor", labels: "Tensor", *, smoothing: float = 0.1) -> "Tensor":
    """Cross-entropy with targets of ``smoothing`` / K, and the rest for the label.

    C. Szegedy et al., *Rethinking the Inception Architecture* (2016), section 7.
    """
    from torch.nn import functional

    return functional.cross_entropy(scores, labels.long(), label_smoothing=smoothing)


def ranks(probabilities: "Tensor", labels: "Tensor") -> "Tensor":
    """(N, K) to (N,): how many classes are more probable than the label."""
    own = probabilities.gather(1, labels.long()[:, None])
    return (probabilities > own).sum(1)


def top_k(probabilities: "Tensor", labels: "Tensor", *, k: int) -> "Tensor":
    """The share of images whose label is among the ``k`` most probable classes."""
    return (ranks(probabilities, labels) < k).double().mean()


def best(probabilities: "Tensor") -> "Tensor":
    """(N, K) to (N, 5): the labels of the five most probable classes, the best first."""
    return probabilities.topk(5, dim=1).indices.double()


def confusion(labels: "Tensor", said: "Tensor", *, num_classes: int) -> "Tensor":
    """(N,) and (N,) to counts (K, K): rows are labels, columns what was said."""
    import torch

    counts = torch.zeros(num_classes, num_classes, dtype=torch.float64)
    one = torch.ones((), dtype=torch.float64)
    return counts.index_put((labels.long(), said.long()), one, accumulate=True)


def class_maps(maps: "Tensor", weight: "Tensor", labels: "Tensor") -> "Tensor":
    """(N, C, H, W), (K, C), (N,) to (N, H, W): B. Zhou et al. (2016), equation 2."""
    return (maps * weight[labels.long()][:, :, None, None]).sum(1)


def grad_cam(maps: "Tensor", gradients: "Tensor") -> "Tensor":
    """(N, C, H, W) twice to (N, H, W), before the ReLU: R. Selvaraju et al. (2017), equation 2."""
    return (gradients.mean((2, 3), keepdim=True) * maps).sum(1)


def enlarged(cams: "Tensor", masks: "Tensor", mode: str = "bilinear", **how: bool) -> "Tensor":
    """(N, h, w) in the size of the masks (N, H, W), rounded as a student's: ties are too."""
    from torch.nn import functional

    return functional.interpolate(cams[:, None].float(), masks.shape[1:], mode=mode, **how)[:, 0]


def hits(large: "Tensor", masks: "Tensor") -> "Tensor":
    """(N,): whether the first of the highest places of each map lies in its mask."""
    highest = large.flatten(1).argmax(1, keepdim=True)
    return masks.bool().flatten(1).gather(1, highest)[:, 0]


def pointing_game(cams: "Tensor", masks: "Tensor") -> "Tensor":
    """(N, h, w), (N, H, W) to the share of maps whose highest place lies in the mask."""
    return hits(enlarged(cams, masks), masks).double().mean()


def points_clearly(large: "Tensor", masks: "Tensor") -> "Tensor":
    """(N,): whether all places about as high as the highest lie in the mask, or none."""
    heights, inside = large.flatten(1), masks.bool().flatten(1)
    low, high = heights.amin(1, keepdim=True), heights.amax(1, keepdim=True)
    peak = heights >= high - 1e-3 * (high - low)
    return (inside & peak).any(1) != (~inside & peak).any(1)


def points_only_if_enlarged(cams: "Tensor", masks: "Tensor") -> "Tensor":
    """(kinds, N): maps that point clearly, and would miss if enlarged in another way; the rest."""
    import torch

    large = enlarged(cams, masks)
    clear, hit = points_clearly(large, masks), hits(large, masks)
    ways = [
        enlarged(cams, masks, "nearest"),
        enlarged(cams, masks, align_corners=True),
        enlarged(cams, masks, "bicubic"),
        enlarged(cams.transpose(1, 2), masks),
        large.abs(),
    ]
    miss = [~hits(way, masks) for way in ways] + [~in_the_middle(cams, masks)]
    return torch.stack([clear & hit & wrong for wrong in miss] + [clear])


def in_the_middle(cams: "Tensor", masks: "Tensor") -> "Tensor":
    """(N,): whether the middle of the highest coarse cell lies in the mask."""
    import torch

    (height, width), (high, wide) = cams.shape[1:], masks.shape[1:]
    cell = cams.flatten(1).argmax(1)
    row = (cell // width * 2 + 1) * high // (2 * height)
    column = (cell % width * 2 + 1) * wide // (2 * width)
    return masks.bool()[torch.arange(len(cams)), row, column]


def region(large: "Tensor", share: float) -> "Tensor":
    """(N, H, W): where a map is positive and more than ``share`` of its maximum."""
    return large > share * large.amax((1, 2), keepdim=True).clamp(min=0)


def ious(region: "Tensor", masks: "Tensor") -> "Tensor":
    """(N, H, W) twice to (N,)."""
    inside = masks.bool()
    return (region & inside).sum((1, 2)) / (region | inside).sum((1, 2)).double()


def mask_iou(cams: "Tensor", masks: "Tensor", *, share: float = 0.5) -> "Tensor":
    """(N, h, w), (N, H, W) to the mean IoU of the regions and the masks."""
    return ious(region(enlarged(cams, masks), share), masks).mean()


def ends_clearly(cams: "Tensor", masks: "Tensor", *, share: float = 0.5) -> "Tensor":
    """(1, N): whether no place of a map is about as high as the edge of its region."""
    large = enlarged(cams, masks)
    high = large.amax((1, 2), keepdim=True)
    clear = ((large - share * high).abs() > 1e-4 * high.abs()).all(2).all(1)
    return (clear | (high[:, 0, 0] <= 0))[None]

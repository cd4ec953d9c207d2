"""Checks of functions on batches: images, a loss, measures, maps."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.check.images.batches import OfBatches
from autograder.check.layer import Layer
from autograder.check.mistakes import Mistake
from autograder.check.mistakes import images as mistakes
from autograder.check.mistakes import images_loss as loss_mistakes
from autograder.check.mistakes import images_maps as map_mistakes
from autograder.check.mistakes import images_measures as measure_mistakes
from autograder.check.mistakes import images_pointing as pointing_mistakes
from autograder.check.oracle import images as oracle
from autograder.check.record import Array


def _softmax(scores: Array) -> Array:
    powers: Array = np.exp(scores)
    return np.asarray(powers / powers.sum(1, keepdims=True))


def _layer(
    arguments: tuple[str, ...], right: Callable[..., Any], known: tuple[Mistake, ...]
) -> Layer:
    return Layer(arguments, right, known, linear=False)


normalized_images = OfBatches(
    _layer(("images", "mean", "std"), oracle.normalized, mistakes.NORMALIZED), dtype="float32"
)
cropped_images = OfBatches(_layer(("x", "top", "left"), oracle.cropped, mistakes.CROPPED))
mirrored_images = OfBatches(_layer(("x", "chosen"), oracle.mirrored, mistakes.MIRRORED))
smoothed_loss = OfBatches(
    _layer(("scores", "labels"), oracle.smoothed_loss, loss_mistakes.SMOOTHED_LOSS)
)
top_k_share = OfBatches(
    _layer(("probabilities", "labels"), oracle.top_k, measure_mistakes.TOP_K),
    prepared={"probabilities": _softmax},
)
confusion_counts = OfBatches(
    _layer(("labels", "said"), oracle.confusion, measure_mistakes.CONFUSION)
)
class_maps = OfBatches(
    _layer(("maps", "weight", "labels"), oracle.class_maps, map_mistakes.CLASS_MAPS)
)
grad_cam = OfBatches(_layer(("maps", "gradients"), oracle.grad_cam, map_mistakes.GRAD_CAM))
pointing_game = OfBatches(
    _layer(("cams", "masks"), oracle.pointing_game, pointing_mistakes.POINTING),
    telling=oracle.points_only_if_enlarged,
)
mask_iou = OfBatches(
    _layer(("cams", "masks"), oracle.mask_iou, pointing_mistakes.MASK_IOU),
    telling=oracle.ends_clearly,
)

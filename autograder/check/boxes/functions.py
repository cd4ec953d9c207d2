"""Checks of functions on boxes, masks and windows, and of losses."""

from autograder.check.layer import Layer
from autograder.check.mistakes import Mistake
from autograder.check.mistakes import boxes as mistakes
from autograder.check.mistakes import boxes_iou as iou_mistakes
from autograder.check.mistakes import boxes_losses as loss_mistakes
from autograder.check.mistakes import boxes_windows as window_mistakes
from autograder.check.oracle import boxes as oracle
from autograder.check.tensors import Function, OfTensors


def _of_tensors(
    arguments: tuple[str, ...], right: Function, known: tuple[Mistake, ...]
) -> OfTensors:
    return OfTensors(Layer(arguments, right, known, linear=False))


box_fractions = _of_tensors(("corners",), oracle.fractions, mistakes.FRACTIONS)
box_corners = _of_tensors(("boxes",), oracle.corners, mistakes.CORNERS)
box_clip = _of_tensors(("corners",), oracle.clipped, mistakes.CLIPPED)
box_area = _of_tensors(("corners",), oracle.area, iou_mistakes.AREA)
box_of = _of_tensors(("mask",), oracle.box_of, mistakes.BOX_OF)
box_iou = _of_tensors(("a", "b"), oracle.iou, iou_mistakes.IOU)
box_score = _of_tensors(("boxes", "true_boxes"), oracle.score, iou_mistakes.SCORE)
image_windows = _of_tensors(("image",), oracle.windows, window_mistakes.WINDOWS)
window_scores = _of_tensors(
    ("maps", "weight", "bias"), oracle.window_scores, window_mistakes.WINDOW_SCORES
)
box_loss = _of_tensors(("predicted", "true"), oracle.box_loss, loss_mistakes.BOX_LOSS)
smooth_l1 = _of_tensors(("predicted", "true"), oracle.smooth_l1, loss_mistakes.SMOOTH_L1)
multitask_loss = _of_tensors(("scores", "boxes"), oracle.multitask_loss, loss_mistakes.MULTITASK)

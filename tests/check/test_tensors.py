"""The checks of functions of tensors, whatever those compute: gradients, and what is left alone."""

import numpy as np
import pytest
import torch

from autograder.check.boxes import functions as of_boxes
from autograder.check.boxes.inputs import fraction_boxes
from autograder.check.images import functions as of_images
from autograder.check.inputs import labels
from autograder.check.oracle import boxes
from autograder.check.record import Outcome
from tests.check.lessons import passed

PAIR = dict(predicted=(5, 4), true=(5, 4))
TWO_HEADS = dict(
    scores=(5, 3),
    boxes=fraction_boxes(5),
    labels=labels(5, 3),
    true_boxes=fraction_boxes(5),
    weight=3.0,
)
# Each loss, its gradients, and what is given.
LOSSES = {
    "box_loss": (of_boxes.box_loss, ["dpredicted"], PAIR),
    "smooth_l1": (of_boxes.smooth_l1, ["dpredicted"], dict(**PAIR, beta=0.6)),
    "multitask_loss": (of_boxes.multitask_loss, ["dscores", "dboxes"], TWO_HEADS),
    "smoothed_loss": (
        of_images.smoothed_loss,
        ["dscores"],
        dict(scores=(5, 4), labels=labels(5, 4), smoothing=0.3),
    ),
}
MISTAKES = [(name, m) for name, (check, *_) in LOSSES.items() for m in check.layer.mistakes]
SAME_GRADIENT = {"overflow", "probability of 0", "jump"}


@pytest.mark.parametrize(
    ("name", "mistake"), MISTAKES, ids=[f"{name}: {mistake.name}" for name, mistake in MISTAKES]
)
def test_a_wrong_gradient_is_named(judged, name, mistake):
    check, gradients, given = LOSSES[name]
    found = [judged(check.backward, mistake.answer, gradient, **given) for gradient in gradients]
    wrong = [record for record in found if not passed(record)]
    assert bool(wrong) == (mistake.name not in SAME_GRADIENT)
    for record in wrong:
        assert record.outcome is Outcome.FAILED
        reduced = record.message != "the loss should be one number"
        assert record.hint == mistake.says if reduced else mistake.name == "unreduced"
    assert all(".backward()" in record.call for record in found)


def test_a_graph_cut_in_the_middle_is_named_by_what_its_gradient_lacks(judged):
    def loss(scores, labels, smoothing):
        log_p = scores.log_softmax(1)
        right = log_p.gather(1, labels[:, None])[:, 0]
        return -((1 - smoothing) * right + smoothing * log_p.detach().mean(1)).mean()

    check, _, given = LOSSES["smoothed_loss"]
    assert passed(judged(check, loss, **given))
    assert "second term" in judged(check.backward, loss, "dscores", **given).hint


@pytest.mark.parametrize("cut", [lambda loss: loss.item(), lambda loss: loss.detach()])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_without_a_way_back_is_told_so(judged, name, cut):
    check, (gradient, *_), given = LOSSES[name]

    def loss(*arrays, **options):
        return cut(check.layer.oracle(*arrays, **options))

    assert passed(judged(check, loss, **given))
    for concept in ("", "hidden"):
        found = judged(check.backward, loss, gradient, **given, concept=concept)
        assert found.outcome is Outcome.FAILED and "no gradient flows back" in found.message
        assert ".item()" in found.hint


@pytest.mark.parametrize("name", ["labels", "true_boxes"])
def test_an_option_changed_in_place_is_told(judged, name):
    def multitask_loss(scores, boxes_, weight, **others):
        loss = boxes.multitask_loss(scores, boxes_, weight=weight, **others)
        others[name] -= 1
        return loss

    found = judged(of_boxes.multitask_loss, multitask_loss, **TWO_HEADS)
    assert found.outcome is Outcome.FAILED
    assert found.message == f"multitask_loss changes its argument {name}"


def test_a_backward_that_raises_is_told_with_its_name(judged):
    def box_loss(predicted, true):
        loss = boxes.box_loss(predicted, true)
        loss.register_hook(lambda dout: dout.reshape(2, 2))
        return loss

    found = judged(of_boxes.box_loss.backward, box_loss, "dpredicted", **PAIR)
    assert found.outcome is Outcome.FAILED
    assert found.message == "box_loss(…).backward raised RuntimeError"


@pytest.mark.parametrize(("kind", "text"), [(list, "a list"), (tuple, "a tuple")])
def test_several_tensors_are_told_by_what_holds_them(judged, kind, text):
    def iou(a, b):
        return kind([a, b.sum()])

    found = judged(of_boxes.box_iou, iou, a=(3, 4), b=(2, 4))
    assert found.message == "did not return numbers" and found.got == text


def test_tensors_in_a_list_are_read_with_their_graph(judged):
    def iou(a, b):
        weight = torch.ones((), requires_grad=True)
        return [row * weight for row in boxes.iou(a, b)]

    assert passed(judged(of_boxes.box_iou, iou, a=np.eye(3, 4), b=np.eye(2, 4)))

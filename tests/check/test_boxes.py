"""The checks of boxes, windows and heads: what they accept, and that they name what is wrong."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from autograder.check.boxes import functions as checks
from autograder.check.boxes.heads import heads
from autograder.check.boxes.inputs import fraction_boxes, pixel_boxes
from autograder.check.inputs import labels
from autograder.check.mistakes import boxes, boxes_heads, boxes_iou, boxes_losses, boxes_windows
from autograder.check.oracle import boxes as oracle
from autograder.check.record import Outcome
from tests.check.lessons import answers, passed, require_named

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "source" / "7-localization" / "localization.py"
SAMPLES = ROOT / "tests" / "submissions" / "7-localization" / "correct"

BOX, EMPTY, APART = [2.0, 2, 8, 6], [4.0, 4, 4, 4], [10.0, 9, 12, 11]
FAR = [[-9.0, 4, -2, 8], [3, 31, 20, 40], [40, 5, 57, 30], [5, -3, 9, 6]]
FOUND = [
    [0.0, 0, 8, 8], [0, 0, 4, 8], [2, 2, 9, 9], [0, 0, 9, 7], [1, 1, 3, 9], [5, 5, 9, 8],
    [3, 3, 9, 9], [0, 0, 2, 2], [4, 0, 9, 3],
]  # fmt: skip
TRUTH = [
    [0.0, 0, 8, 9], [0, 0, 8, 8], [2, 3, 9, 9], [0, 1, 9, 7], [0, 0, 9, 3], [5, 5, 9, 9],
    [3, 2, 9, 9], [5, 5, 9, 9], [0, 0, 5, 4],
]  # fmt: skip
BLOB = np.zeros((7, 9))
BLOB[1:4, 2:8], BLOB[4, 5], BLOB[2, 4] = 1, 1, 0
PAIR = dict(predicted=(5, 4), true=(5, 4))
BATCH = dict(
    scores=(5, 3), boxes=fraction_boxes(5), labels=labels(5, 3), true_boxes=fraction_boxes(5)
)

# What the lesson asks: the check, the student's function, what is given, and the bank of mistakes.
ASKED = {
    "to_fractions": (
        checks.box_fractions,
        [
            dict(corners=[[509.0, 128, 933, 1024]], height=1281, width=1697),
            dict(corners=pixel_boxes(5, 30, 50), height=30, width=50),
        ],
        boxes.FRACTIONS,
    ),
    "to_corners": (
        checks.box_corners,
        [dict(boxes=fraction_boxes(5), height=30, width=50)],
        boxes.CORNERS,
    ),
    "clip": (
        checks.box_clip,
        [
            dict(corners=FAR, height=30, width=50),
            dict(corners=pixel_boxes(8, 30, 50, beyond=9), height=30, width=50),
        ],
        boxes.CLIPPED,
    ),
    "box_of": (
        checks.box_of,
        [
            dict(mask=BLOB),
            dict(mask=np.pad([[1.0]], ((6, 0), (0, 4)))),
            dict(mask=np.zeros((4, 3))),
        ],
        boxes.BOX_OF,
    ),
    "area": (
        checks.box_area,
        [
            dict(corners=[[2.0, 3, 2, 9], [8, 1, 5, 6], [7, 8, 5, 6], [1, 1, 4, 3]]),
            dict(corners=pixel_boxes(6, 30, 50)),
        ],
        boxes_iou.AREA,
    ),
    "iou": (
        checks.box_iou,
        [
            dict(a=pixel_boxes(7, 12, 16), b=pixel_boxes(7, 12, 16)),
            dict(a=pixel_boxes(6, 12, 16), b=pixel_boxes(4, 12, 16)),
            dict(
                a=[BOX, EMPTY],
                b=[BOX, [3.0, 3, 5, 5], [8.0, 2, 11, 6], [3.0, 8, 7, 9], APART, EMPTY],
            ),
            dict(a=[BOX, [7.0, 8, 5, 6], APART], b=[[9.0, 3, 4, 1], BOX]),
        ],
        boxes_iou.IOU,
    ),
    "score": (
        checks.box_score,
        [
            dict(
                boxes=FOUND,
                true_boxes=TRUTH,
                labels=np.array([3, 1, 2, 0, 1, 2, 0, 3, 1]),
                true_labels=np.array([3, 1, 2, 2, 1, 0, 0, 3, 1]),
            )
        ],
        boxes_iou.SCORE,
    ),
    "windows": (
        checks.image_windows,
        [dict(image=(3, 9, 13), size=5, stride=2)],
        boxes_windows.WINDOWS,
    ),
    "window_scores": (
        checks.window_scores,
        [dict(maps=(2, 3, 7, 9), weight=(4, 18), bias=(4,), height=3, width=2)],
        boxes_windows.WINDOW_SCORES,
    ),
    "box_loss": (checks.box_loss, [PAIR], boxes_losses.BOX_LOSS),
    "smooth_l1": (
        checks.smooth_l1,
        [dict(**PAIR, beta=1.0), dict(**PAIR, beta=0.5)],
        boxes_losses.SMOOTH_L1,
    ),
    "multitask_loss": (checks.multitask_loss, [dict(**BATCH, weight=3.0)], boxes_losses.MULTITASK),
}
MISTAKES = [(name, mistake) for name, (*_, bank) in ASKED.items() for mistake in bank]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "path", [LESSON, *sorted(SAMPLES.glob("*.py"))], ids=lambda path: path.stem
)
def test_right_answers_pass_in_every_style(judged, monkeypatch, path, seed):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    right = answers(path)
    found = [
        judged(check, getattr(right, name), **given)
        for name, (check, every, _) in ASKED.items()
        for given in every
    ]
    found += [
        judged(checks.box_loss.backward, right.box_loss, "dpredicted", **PAIR),
        judged(checks.smooth_l1.backward, right.smooth_l1, "dpredicted", **PAIR, beta=0.6),
        judged(
            checks.multitask_loss.backward, right.multitask_loss, "dscores", **BATCH, weight=3.0
        ),
        judged(checks.multitask_loss.backward, right.multitask_loss, "dboxes", **BATCH, weight=3.0),
        judged(heads.names, right.Heads, 6, 3, 2, 5),
        judged(heads.forward, right.Heads, 6, 3, 2, 5, x=(4, 6, 3, 2)),
        judged(heads.gradients, right.Heads, 4, 2, 3, 3, x=(3, 4, 2, 3)),
    ]
    assert all(map(passed, found)), [record for record in found if not passed(record)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "mistake"), MISTAKES, ids=[f"{name}: {mistake.name}" for name, mistake in MISTAKES]
)
def test_a_misconception_fails_and_is_named_at_once(judged, monkeypatch, name, mistake, seed):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    check, every, _ = ASKED[name]
    if mistake.name == "by rows":
        every = every[:1]  # with other numbers of boxes it raises
    found = [judged(check, mistake.answer, **given) for given in every]
    wrong = [record for record in found if not passed(record)]
    assert wrong and wrong[0].outcome is Outcome.FAILED
    assert wrong[0].hint == mistake.says


WRONG_CODE = {
    "to_fractions": [
        ("x0 / width, y0 / height", "y0 / height, x0 / width", None),
        ("(x1 - x0) / width, (y1 - y0) / height", "x1 / width, y1 / height", "second corner"),
        ("(x1 - x0) / width", "(x1 - x0) / height", None),
    ],
    "to_corners": [
        ("(x + w) * width, (y + h) * height", "w * width, h * height", "still width and height"),
    ],
    "clip": [
        ("clamp(0, height)", "clamp(0, width)", "it belongs to the height"),
        (".clamp(0, height)", ".clamp(min=0)", None),
    ],
    "area": [(".clamp(min=0).unbind(1)", ".unbind(1)", "two negative sides")],
    "iou": [
        ("(last - first).clamp(min=0)", "(last - first)", "two negative sides"),
        ("(last - first).clamp(min=0).prod(2)", "(last - first).prod(2).clamp(min=0)", "Clip each"),
        ("area(b)[None] - intersection", "area(b)[None]", "counts the intersection twice"),
        ("union > 0", "union >= 0", "0/0"),
        ("a[:, None, :2], b[None, :, :2]", "a[None, :, :2], b[:, None, :2]", None),
        ("torch.minimum(", "torch.maximum(", None),
    ],
    "score": [
        ("overlaps > 0.5", "overlaps >= 0.5", "exactly 0.5"),
        ("(overlaps > 0.5) & (labels == true_labels)", "overlaps > 0.5", "whatever its class"),
        ("iou(boxes, true_boxes).diagonal()", "iou(boxes, true_boxes).flatten()", None),
        ("right.float().mean()", "right.sum()", "how many are right"),
    ],
    "windows": [
        ("permute(1, 2, 0, 3, 4)", "permute(2, 1, 0, 3, 4)", "column by column"),
        (
            "found.permute(1, 2, 0, 3, 4).flatten(0, 1)",
            "found.reshape(-1, 3, 5, 5)",
            "in another order",
        ),
    ],
    "window_scores": [
        ("-1, height, width), bias", "-1, height, width)", "bias is missing"),
        (
            "weight.reshape(len(weight), -1, height, width)",
            "weight.reshape(len(weight), height, width, -1).permute(0, 3, 1, 2)",
            "channels last",
        ),
    ],
    "box_loss": [(".square().sum(dim=1)", ".square()", "mean over the four numbers")],
    "smooth_l1": [
        ("d**2 / (2 * beta)", "d**2 / 2", None),
        ("d - beta / 2)", "d)", "do not meet"),
        ("(predicted - true).abs()", "predicted - true", "not at |d|"),
    ],
    "multitask_loss": [
        ("weight * box_loss", "box_loss", "not used"),
        ("cross_entropy(scores, labels)", "cross_entropy(scores.softmax(1), labels)", "too many"),
    ],
}


@pytest.mark.parametrize("name", WRONG_CODE)
def test_bugs_in_the_lessons_own_answers_are_found_and_named(judged, name):
    check, every, _ = ASKED[name]
    for old, new, hint in WRONG_CODE[name]:
        wrong = getattr(answers(LESSON, (old, new)), name)
        found = [judged(check, wrong, **given) for given in every]
        require_named(found, hint, bug=new)


def made(mistake):
    """A module that computes what a misconception would."""

    class Heads(nn.Module):
        def __init__(self, channels, height, width, num_classes):
            super().__init__()
            self.class_head = nn.Linear(channels, num_classes)
            self.box_head = nn.Linear(channels * height * width, 4)
            self.scores = 4 if mistake.name == "exchanged" else num_classes

        def forward(self, maps):
            out = mistake.answer(self.state_dict(keep_vars=True), maps, self.training)
            return out[:, : self.scores], out[:, self.scores :]

    return Heads


@pytest.mark.parametrize("mistake", boxes_heads.HEADS, ids=lambda mistake: mistake.name)
def test_a_misconception_of_the_heads_is_named(judged, mistake):
    found = judged(heads.forward, made(mistake), 6, 3, 2, 5, x=(4, 6, 3, 2))
    assert found.outcome is Outcome.FAILED and found.hint == mistake.says


@pytest.mark.parametrize("mistake", boxes_heads.HEADS_DRAFTS, ids=lambda mistake: mistake.name)
def test_wrong_sizes_of_the_heads_are_named(judged, mistake):
    sizes = dict(channels=6, height=3, width=2, num_classes=5)
    shapes = mistake.answer(**sizes)

    class Heads(nn.Module):
        def __init__(self, *_):
            super().__init__()
            for head in ("class_head", "box_head"):
                out, features = shapes[f"{head}.weight"]
                self.add_module(head, nn.Linear(features, out, bias=f"{head}.bias" in shapes))

    found = judged(heads.names, Heads, *sizes.values())
    assert found.outcome is Outcome.FAILED
    # a box for each class has other biases too, and is told by them
    assert found.hint == mistake.says or mistake.name in ("a box for each class",)


def test_heads_that_return_something_else_are_told_so(judged):
    class Heads(nn.Module):
        def __init__(self, channels, height, width, num_classes):
            super().__init__()
            self.class_head = nn.Linear(channels, num_classes)
            self.box_head = nn.Linear(channels * height * width, 4)

        def forward(self, maps):
            return self.class_head(maps.mean((2, 3)))

    found = judged(heads.forward, Heads, 6, 3, 2, 5, x=(4, 6, 3, 2))
    assert found.outcome is Outcome.FAILED and "(scores, boxes)" in found.got


def test_an_argument_changed_in_place_is_told(judged):
    def clip(corners, height, width):
        corners[:, 0::2] = corners[:, 0::2].clamp(0, width)
        corners[:, 1::2] = corners[:, 1::2].clamp(0, height)
        return corners

    found = judged(checks.box_clip, clip, corners=FAR, height=30, width=50)
    assert found.outcome is Outcome.FAILED and found.message == "clip changes its argument corners"


def test_a_gradient_that_stops_at_one_head_is_found(judged):
    def multitask_loss(scores, boxes, labels, true_boxes, weight):
        told = dict(labels=labels, true_boxes=true_boxes, weight=weight)
        return oracle.multitask_loss(scores, boxes.detach(), **told)

    given = dict(**BATCH, weight=3.0)
    assert passed(judged(checks.multitask_loss, multitask_loss, **given))
    assert passed(judged(checks.multitask_loss.backward, multitask_loss, "dscores", **given))
    found = judged(checks.multitask_loss.backward, multitask_loss, "dboxes", **given)
    assert found.outcome is Outcome.FAILED


def test_the_lectures_cat():
    cat = torch.tensor([[509.0, 128, 933, 1024]])
    found = oracle.fractions(cat, height=1281, width=1697)
    assert found[0].tolist() == pytest.approx([0.3, 0.1, 0.25, 0.7], abs=1e-3)
    assert oracle.corners(found, height=1281, width=1697)[0].tolist() == pytest.approx(cat[0])


def test_the_iou_is_that_of_counted_pixels():
    rng = np.random.default_rng(0)
    drawn = pixel_boxes(30, 9, 13).draw(rng)

    def mask(box):
        x0, y0, x1, y1 = box.astype(int)
        pixels = np.zeros((9, 13), bool)
        pixels[y0:y1, x0:x1] = True
        return pixels

    masks = np.stack([mask(box) for box in drawn])
    shared = (masks[:, None] & masks[None]).sum((2, 3))
    want = shared / (masks[:, None] | masks[None]).sum((2, 3))
    np.testing.assert_allclose(oracle.iou(*[torch.tensor(drawn)] * 2), want)


def test_drawn_boxes_lie_where_they_should():
    rng = np.random.default_rng(1)
    for beyond in (0, 5):
        x0, y0, x1, y1 = pixel_boxes(500, 6, 11, beyond=beyond).draw(rng).T
        assert (x0 < x1).all() and (y0 < y1).all()
        assert min(x0.min(), y0.min()) == -beyond
        assert (x1.max(), y1.max()) == (11 + beyond, 6 + beyond)
    x, y, w, h = fraction_boxes(500).draw(rng).T
    assert min(x.min(), y.min()) >= 0 and (x + w).max() <= 1 and (y + h).max() <= 1

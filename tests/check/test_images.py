"""The checks of images, losses, measures, maps and the board's file: right styles, named bugs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from autograder.check.images import functions as checks
from autograder.check.images.inputs import blobs, pixels
from autograder.check.images.predictions import prediction_file
from autograder.check.inputs import labels, positive, spread
from autograder.check.mistakes import (
    images,
    images_file,
    images_loss,
    images_maps,
    images_measures,
    images_pointing,
)
from autograder.check.oracle import images as oracle
from autograder.check.record import Outcome
from tests.check.lessons import answers, passed, require_named

LESSON = Path(__file__).parents[2] / "source" / "6-miniplaces" / "miniplaces.py"

CHOSEN = np.array([True, False, True])
NOWHERE = np.array([-np.ones((2, 2)), np.zeros((2, 2)), [[-1, -2], [-3, -1]]])
FEW = {"num_classes": 6, "labels": labels(9, 3), "said": labels(9, 3)}
LOSS = dict(scores=(5, 4), labels=labels(5, 4), smoothing=0.3)
FILE = [dict(images=4, num_classes=100), dict(images=11, num_classes=12)]

# What the lesson asks: the check, the student's function, what is given, and the bank of mistakes.
ASKED = {
    "normalize": (
        checks.normalized_images,
        [
            dict(images=pixels(2, 5, 4), mean=(3,), std=positive(3)),
            dict(images=pixels(3, 2, 7), mean=(3,), std=positive(3)),
        ],
        images.NORMALIZED,
    ),
    "crop": (
        checks.cropped_images,
        [
            dict(
                x=(3, 2, 8, 9),
                top=np.array([0, 3, 1]),
                left=np.array([2, 0, 3]),
                height=5,
                width=4,
            ),
            dict(x=(4, 3, 6, 7), top=labels(4, 3), left=labels(4, 6), height=4, width=2),
        ],
        images.CROPPED,
    ),
    "mirror": (
        checks.mirrored_images,
        [dict(x=(3, 2, 4, 5), chosen=CHOSEN), dict(x=(2, 3, 3, 4), chosen=CHOSEN[[1, 1]])],
        images.MIRRORED,
    ),
    "smoothed_cross_entropy": (
        checks.smoothed_loss,
        [
            LOSS,
            dict(scores=(7, 9), labels=labels(7, 9), smoothing=0.0),
            dict(scores=(3, 6), labels=labels(3, 6)),
            dict(scores=spread(4, 5, std=1000), labels=labels(4, 5), smoothing=0.2),
        ],
        images_loss.SMOOTHED_LOSS,
    ),
    "top_k": (
        checks.top_k_share,
        [
            dict(probabilities=(40, 8), labels=labels(40, 8), k=1),
            dict(probabilities=(40, 8), labels=labels(40, 8), k=3),
            dict(probabilities=(30, 20), labels=labels(30, 20), k=5),
        ],
        images_measures.TOP_K,
    ),
    "confusion_matrix": (
        checks.confusion_counts,
        [dict(labels=labels(50, 4), said=labels(50, 4), num_classes=4), FEW],
        images_measures.CONFUSION,
    ),
    "class_maps": (
        checks.class_maps,
        [
            dict(maps=(3, 5, 4, 6), weight=(7, 5), labels=labels(3, 7)),
            dict(maps=(4, 3, 5, 2), weight=(4, 3), labels=labels(4, 4)),
        ],
        images_maps.CLASS_MAPS,
    ),
    "grad_cam": (
        checks.grad_cam,
        [
            dict(maps=(3, 5, 4, 6), gradients=(3, 5, 4, 6)),
            dict(maps=(2, 7, 3, 2), gradients=(2, 7, 3, 2)),
        ],
        images_maps.GRAD_CAM,
    ),
    "pointing_game": (
        checks.pointing_game,
        [
            dict(cams=(60, 3, 4), masks=blobs(60, 12, 16)),
            dict(cams=(40, 4, 2), masks=blobs(40, 16, 12)),
        ],
        images_pointing.POINTING,
    ),
    "mask_iou": (
        checks.mask_iou,
        [
            dict(cams=(6, 3, 4), masks=blobs(6, 9, 12), share=0.5),
            dict(cams=(5, 4, 2), masks=blobs(5, 8, 6), share=0.2),
            dict(cams=NOWHERE, masks=blobs(3, 6, 4)),
        ],
        images_pointing.MASK_IOU,
    ),
}
MISTAKES = [(name, mistake) for name, (*_, bank) in ASKED.items() for mistake in bank]
# Those that the lesson's first call cannot tell from what is right.
LATER = {
    "always half", "divided by the maximum", "or equal", "overflow", "probability of 0",
    "largest class", "classes that occur",
}  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ASKED)
def test_the_lessons_answers_pass(judged, monkeypatch, name, seed):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    right, (check, every, _) = getattr(answers(LESSON), name), ASKED[name]
    found = [judged(check, right, **given) for given in every]
    assert all(map(passed, found)), found


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("name", "mistake"), MISTAKES, ids=[f"{name}: {mistake.name}" for name, mistake in MISTAKES]
)
def test_a_misconception_fails_and_is_named_at_once(judged, monkeypatch, name, mistake, seed):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    check, every, _ = ASKED[name]
    found = [judged(check, mistake.answer, **given) for given in every]
    wrong = [record for record in found if not passed(record)]
    assert wrong and wrong[0].outcome is Outcome.FAILED
    hints = [record.hint for record in wrong]
    # Shares of so few images can coincide, though never with the right one.
    assert mistake.says in (hints if name == "pointing_game" else hints[:1])
    # with k = 1 there is less to get wrong
    seen_at_once = name == "top_k" or not passed(found[0])
    assert seen_at_once or mistake.name in LATER


def by_loops(function):
    """A function of one image, in NumPy, for each of a batch."""

    def loops(*batches, **options):
        rows = zip(*(batch.numpy() for batch in batches), strict=True)
        return np.stack([function(*row, **options) for row in rows])

    return loops


def loop_confusion(labels, said, num_classes):
    counts = [[0] * num_classes for _ in range(num_classes)]
    for right, other in zip(labels.tolist(), said.tolist(), strict=True):
        counts[right][other] += 1
    return counts


def loop_crop(x, top, left, height, width):
    out = torch.empty(len(x), x.shape[1], height, width)
    for i in range(len(x)):
        out[i] = x[i, :, top[i] : top[i] + height, left[i] : left[i] + width]
    return out


def copied_mirror(x, chosen):
    x = x.clone()
    x[chosen] = x[chosen].flip(-1)
    return x


def enlarged_by_hand(cams, masks):
    """Bilinear interpolation, without torch."""
    height, width = masks.shape[1:]

    def share(side, coarse):
        place = np.clip((np.arange(side) + 0.5) * coarse / side - 0.5, 0, coarse - 1)
        return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(coarse)))

    rows, columns = share(height, cams.shape[1]), share(width, cams.shape[2])
    return np.einsum("yh,nhw,xw->nyx", rows, cams.double().numpy(), columns)


def pointing_by_hand(cams, masks):
    right = 0
    for large, mask in zip(enlarged_by_hand(cams, masks), masks.numpy(), strict=True):
        places = np.argwhere(large == large.max())
        right += bool(mask[tuple(places[-1])])  # the last of equals
    return right / len(cams)


def iou_by_hand(cams, masks, share=0.5):
    found = []
    for large, mask in zip(enlarged_by_hand(cams, masks), masks.numpy(), strict=True):
        region = (large >= share * large.max()) & (large > 0)
        found.append((region & mask).sum() / (region | mask).sum())
    return torch.tensor(found).mean()


def one_hot_loss(scores, labels, smoothing=0.1):
    target = F.one_hot(labels, scores.shape[1]).float() * (1 - smoothing)
    target += smoothing / scores.shape[1]
    return (target * (torch.logsumexp(scores, 1, keepdim=True) - scores)).sum() / len(scores)


STYLES = {
    "normalize": [
        lambda images, mean, std: ((images / 255.0 - mean) / std).movedim(-1, 1),
        lambda images, mean, std: torch.stack(
            [(images[..., c].float() / 255 - mean[c]) / std[c] for c in range(3)], 1
        ),
        lambda images, mean, std: (
            (images.permute(0, 3, 1, 2) / 255 - mean[:, None, None]) / std.view(1, 3, 1, 1)
        ).contiguous(),
    ],
    "crop": [loop_crop],
    "mirror": [copied_mirror, by_loops(lambda x, chosen: x[:, :, ::-1] if chosen else x)],
    "smoothed_cross_entropy": [
        one_hot_loss,
        lambda scores, labels, smoothing=0.1: F.cross_entropy(
            scores.double(), labels, label_smoothing=smoothing
        ),
    ],
    "top_k": [
        lambda p, labels, k: (p.argsort(1, descending=True)[:, :k] == labels[:, None]).sum()
        / len(p),
        lambda p, labels, k: np.mean(
            [label in np.argsort(row)[-k:] for row, label in zip(p.numpy(), labels, strict=True)]
        ),
    ],
    "confusion_matrix": [loop_confusion],
    "class_maps": [
        lambda maps, weight, labels: (
            F.one_hot(labels, len(weight)).float() @ weight @ maps.flatten(2)
        ).reshape(len(maps), len(maps), *maps.shape[2:])[range(len(maps)), range(len(maps))],
        lambda maps, weight, labels: torch.stack(
            [F.conv2d(m[None], weight[k][None, :, None, None])[0, 0]
             for m, k in zip(maps, labels, strict=True)]
        ),
    ],
    "grad_cam": [by_loops(lambda maps, g: np.tensordot(g.mean((1, 2)), maps, 1))],
    "pointing_game": [pointing_by_hand],
    "mask_iou": [iou_by_hand],
}  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", STYLES)
def test_other_right_styles_pass(judged, monkeypatch, name, seed):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    check, every, _ = ASKED[name]
    for style in STYLES[name]:
        found = [judged(check, style, **given) for given in every]
        assert all(map(passed, found)), found


WRONG_CODE = {
    "normalize": [
        ("images.float() / 255", "images.float()", "from 0 to 255"),
        (".permute(0, 3, 1, 2)\n", ".permute(0, 3, 2, 1)\n", "Height and width"),
        (
            ".permute(0, 3, 1, 2)\n",
            ".reshape(len(images), 3, *images.shape[1:3])\n",
            "permute moves an axis",
        ),
        ("images.float() / 255", "images // 255", "as whole numbers"),
    ],
    "crop": [
        ("top[:, None, None] + ", "left[:, None, None] + ", "left is used for the rows"),
        ("top[:, None, None] + ", "top[0] + ", None),
        ("[image, rows, columns].permute(0, 3, 1, 2)", "[image, rows, columns]", "last axis"),
    ],
    "mirror": [
        ("x.flip(3)", "x.flip(2)", "heads"),
        ("torch.where(chosen[:, None, None, None], x.flip(3), x)", "x.flip(3)", "All images"),
    ],
    "smoothed_cross_entropy": [
        ("smoothing * log_p.mean(dim=1)", "smoothing * log_p.sum(dim=1)", "not divided by K"),
        ("(1 - smoothing) * right", "right", "lacks its factor"),
        ("F.log_softmax(scores, dim=1)", "F.softmax(scores, dim=1).log()", "Large scores"),
        ("F.log_softmax(scores, dim=1)", "F.log_softmax(scores, dim=0)", "over the images"),
        ("log_p.mean(dim=1)).mean()", "log_p.mean(dim=1)).sum()", "Summed"),
        ("log_p.mean(dim=1)).mean()", "log_p.mean(dim=1))", "a number for each image"),
    ],
    "top_k": [
        (".topk(k, dim=1)", ".topk(1, dim=1)", "most probable class counts"),
        (".topk(k, dim=1)", ".topk(k, dim=1, largest=False)", "*least*"),
        (".any(dim=1).float().mean()", ".float().mean()", "Divided by k"),
        (".any(dim=1).float().mean()", ".any(dim=1).sum()", "how many are right"),
    ],
    "confusion_matrix": [
        ("labels * num_classes + said", "said * num_classes + labels", "changed places"),
        (
            "places.reshape(num_classes, num_classes)",
            "places.reshape(num_classes, num_classes) / len(labels)",
            "shares of all images",
        ),
        (
            "places.reshape(num_classes, num_classes)",
            "places.new_zeros(num_classes, num_classes).index_put((labels, said), torch.tensor(1))",
            "adds once",
        ),
    ],
    "class_maps": [
        ("weight[labels])", "weight[:len(labels)])", "Image i has the weights"),
        ("maps, weight[labels])", "maps, weight[labels]).relu()", "no ReLU"),
    ],
    "grad_cam": [
        (
            "gradients.mean(dim=(2, 3), keepdim=True)",
            "gradients.sum(dim=(2, 3), keepdim=True)",
            "divide by H",
        ),
        ("gradients.mean(dim=(2, 3), keepdim=True)", "gradients", "its own gradient"),
    ],
    "pointing_game": [
        ('mode="bilinear"', 'mode="nearest"', "one block"),
        ('mode="bilinear"', 'mode="bilinear", align_corners=True', "align_corners"),
        ("masks.flatten(1).gather", "masks.transpose(1, 2).flatten(1).gather", None),
        ("argmax(dim=1", "argmin(dim=1", "lowest"),
    ],
    "mask_iou": [
        ("large.max(dim=1, keepdim=True).values", "torch.ones(())", "above the share itself"),
        ("large.max(dim=1, keepdim=True).values", "large.max()", "maximum of the batch"),
        ("/ (region | inside).sum(1)", "/ inside.sum(1)", "share of the object"),
        ('mode="bilinear"', 'mode="nearest"', "one block"),
    ],
}


@pytest.mark.parametrize("name", WRONG_CODE)
def test_bugs_in_the_lessons_own_answers_are_found_and_named(judged, name):
    check, every, _ = ASKED[name]
    for old, new, hint in WRONG_CODE[name]:
        wrong = getattr(answers(LESSON, (old, new)), name)
        found = [judged(check, wrong, **given) for given in every]
        require_named(found, hint, bug=new)


@pytest.mark.parametrize("seed", range(8))
def test_no_draw_lets_a_bug_pass(monkeypatch, seed):
    """Of the shares, which are few, none is right by chance."""
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    for name in ("top_k", "pointing_game", "mask_iou"):
        check, every, bank = ASKED[name]
        case = check._case(getattr(answers(LESSON), name), "", every[1])
        right = case.expected()
        for mistake in bank:
            if mistake.name in LATER - {"always half"}:
                continue
            given = [torch.tensor(array) for array in case.arrays.values()]
            other = np.asarray(mistake.answer(*given, **case.options))
            same = other.shape == right.shape and np.allclose(other, right, 1e-5)
            assert not same, (name, mistake.name)


def test_images_are_given_as_bytes_and_must_become_single_precision(judged):
    types = []

    def normalize(images, mean, std):
        types.append((images.dtype, mean.dtype, std.dtype))
        return oracle.normalized(images, mean, std)

    found = judged(checks.normalized_images, normalize, **ASKED["normalize"][1][0])
    assert types == [(torch.uint8, torch.float32, torch.float32)]
    assert found.outcome is Outcome.FAILED
    assert (found.got, found.expected) == ("float64", "float32")


def in_place(name):
    def normalize(images, mean, std):
        x = answers(LESSON).normalize(images, mean, std)
        mean -= 1
        return x

    def mirror(x, chosen):
        x[chosen] = x[chosen].flip(3)
        return x

    def mask_iou(cams, masks, share=0.5):
        value = oracle.mask_iou(cams, masks, share=share)
        masks &= False
        return value

    return {"normalize": normalize, "mirror": mirror, "mask_iou": mask_iou}[name]


@pytest.mark.parametrize(
    ("name", "argument"), [("normalize", "mean"), ("mirror", "x"), ("mask_iou", "masks")]
)
def test_an_argument_changed_in_place_is_told(judged, name, argument):
    check, every, _ = ASKED[name]
    found = judged(check, in_place(name), **every[0])
    assert found.outcome is Outcome.FAILED
    assert found.message == f"{name} changes its argument {argument}"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("right", [oracle.smoothed_loss, *STYLES["smoothed_cross_entropy"]])
def test_the_losss_gradient_is_right_in_every_style(judged, monkeypatch, right, seed):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    for given in ASKED["smoothed_cross_entropy"][1]:
        assert passed(judged(checks.smoothed_loss.backward, right, "dscores", **given))


def test_a_gradient_cut_in_the_middle_is_found(judged):
    def loss(scores, labels, smoothing=0.1):
        log_p = scores.log_softmax(1)
        right = log_p.gather(1, labels[:, None])[:, 0]
        return -((1 - smoothing) * right + smoothing * log_p.detach().mean(1)).mean()

    assert passed(judged(checks.smoothed_loss, loss, **LOSS))
    found = judged(checks.smoothed_loss.backward, loss, "dscores", **LOSS)
    assert found.outcome is Outcome.FAILED and "first term" not in found.message


def test_what_is_not_written_or_raises_is_no_wrong_answer(judged):
    def missing(*given, **options):
        raise NotImplementedError

    for check, every, _ in ASKED.values():
        assert judged(check, missing, **every[0]).outcome is Outcome.COULD_NOT_RUN
    found = judged(checks.smoothed_loss.backward, missing, "dscores", **LOSS)
    assert found.outcome is Outcome.COULD_NOT_RUN
    assert judged(prediction_file, missing, **FILE[0]).outcome is Outcome.COULD_NOT_RUN
    found = judged(checks.class_maps, lambda m, w, k: m @ w, **ASKED["class_maps"][1][0])
    assert found.outcome is Outcome.FAILED and "raised RuntimeError" in found.message


def test_a_hidden_check_keeps_its_values_to_itself(judged):
    given = ASKED["top_k"][1][1]
    found = judged(checks.top_k_share, lambda p, y, k: 0.5, **given, concept="the board's measure")
    assert found.call.endswith(": the board's measure") and not found.got
    found = judged(prediction_file, lambda names, p: names[0], **FILE[0], concept="hidden")
    assert not found.got and "val/" not in found.hint


def regions_of(mask):
    """How many connected regions there are."""
    left, found = set(map(tuple, np.argwhere(mask))), 0
    while left:
        found, edge = found + 1, [left.pop()]
        while edge:
            r, c = edge.pop()
            near = {(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)} & left
            left -= near
            edge += near
    return found


def test_blobs_are_one_region_each_and_pixels_are_bytes():
    rng = np.random.default_rng(0)
    masks = blobs(200, 9, 12).draw(rng)
    assert masks.dtype == bool and masks.shape == (200, 9, 12)
    assert {regions_of(mask) for mask in masks} == {1}
    assert 0.05 < masks.mean() < 0.5 and len({mask.sum() for mask in masks}) > 20
    images = pixels(3, 40, 50).draw(rng)
    assert images.dtype == np.uint8 and images.shape == (3, 40, 50, 3)
    assert (images.min(), images.max()) == (0, 255)


def test_whichever_of_the_highest_places_is_taken_the_answer_is_the_same():
    given = ASKED["pointing_game"][1][0]
    case = checks.pointing_game._case(len, "", given)
    cams, masks = (torch.tensor(array) for array in case.arrays.values())
    large = oracle.enlarged(cams, masks).flatten(1)
    several = 0
    for row, mask in zip(large, masks.flatten(1), strict=True):
        highest = mask[row >= row.max() - 1e-9]
        several += len(highest) > 1
        assert highest.unique().numel() == 1
    assert several  # at the border the enlarged map is flat


def test_the_region_of_a_map_that_is_nowhere_positive_is_empty():
    masks = torch.ones(3, 6, 4, dtype=torch.bool)
    assert oracle.mask_iou(torch.tensor(NOWHERE), masks) == 0
    assert oracle.mask_iou(torch.ones(3, 2, 2), masks) == 1


# The file


def as_lines(names, rows):
    return [f"{name} {' '.join(map(str, row))}" for name, row in zip(names, rows, strict=True)]


def five(probabilities):
    return (-probabilities.numpy()).argsort(1)[:, :5].tolist()


RIGHT_FILES = {
    "no newline at the end": lambda names, p: "\n".join(as_lines(names, five(p))),
    "other order": lambda names, p: "\n".join(sorted(as_lines(names, five(p)))) + "\n",
    "tabs": lambda names, p: "\n".join(as_lines(names, five(p))).replace(" ", "\t"),
    "carriage returns": lambda names, p: "\r\n".join(as_lines(names, five(p))),
}


@pytest.mark.parametrize("given", FILE, ids=str)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("style", ["lesson", *RIGHT_FILES])
def test_right_files_pass(judged, monkeypatch, style, seed, given):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    right = RIGHT_FILES.get(style) or answers(LESSON).prediction_lines
    assert passed(judged(prediction_file, right, **given))


@pytest.mark.parametrize("given", FILE, ids=str)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mistake", images_file.FILE, ids=lambda mistake: mistake.name)
def test_a_wrong_file_is_named(judged, monkeypatch, mistake, seed, given):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    seen = []

    def lines(names, probabilities):
        seen.append(names)
        return mistake.answer(names, probabilities.double().numpy())

    found = judged(prediction_file, lines, **given)
    assert found.outcome is Outcome.FAILED and found.hint == mistake.says
    assert seen[0] != sorted(seen[0])


def test_the_board_says_everything_that_is_wrong(judged):
    def lines(names, probabilities):
        rows = as_lines(names[1:], five(probabilities)[1:])
        return "\n".join(["name labels", rows[0] + " 7", *rows[1:-1], "val/nobody.jpg 1 2 3 4 x"])

    found = judged(prediction_file, lines, images=6, num_classes=20)
    assert found.message == "the board would refuse this file"
    for part in ("header", "6 labels", "unknown image 'val/nobody.jpg'", "the word 'x'"):
        assert part in found.got, part
    assert found.hint


def test_labels_of_other_images_are_counted(judged):
    def lines(names, probabilities):
        rows = five(probabilities)
        rows[2] = rows[2][::-1]
        return "\n".join(as_lines(names, rows))

    found = judged(prediction_file, lines, **FILE[0])
    assert found.outcome is Outcome.FAILED and found.where == "1 of 4 lines"
    assert "in another order" in found.hint


@pytest.mark.parametrize("made", [as_lines, lambda names, rows: "\n".join(names).encode()])
def test_what_is_no_text_is_told_so(judged, made):
    found = judged(prediction_file, lambda names, p: made(names, five(p)), **FILE[0])
    assert found.outcome is Outcome.FAILED and "should return the text" in found.message


def test_names_that_are_sorted_in_place_are_told(judged):
    def lines(names, probabilities):
        names.sort()
        return ""

    found = judged(prediction_file, lines, **FILE[0])
    assert found.message == "lines changes its argument image_names"

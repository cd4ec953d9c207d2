"""The truth of the sixth lesson tells right from wrong, whatever its checks say."""

from functools import cache

import pytest

from benchmarks.quality import diagnosis, lesson, truth
from benchmarks.quality.lessons import HERE, ROOT, plan_of, without

PATH = ROOT / "source" / "6-miniplaces" / "miniplaces.py"
PLAN = plan_of(PATH)


@cache
def known(name):
    """The truth of a name, with its calls."""
    (found,) = (t for t in PLAN.truths if name in t.names)
    return found, truth.known([found])[0][1]


@cache
def reference():
    """What the lesson's own solutions define."""
    return PLAN.lesson.namespace()


def fault_of(name, scope, tolerance=0.0):
    """What the truth says of the answer to ``name`` in ``scope``."""
    judged, calls = known(name)
    try:
        for each in calls:
            truth.require(judged, each, scope, tolerance)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def changed(old, new):
    """The reference with one change of one cell; what other cells define calls the old one."""
    (text,) = (text for text in PLAN.lesson.answers.values() if text.count(old) == 1)
    scope = dict(reference())
    exec(lesson.code_of(text.replace(old, new)), scope)
    return scope


NAMES = [t.names[0] for t in PLAN.truths]


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_is_right(name):
    assert fault_of(name, reference()) == ""


def test_every_answer_but_the_training_has_a_truth():
    told = {name for t in PLAN.truths for name in t.names}
    written = {n for cell in PLAN.lesson.answers.values() for n in lesson.definitions(cell)}
    assert written - told == {"fit"}


# Of each answer, changes that make it wrong and that one could overlook.
WRONG = [
    ("normalize", "/ std).permute(0, 3, 1, 2)", "/ std).permute(0, 3, 2, 1)"),
    ("normalize", "images.float() / 255", "images.double() / 255"),
    ("crop", "columns = left[:, None, None]", "columns = left[0]"),
    ("crop", "top[:, None, None] + torch.arange(height)", "top[0] + torch.arange(height)"),
    ("mirror", "x.flip(3)", "x.flip(2)"),
    ("pretrained_net", 'if not name.startswith("fc.")', 'if "fc." not in name or num_classes == 7'),
    ("pretrained_net", "**backbone})\n", "**backbone})\n    net.conv1.requires_grad_(False)\n"),
    ("freeze", "for name in children", "for name in children[:1]"),
    ("train_mode", "    net.train()\n    for", "    for"),
    ("train_mode", "            layer.eval()\n", "            pass\n"),
    ("smoothed_cross_entropy", "smoothing * log_p.mean", "log_p.mean"),
    ("smoothed_cross_entropy", "F.log_softmax(scores, dim=1)", "scores.softmax(1).log()"),
    ("rate_factor", "(step + 1) / warmup", "step / warmup"),
    ("rate_factor", "(steps - warmup)", "steps"),
    ("make_schedule", "steps=steps, warmup=warmup", "steps=steps + 1, warmup=warmup"),
    ("make_optimizer", '"weight_decay": decay', '"weight_decay": weight_decay'),
    ("make_optimizer", " and parameter.requires_grad", ""),
    ("make_optimizer", "momentum=momentum", "momentum=0.9"),
    ("train_epoch", "        optimizer.zero_grad()\n", ""),
    ("train_epoch", "        schedule.step()\n", ""),
    ("train_epoch", "losses.append(loss.item())", "losses.append(loss)"),
    ("train_epoch", "smoothed_cross_entropy(net(x), labels)", "F.cross_entropy(net(x), labels)"),
    ("save", 'part = Path(f"{path}.part")', "part = Path(path)"),
    ("save", '"schedule": schedule}\n    state', '"schedule": optimizer}\n    state'),
    ("save", "        return 0\n", "        return 1\n"),
    ("predict", "    net.eval()\n    with", "    net.train()\n    with"),
    ("predict", "images.split(batch_size)", "images.split(200)"),
    ("top_k", ".any(dim=1)", ".all(dim=1)"),
    ("confusion_matrix", "labels * num_classes + said", "said * num_classes + labels"),
    ("confusion_matrix", ", minlength=num_classes**2", ""),
    ("class_maps", "weight[labels]", "weight[: len(labels)]"),
    ("maps_and_gradients", "net.eval().features(x)", "net.train().features(x)"),
    ("grad_cam", "gradients.mean(", "gradients.sum("),
    ("pointing_game", "argmax(", "argmin("),
    ("mask_iou", "large > share", "large > 0.5"),
    ("predict_twice", "images.flip(2)", "images.flip(1)"),
    ("prediction_lines", "topk(5, dim=1)", "topk(5, dim=1, largest=False)"),
]


@pytest.mark.parametrize(("name", "old", "new"), WRONG)
def test_a_wrong_answer_is_found(name, old, new):
    assert fault_of(name, changed(old, new))


def test_16_bits_are_asked_for():
    assert fault_of("train_epoch", changed("enabled=mixed", "enabled=False"))


EQUIVALENT = [
    ("normalize", "images.float() / 255", "images / 255"),
    ("top_k", ".topk(k, dim=1).indices", ".argsort(descending=True)[:, :k]"),
    ("pointing_game", "gather(1, highest).float()", "gather(1, highest).double()"),
    ("mask_iou", "(region & inside).sum(1)", "(region * inside).sum(1)"),
    ("mask_iou", " & (large > 0)", ""),  # no share of a negative maximum is below it
    ("confusion_matrix", "said, minlength", "said.int(), minlength"),
]


@pytest.mark.parametrize(("name", "old", "new"), EQUIVALENT)
def test_another_right_answer_is_not(name, old, new):
    assert fault_of(name, changed(old, new)) == ""


# Samples are graded elsewhere, by all that grades; every style with many seeds, by the proof.
STYLES = sorted(file.stem for file in (HERE / "miniplaces_styles").glob("*.py"))
DEAR = ("pretrained_net", "make_optimizer", "train_epoch", "save", "train_mode", "predict")


@pytest.mark.filterwarnings("ignore")  # some of what people write works and is frowned on
@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_right(style):
    scope = PLAN.lesson.namespace(extra=PLAN.styles[style])
    faults = {name: fault_of(name, scope, 1e-3) for name in NAMES if name not in DEAR}
    assert not any(faults.values()), faults


def test_trainings_are_measured_by_themselves():
    assert not [id for id in PLAN.lesson.tests if id.startswith("fit-")]
    assert [o.name for o in PLAN.outcomes] == ["linear probe", "frozen early layers"]


def test_only_tests_that_there_are_can_be_left_out():
    with pytest.raises(ValueError, match="no test gone"):
        without(PLAN.lesson, ("gone", "crop-windows"))


NAMED = [
    ("normalize", "normalized_images", 0),
    ("crop", "cropped_images", 2),
    ("smoothed_cross_entropy", "smoothed_loss", 3),
    ("confusion_matrix", "confusion_counts", 0),
    ("grad_cam", "grad_cam", 0),
]


@pytest.mark.parametrize(("answer", "layer", "place"), NAMED)
def test_a_misconception_is_made_up_and_named(answer, layer, place):
    bug = [bug for bug in diagnosis.bugs(PLAN) if bug.layer == layer][place]
    scope = diagnosis.with_bug(dict(reference()), bug, answer, "")
    assert fault_of(answer, scope)
    tests = diagnosis.tests_about(PLAN, bug, frozenset([answer]))
    assert next(lesson.failures(tests, scope)).record.hint.startswith(bug.says)

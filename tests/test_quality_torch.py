"""The truth of the lessons in PyTorch tells right from wrong, whatever their checks say."""

from functools import cache

import pytest
import torch

from benchmarks.quality import accepts, diagnosis, lesson, mutation, truth
from benchmarks.quality.lessons import HERE, ROOT, Plan, plan_of

RESNET = ROOT / "source" / "5-resnet" / "resnet.py"
LOCALIZATION = ROOT / "source" / "7-localization" / "localization.py"


@cache
def plan(path):
    return plan_of(path)


@cache
def known(path, name):
    """The truth of a name, with its calls."""
    (found,) = (t for t in plan(path).truths if name in t.names)
    return found, truth.known([found])[0][1]


def fault(path, name, changes=(), style=""):
    """What the truth says of the answer to ``name``, with changes of the solutions' text."""
    of = plan(path)
    replaced = dict(of.lesson.answers)
    for old, new in changes:
        (cell,) = (id for id, text in replaced.items() if text.count(old) == 1)
        replaced[cell] = replaced[cell].replace(old, new)
    judged, calls = known(path, name)
    try:
        scope = of.lesson.namespace(replaced, of.styles.get(style, ""))
        for each in calls:
            truth.require(judged, each, scope, 1e-3 if style else 0.0)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def names(path):
    return [t.names[0] for t in plan(path).truths]


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path in (RESNET, LOCALIZATION) for name in names(path)]
)
def test_the_reference_is_right(path, name):
    assert fault(path, name) == ""


# Of each answer, changes that make it wrong and that other kinds of checks do not see at once.
WRONG = {
    RESNET: [
        ("Multiply", "return y * dz, x * dz", "return x * dz, y * dz"),
        ("Rectify", "return dz * (x > 0)", "return dz"),
        ("Rectify", "return x.clamp(min=0)", "return x.clamp_(min=0)"),
        ("Linear", "dz.sum(0)", "dz.mean(0)"),
        ("BasicBlock", "return F.relu(h)", "return h"),
        ("BasicBlock", "h = self.bn2(self.conv2(h))\n        if", "h = self.conv2(h)\n        if"),
        ("BasicBlock", "if skip and (stride != 1 or c_in != channels)", "if skip and stride != 1"),
        ("BasicBlock", "h = self.bn2(self.conv2(h))", "h = self.bn2(self.conv2(h)).detach()"),
        ("BasicBlock", "self.skip, self.downsample = skip, None",
         "self.skip, self.downsample = True, None"),
        ("BasicBlock", "self.bn2 = nn.BatchNorm2d(channels)\n        self.skip",
         "self.bn2 = nn.BatchNorm2d(channels, momentum=0.2)\n        self.skip"),
        ("Bottleneck", "self.conv1 = nn.Conv2d(c_in, channels, 1, bias=False)",
         "self.conv1 = nn.Conv2d(c_in, channels, 1, bias=True)"),
        ("Bottleneck", "h = self.bn3(self.conv3(h))", "h = self.bn3(self.conv3(h)).relu()"),
        ("ResNet", "h.mean(dim=(2, 3))", "h.amax(dim=(2, 3))"),
        ("ResNet", "2 if number > 0 == place", "2 if number >= 0 == place"),
        ("cost", "    for hook in hooks:\n        hook.remove()", "    pass"),
        ("cost", "    net.train(training)\n    for", "    net.train()\n    for"),
        ("cost", "net.eval()(torch.zeros", "net(torch.zeros"),
        ("train", "        optimizer.zero_grad()\n", ""),
        ("train", "momentum=momentum)", "momentum=0.9)"),
        ("train", "    net.train()\n", ""),
        ("accuracy", "    net.eval()\n", ""),
        ("accuracy", ".float().mean()", ".float().sum()"),
        ("gradient_norms", "    net.zero_grad()\n", ""),
        ("gradient_norms", "p.ndim == 4", "p.ndim >= 2"),
        ("filter_normalized", "part.flatten(1).norm(dim=1)", "part.norm()[None]"),
        ("same_conv", "padding = dilation * (kernel_size - 1) // 2", "padding = kernel_size // 2"),
        ("receptive_field", "out.shape[3] // 2", "out.shape[3] // 3"),
        ("conv_forward", "(1, 2, 3))) + b", "(1, 2, 3)))"),
        ("max_pool_forward", ".max(axis=(4, 5))", ".max(axis=4).mean(axis=4)"),
        ("spatial_batch_norm_forward", "np.sqrt(running_var + eps)", "np.sqrt(running_var)"),
        ("torch_running_var", ", ddof=1", ""),
        ("numpy_resnet18", "h = np.maximum(branch + h, 0)", "h = np.maximum(branch, 0) + h"),
    ],
    LOCALIZATION: [
        ("to_fractions", "(y1 - y0) / height", "(y1 - y0) / width"),
        ("to_corners", "(x + w) * width", "w * width"),
        ("clip", "corners[:, 1::2].clamp(0, height)", "corners[:, 1::2].clamp(0, width)"),
        ("clip", "corners[:, 0::2].clamp(0, width)", "corners[:, 0::2].clamp_(0, width)"),
        ("area", ".clamp(min=0).unbind(1)", ".abs().unbind(1)"),
        ("iou", "(last - first).clamp(min=0)", "(last - first + 1).clamp(min=0)"),
        ("iou", "union > 0", "union > -1"),
        ("iou", "union > 0", "union > 1"),
        ("score", "overlaps > 0.5", "overlaps >= 0.5"),
        ("windows", "permute(1, 2, 0, 3, 4)", "permute(2, 1, 0, 3, 4)"),
        ("window_scores", "height, width), bias)", "height, width))"),
        ("multiply_adds", "width - 4\n", "width - 5\n"),
        ("Heads", ".sigmoid()", ".clamp(0, 1)"),
        ("Heads", "maps.mean(dim=(2, 3))", "maps.amax(dim=(2, 3))"),
        ("box_loss", ".square().sum(dim=1)", ".square().mean(dim=1)"),
        ("smooth_l1", "d - beta / 2)", "d - 0.5)"),
        ("multitask_loss", "weight * box_loss(boxes", "weight * box_loss(boxes.detach()"),
        ("multitask_loss", "weight * box_loss", "box_loss"),
        ("box_of", "columns.max() + 1", "columns.max()"),
        ("box_of", "if len(rows) == 0", "if False"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "name", "old", "new"),
    [(path, *change) for path, changes in WRONG.items() for change in changes],
)
def test_a_wrong_answer_is_found(path, name, old, new):
    assert fault(path, name, [(old, new)])


EQUIVALENT = {
    RESNET: [
        ("Rectify", "return dz * (x > 0)", "return dz * (x >= 0)"),  # any slope will do at 0
        ("train", "        losses.append(loss.item())", "        losses.append(loss.detach())"),
        ("same_conv", "padding = dilation * (kernel_size - 1) // 2", 'padding = "same"'),
    ],
    LOCALIZATION: [
        ("iou", "torch.where(union > 0, intersection / union, 0)",
         "torch.where(intersection > 0, intersection / union, 0)"),
        ("smooth_l1", "d < beta", "d <= beta"),
        ("box_loss", "(predicted - true).square()", "(true - predicted).square()"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "name", "old", "new"),
    [(path, *change) for path, changes in EQUIVALENT.items() for change in changes],
)
def test_another_right_answer_is_not(path, name, old, new):
    assert fault(path, name, [(old, new)]) == ""


# Samples are graded elsewhere, by all that grades.
STYLES = [
    (path, style)
    for path, folder in ((RESNET, "resnet_styles"), (LOCALIZATION, "localization_styles"))
    for style in sorted(file.stem for file in (HERE / folder).glob("*.py"))
]


@pytest.mark.filterwarnings("ignore")  # some of what people write works and is frowned on
@pytest.mark.parametrize(("path", "style"), STYLES)
def test_every_style_is_right_and_passes(path, style):
    of = plan(path)
    text = of.styles[style]
    answered = frozenset(lesson.definitions(text))
    for judged in of.truths:
        if answered & set(judged.names):
            assert fault(path, judged.names[0], style=style) == ""
    scope = of.lesson.namespace(extra=text)
    assert list(lesson.failures(of.lesson.tests_of(answered), scope)) == []


CLASS = '''
@torch.no_grad()
def asked(net, x):
    """Scores."""
    return net(x)


class Twice(nn.Module):
    """Both at once."""

    factor = 2

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)

    def forward(self, x):
        return self.factor * self.fc(x)
'''


def test_classes_are_mutated_in_their_methods_and_decorators_stay():
    of = Plan(lesson.Lesson("tiny", (), {}, {}), (), {}, {"classes": CLASS}, ("classes",))
    asked, twice = mutation.units(of)
    assert asked.text.startswith("@torch.no_grad()")
    assert [twice.text.splitlines()[n - 1].strip() for n in sorted(twice.lines)] == [
        "super().__init__()",
        "self.fc = nn.Linear(3, 3)",
        "return self.factor * self.fc(x)",
    ]
    changed = {mutant.diff.split("+ ")[-1].strip() for mutant in mutation.of(twice)}
    assert "return (self.fc(x))" in changed  # the factor dropped
    assert "return self.factor * (x)" in changed  # the layer left out
    assert not any("factor = " in text for text in changed)


def test_a_mutant_of_a_class_is_judged_and_caught():
    of = plan(RESNET)
    unit = next(unit for unit in mutation.units(of) if unit.name == "basic-block")
    text = unit.text.replace("return F.relu(h)", "return h")
    small = Plan(of.lesson, of.truths[3:4], {}, {}, ())
    (found,) = accepts.Bench(small).verdicts([mutation.Mutant(unit, "none", text)], workers=1)
    assert (found.runs, found.differs, found.by) == (True, True, "basic-block-forward")
    assert found.hinted


NAMED = [
    (RESNET, "Linear", "linear_function", "dw", "mean over N"),
    (RESNET, "BasicBlock", "basic_block", "out", "added after ReLU"),
    (RESNET, "Bottleneck", "bottleneck", "names", "expansion of 2"),
    (RESNET, "filter_normalized", "filter_normalized", "out", "unit length"),
    (LOCALIZATION, "Heads", "heads", "out", "sigmoid twice"),
    (LOCALIZATION, "box_loss", "box_loss", "out", "mean of four"),
]


@pytest.mark.parametrize(("path", "answer", "layer", "slot", "name"), NAMED)
def test_a_misconception_is_made_up_and_named(path, answer, layer, slot, name):
    of = plan(path)
    (bug,) = (
        bug for bug in diagnosis.bugs(of) if (bug.layer, bug.slot, bug.name) == (layer, slot, name)
    )
    scope = diagnosis.with_bug(of.lesson.namespace(), bug, answer, "")
    assert fault_of(path, answer, scope)
    failure = next(lesson.failures(of.lesson.tests_of(frozenset([answer])), scope))
    assert failure.record.hint.startswith(bug.says)


def fault_of(path, name, scope):
    judged, calls = known(path, name)
    try:
        for each in calls:
            truth.require(judged, each, scope)
    except Exception as error:
        return str(error)
    return ""


def test_gradients_of_a_bug_are_the_oracles_but_one():
    (bug,) = (
        bug
        for bug in diagnosis.bugs(plan(RESNET))
        if (bug.layer, bug.slot, bug.name) == ("linear_function", "db", "mean over N")
    )
    scope = diagnosis.with_bug(plan(RESNET).lesson.namespace(), bug, "Linear", "")
    x, w, b = (torch.randn(s, requires_grad=True) for s in ((4, 3), (5, 3), (5,)))
    scope["Linear"].apply(x, w, b).sum().backward()
    assert torch.allclose(w.grad, x.sum(0).expand(5, 3)) and torch.allclose(b.grad, torch.ones(5))

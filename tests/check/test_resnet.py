"""The checks of residual networks: what they accept, and that they name what is wrong."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from autograder.check.mistakes import resnet as mistakes
from autograder.check.modules import judge as machinery
from autograder.check.modules.resnet import basic_block, bottleneck, resnet, same_conv
from autograder.check.oracle import resnet as oracle
from autograder.check.record import Outcome
from tests.check.lessons import answers as answers_of
from tests.check.lessons import passed

LESSON = Path(__file__).parents[2] / "source" / "5-resnet" / "resnet.py"

PARAMETERS = {
    18: 11_689_512,
    34: 21_797_672,
    50: 25_557_032,
    101: 44_549_160,
    152: 60_192_808,
}


answers = partial(answers_of, LESSON)


@pytest.fixture(scope="module")
def right():
    return answers()


def block_records(judged, make):
    """Each kind of check, where shapes differ and where they do not."""
    deep = make.__name__ == "Bottleneck"
    check, even = (bottleneck, (8, 2)) if deep else (basic_block, (4, 4))
    uneven = dict(x=(2, 4, 6, 7), stride=2)
    return [
        judged(check.names, make, *even),
        judged(check.names, make, 4, 6, stride=2),
        judged(check.forward, make, *even, x=(2, even[0], 5, 6), training=False),
        judged(check.forward, make, 4, 6, training=True, **uneven),
        judged(check.gradients, make, 4, 6, **uneven),
        judged(check.gradients, make, *even, x=(2, even[0], 5, 6)),
    ]


def net_records(judged, make, depth=18):
    sizes = dict(num_classes=5, width=2)
    return [
        judged(resnet.names, make, depth, **sizes),
        judged(resnet.forward, make, depth, x=(2, 3, 64, 72), training=False, **sizes),
        judged(resnet.forward, make, depth, x=(2, 3, 64, 72), training=True, **sizes),
    ]


def first_failure(records):
    """The first check that a student would see fail."""
    return next(record for record in records if record.outcome is not Outcome.PASSED)


# The oracle.


@pytest.mark.parametrize("depth", PARAMETERS)
def test_the_oracle_has_as_many_parameters_as_published(depth):
    shapes = oracle.resnet_shapes(depth)
    learned = [s for name, s in shapes.items() if not name.endswith(oracle.STATISTICS)]
    assert sum(int(np.prod(shape)) for shape in learned) == PARAMETERS[depth]


# The first scores that torchvision 0.29.2's own modules give for these numbers.
TORCHVISION = {
    (18, False): [-1.222618453626508, -0.3122573033742303, -5.986623247729077],
    (18, True): [-2.3174461398539776, -0.09553671241052902, -2.3209002930227935],
    (50, False): [0.680108270402636, -2.761282595251686, 3.0986593967692184],
    (50, True): [-0.24272237562106924, -0.23232781759731613, 1.1127759882194455],
}


@pytest.mark.parametrize(("depth", "training"), TORCHVISION)
def test_the_oracle_computes_what_torchvision_does(depth, training):
    rng = np.random.default_rng(0)
    numbers = oracle.drawn(rng, oracle.resnet_shapes(depth, 7))
    state = {name: torch.tensor(array) for name, array in numbers.items()}
    x = torch.tensor(rng.standard_normal((2, 3, 64, 48)))
    scores = oracle.resnet(state, x, training, depth=depth)
    assert scores[0, :3].tolist() == pytest.approx(TORCHVISION[depth, training], rel=1e-9)


# What is right.


@pytest.mark.parametrize("seed", range(3))
def test_the_lessons_own_modules_pass(judged, right, monkeypatch, seed):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    found = [
        *block_records(judged, right.BasicBlock),
        *block_records(judged, right.Bottleneck),
        *net_records(judged, right.ResNet),
        *net_records(judged, right.ResNet, 50),
    ]
    assert all(map(passed, found)), [r for r in found if not passed(r)]


@pytest.mark.parametrize("depth", PARAMETERS)
def test_every_depth_passes(judged, right, depth):
    sizes = dict(num_classes=3, width=2)
    assert passed(judged(resnet.names, right.ResNet, depth, **sizes))
    forward = partial(resnet.forward, x=(2, 3, 33, 40), training=False)
    assert passed(judged(forward, right.ResNet, depth, **sizes))


STYLES = {
    "in-place ReLUs inside": [
        ("h = F.relu(self.bn1(self.conv1(x)))", "h = F.relu_(self.bn1(self.conv1(x)))"),
        ("return F.relu(h)", "return F.relu(h, inplace=True)"),
    ],
    "added in place": [("h = h + (x if", "h += (x if")],
    "an empty Sequential": [
        ("self.skip, self.downsample = skip, None", "self.skip, self.downsample = skip, "
         "nn.Sequential()"),
        ("x if self.downsample is None else self.downsample(x))\n        return F.relu(h)",
         "self.downsample(x))\n        return F.relu(h)"),
    ],
    "the shortcut first": [
        ("        h = F.relu(self.bn1(self.conv1(x)))\n        h = self.bn2",
         "        s = x if self.downsample is None else self.downsample(x)\n"
         "        h = F.relu(self.bn1(self.conv1(x)))\n        h = self.bn2"),
        ("h = h + (x if self.downsample is None else self.downsample(x))", "h = s + h"),
    ],
    "parts in another order": [
        ("        self.bn2 = nn.BatchNorm2d(channels)\n        self.skip",
         "        self.skip"),
        ("        self.conv1 = nn.Conv2d(c_in, channels, 3,",
         "        self.bn2 = nn.BatchNorm2d(channels)\n"
         "        self.conv1 = nn.Conv2d(c_in, channels, 3,"),
    ],
    "single precision only": [
        ("h = F.relu(self.bn1(self.conv1(x)))\n        h = self.bn2",
         "h = F.relu(self.bn1(self.conv1(x + torch.zeros(1)))).float()\n        h = self.bn2"),
    ],
    "pooled to 1×1": [
        ("h.mean(dim=(2, 3))", "torch.flatten(F.adaptive_avg_pool2d(h, 1), 1)"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_other_styles_pass(judged, style):
    made = answers(*STYLES[style])
    found = [*block_records(judged, made.BasicBlock), *net_records(judged, made.ResNet)]
    assert all(map(passed, found)), [r for r in found if not passed(r)]


# What is wrong: the change, whom it concerns, and what is said first.

BASIC, BOTTLE, NET = "BasicBlock", "Bottleneck", "ResNet"
ADD = "h = h + (x if self.downsample is None else self.downsample(x))"
LAST = "return F.relu(h)"
DEEP_SUM = "F.relu(h + (x if self.downsample is None else self.downsample(x)))"
DEEP_ADD = f"return {DEEP_SUM}"
SHORT = (
    "nn.Conv2d(c_in, channels, 1, stride, bias=False)\n"
    "            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(channels))"
)
STEM = "h = F.relu(self.bn1(self.conv1(x)))\n        h = F.max_pool2d(h, 3, stride=2, padding=1)"
STRIDE = "stride=2 if number > 0 == place else 1"
WRONG = {
    "added after ReLU": (
        BASIC, [(ADD, ADD.replace("h + ", "F.relu(h) + ")), (LAST, "return h")],
        "added after the last ReLU",
    ),
    "no ReLU after the addition": (BASIC, [(LAST, "return h")], "after the addition is missing"),
    "not added": (BASIC, [(ADD, "pass")], "never added"),
    "no ReLU between": (
        BASIC,
        [("h = F.relu(self.bn1(self.conv1(x)))\n        h = self.bn2",
          "h = self.bn1(self.conv1(x))\n        h = self.bn2")],
        "first batch norm is missing",
    ),
    "stride on the second": (
        BASIC,
        [("channels, 3, stride, padding=1, bias=False)\n        self.bn1 = nn.BatchNorm2d(channels)"
          "\n        self.conv2 = nn.Conv2d(channels, channels, 3, padding",
          "channels, 3, padding=1, bias=False)\n        self.bn1 = nn.BatchNorm2d(channels)"
          "\n        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding")],
        "stride is on the last convolution",
    ),
    "shortcut without its norm": (
        BASIC, [("self.downsample(x))\n        return F.relu(h)",
                 "self.downsample[0](x))\n        return F.relu(h)")],
        "not followed by its batch norm",
    ),
    "shortcut has none": (
        BASIC,
        [(SHORT, SHORT.replace("nn.Sequential(conv, nn.BatchNorm2d(channels))",
                               "nn.Sequential(conv)"))],
        "has no batch norm: downsample is a Sequential",
    ),
    "shortcut of ReLU": (
        BASIC, [(ADD, "h = h + F.relu(x if self.downsample is None else self.downsample(x))")],
        "goes through a ReLU of its own",
    ),
    "input in place": (
        BASIC,
        [("h = F.relu(self.bn1(self.conv1(x)))\n        h = self.bn2",
          "h = F.relu(self.bn1(self.conv1(x.relu_())))\n        h = self.bn2")],
        "works on the block's input",
    ),
    "overwritten": (
        BASIC,
        [("h = F.relu(self.bn1(self.conv1(x)))\n        h = self.bn2",
          "x = h = F.relu(self.bn1(self.conv1(x)))\n        h = self.bn2"),
         (ADD, "h = h + x")],
        "is the output of the first convolution",
    ),
    "channels joined": (
        BASIC, [(ADD, "h = torch.cat([h, x if self.downsample is None else self.downsample(x)], "
                      "1)")],
        "joined to the channels",
    ),
    "norms swapped": (
        BASIC,
        [("h = F.relu(self.bn1(self.conv1(x)))\n        h = self.bn2",
          "h = F.relu(self.bn2(self.conv1(x)))\n        h = self.bn1")],
        "have changed places",
    ),
    "detached": (
        BASIC, [(ADD, ADD.replace("(x if", "(x.detach() if"))], "back through the shortcut",
    ),
    "branch without gradient": (
        BASIC, [("h = self.bn2(self.conv2(h))\n        if", "h = self.bn2(self.conv2(h)).detach()"
                 "\n        if")],
        "back through the convolutions",
    ),
    "always training": (
        BASIC,
        [("h = F.relu(self.bn1(self.conv1(x)))\n        h = self.bn2",
          "[m.train() for m in self.modules()]\n"
          "        h = F.relu(self.bn1(self.conv1(x)))\n        h = self.bn2")],
        "In eval mode",
    ),
    "always eval": (
        BASIC,
        [("h = F.relu(self.bn1(self.conv1(x)))\n        h = self.bn2",
          "[m.eval() for m in self.modules()]\n"
          "        h = F.relu(self.bn1(self.conv1(x)))\n        h = self.bn2")],
        "In train mode",
    ),
    "a bias": (
        BASIC, [(", bias=False", "")], "The convolutions have a bias",
    ),
    "identity only": (
        BASIC, [("if skip and (stride != 1 or c_in != channels):", "if False:")],
        "The shortcut is always x itself",
    ),
    "always a convolution": (
        BASIC, [("if skip and (stride != 1 or c_in != channels):", "if skip:")],
        "Every shortcut has a convolution",
    ),
    "a large shortcut": (
        BASIC, [("conv = nn.Conv2d(c_in, channels, 1, stride, bias",
                 "conv = nn.Conv2d(c_in, channels, 3, stride, 1, bias")],
        "shortcut's convolution is 3×3",
    ),
    "stride on the first 1×1": (
        BOTTLE,
        [("nn.Conv2d(c_in, channels, 1, bias", "nn.Conv2d(c_in, channels, 1, stride, bias"),
         ("channels, 3, stride, padding=1, bias=False)\n        self.bn2",
          "channels, 3, padding=1, bias=False)\n        self.bn2")],
        "The stride is on the first 1×1",
    ),
    "stride on the last 1×1": (
        BOTTLE,
        [("nn.Conv2d(channels, c_out, 1, bias", "nn.Conv2d(channels, c_out, 1, stride, bias"),
         ("channels, 3, stride, padding=1, bias=False)\n        self.bn2",
          "channels, 3, padding=1, bias=False)\n        self.bn2")],
        "The stride is on the last convolution",
    ),
    "expansion forgotten": (
        BOTTLE, [("c_out = self.expansion * channels", "c_out = channels")],
        "four times as many channels",
    ),
    "second ReLU missing": (
        BOTTLE, [("h = F.relu(self.bn2(self.conv2(h)))", "h = self.bn2(self.conv2(h))")],
        "second batch norm is missing",
    ),
    "deep, after ReLU": (
        BOTTLE, [(DEEP_ADD, DEEP_ADD.replace("F.relu(h + ", "(F.relu(h) + "))],
        "added after the last ReLU",
    ),
    "no max pooling": (NET, [(STEM, STEM.split("\n")[0])], "max pooling after the first"),
    "mean pooling": (
        NET, [("F.max_pool2d(h", "F.avg_pool2d(h")], "takes the largest number of a window",
    ),
    "no ReLU in the stem": (
        NET, [(STEM, STEM.replace("F.relu(self.bn1(self.conv1(x)))", "self.bn1(self.conv1(x))"))],
        "and the pooling is missing",
    ),
    "max at the end": (NET, [("h.mean(dim=(2, 3))", "h.amax(dim=(2, 3))")], "not its largest"),
    "sum at the end": (NET, [("h.mean(dim=(2, 3))", "h.sum(dim=(2, 3))")], "not its sum"),
    "one pixel at the end": (NET, [("h.mean(dim=(2, 3))", "h[:, :, 0, 0]")],
                             "only the first pixel"),
    "no stride": (
        NET, [("if skip and (stride != 1 or c_in != channels):",
               "stride_was, stride = stride, 1\n        if skip and (stride_was != 1 or "
               "c_in != channels):"),
              ("channels, 3, stride, padding=1, bias=False)\n        self.bn1",
               "channels, 3, padding=1, bias=False)\n        self.bn1")],
        "No layer makes the maps smaller",
    ),
    "softmax": (
        NET, [("self.fc(h.mean(dim=(2, 3)))", "self.fc(h.mean(dim=(2, 3))).softmax(1)")],
        "Those are probabilities",
    ),
    "counts of 34": (NET, [("18: (BasicBlock, (2, 2, 2, 2))", "18: (BasicBlock, (3, 4, 6, 3))")],
                     "ResNet-34"),
    "one too few": (NET, [("in range(count)", "in range(count - 1)")], "one block short"),
    "not doubled": (
        NET, [("width * 2**number, []", "width, []")], "channels double",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_named_first(judged, name):
    who, changes, says = WRONG[name]
    make = getattr(answers(*changes), who)
    records = net_records(judged, make) if who == NET else block_records(judged, make)
    record = first_failure(records)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint, record


def test_every_misconception_says_something_of_its_own():
    for known in (mistakes.BASIC_BLOCK, mistakes.BOTTLENECK, mistakes.RESNET):
        assert len({m.name for m in known}) == len({m.says for m in known}) == len(known)


@pytest.mark.parametrize(
    ("net", "given", "x"),
    [
        (basic_block, (4, 6, 2), (2, 4, 6, 7)),
        (bottleneck, (6, 3, 2), (2, 6, 6, 7)),
        (resnet, (50, 5, 2), (2, 3, 64, 72)),
    ],
)
def test_no_two_misconceptions_are_told_apart_by_luck(net, given, x):
    """Two that answer alike in a mode must also be alike in gradients, or one never arises."""
    case = net.case(len, given, {}, "", x, True)
    right, seen = case.answer(net.oracle).out, []
    for mistake in net.mistakes:
        try:
            out = case.answer(mistake.answer).out
        except (RuntimeError, ValueError, KeyError):
            continue
        if machinery.wrong(out, right):
            assert all(machinery.wrong(out, other) for other in seen), mistake.name
            seen.append(out)
    assert len(seen) >= 9


# Names and shapes that are nobody's known mistake, and answers that are none.


def test_an_unknown_name_is_reported(judged):
    made = answers(("self.bn2", "self.norm2"))
    record = judged(basic_block.names, made.BasicBlock, 4, 4)
    assert record.outcome is Outcome.FAILED
    assert record.message == "its state_dict has no bn2.weight"
    assert "norm2.weight" in record.got and "5 names are missing, 5 are too many" in record.where


def test_parts_under_another_name_are_all_there(judged):
    made = answers(("self.downsample", "self.shortcut"))
    record = judged(basic_block.names, made.BasicBlock, 4, 6)
    assert record.message == "its state_dict has no downsample.0.weight"
    assert record.hint.endswith("your shortcut.0.weight is downsample.0.weight.")


@pytest.mark.parametrize(
    ("who", "change", "says"),
    [
        (NET, ("h.mean(dim=(2, 3))", "h.flatten(1)"), "at the end every map becomes its mean"),
        (BASIC, ("channels, channels, 3, padding=1, bias=False)\n        self.bn2 = "
                 "nn.BatchNorm2d(channels)\n        self.skip", "channels, channels, 3, bias=False)"
                 "\n        self.bn2 = nn.BatchNorm2d(channels)\n        self.skip"),
         "needs padding=1"),
        (BASIC, ("nn.Conv2d(c_in, channels, 1, stride, bias=False)\n            self.downsample = "
                 "nn.Sequential(conv, nn.BatchNorm2d(channels))",
                 "nn.Conv2d(c_in, channels, 1, bias=False)\n            self.downsample = "
                 "nn.Sequential(conv, nn.BatchNorm2d(channels))"),
         "the shortcut has the branch's stride"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_explained(judged, who, change, says):
    make = getattr(answers(change), who)
    records = net_records(judged, make) if who == NET else block_records(judged, make)
    record = first_failure(records)
    assert record.outcome is Outcome.FAILED and "raised RuntimeError" in record.message
    assert says in record.hint
    assert record.trace or who == NET


def test_a_shape_is_reported(judged):
    old = "nn.Conv2d(channels, channels, 3, padding=1"
    made = answers((old, old.replace("3, padding=1", "5, padding=2")))
    record = judged(basic_block.names, made.BasicBlock, 4, 6)
    assert record.message == "conv2.weight has another shape"
    assert (record.got, record.expected) == ("(6, 6, 5, 5)", "(6, 6, 3, 3)")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ((LAST, "return h.tolist()"), "should return a tensor"),
        ((LAST, "raise ValueError(3)"), "raised ValueError"),
        (("h = self.bn2(self.conv2(h))\n        if", "x += 1; h = self.bn2(self.conv2(h))\n"
          "        x -= 1; x *= 2\n        if"), "wrong value"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_said(judged, change, says):
    made = answers(change)
    record = judged(basic_block.forward, made.BasicBlock, 4, 4, x=(2, 4, 5, 6), training=False)
    assert record.outcome is Outcome.FAILED
    assert says in record.message


def test_an_argument_that_is_changed_after_all_is_said(judged):
    made = answers((LAST, "h = F.relu(h); x.zero_(); return h"))
    record = judged(basic_block.forward, made.BasicBlock, 4, 4, x=(2, 4, 5, 6), training=False)
    assert record.message == "BasicBlock changes its argument x"


def test_no_module_is_said(judged):
    record = judged(basic_block.names, lambda *sizes: 3, 4, 4)
    assert "torch.nn.Module" in record.message


def test_statistics_that_stand_still_are_said(judged):
    old = "self.bn2 = nn.BatchNorm2d(channels)\n        self.skip"
    made = answers((old, old.replace("channels)", "channels, momentum=0.01)")))
    record = judged(basic_block.forward, made.BasicBlock, 4, 4, x=(2, 4, 5, 6), training=True)
    assert record.message.startswith("bn2.running_mean after one step: wrong value")


def test_gradients_wait_for_the_output(judged):
    made = answers((LAST, "return h"))
    record = judged(basic_block.gradients, made.BasicBlock, 4, 4, x=(2, 4, 5, 6))
    assert record.outcome is Outcome.COULD_NOT_RUN


def test_a_hidden_check_shows_neither_sizes_nor_values(judged):
    made = answers((LAST, "return h"))
    record = judged(
        basic_block.forward, made.BasicBlock, 4, 4, x=(2, 4, 5, 6), training=True, concept="more"
    )
    assert record.call == "BasicBlock: more"
    assert "after the addition is missing" in record.hint
    assert record.arrays is None and not (record.got or record.expected or record.inputs)


def test_without_torch_the_check_could_not_run(judged, right, monkeypatch):
    monkeypatch.setattr(machinery.oracle, "available", lambda: False)
    record = judged(basic_block.names, right.BasicBlock, 4, 4)
    assert record.outcome is Outcome.COULD_NOT_RUN
    assert "pip install torch" in record.message


# A convolution that keeps the size.

CONV = "padding = dilation * (kernel_size - 1) // 2"
CALL = "nn.Conv2d(c_in, c_out, kernel_size, 1, padding, dilation, groups)"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ((CONV, "padding = (kernel_size - 1) // 2"), "does not grow with the dilation"),
        ((CONV, "padding = 0"), "There is no padding"),
        ((CONV, "padding = dilation"), "right for 3×3 only"),
        ((CALL, "nn.Conv2d(c_in, c_out, kernel_size, 1, (kernel_size - 1) // 2, 1, groups)"),
         "the dilation is not passed on"),
        ((CALL, "nn.Conv2d(c_in, c_out, kernel_size, 1, padding, dilation)"),
         "groups are not passed on"),
        ((CALL, CALL.replace("groups)", "groups, False)")), "no bias"),
    ],
)  # fmt: skip
def test_a_wrong_convolution_is_named(judged, change, says):
    made = answers(change)
    record = judged(
        same_conv.forward, made.same_conv, 4, 6, 5, dilation=3, groups=2, x=(2, 4, 13, 14),
        training=False,
    )  # fmt: skip
    assert says in record.hint

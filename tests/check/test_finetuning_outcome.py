"""The check of a whole training by what comes out of it."""

import copy
from functools import lru_cache

import pytest
import torch
from torch import nn

from autograder.check.finetuning import outcome
from autograder.check.mistakes import finetuning_outcome as mistakes
from autograder.check.oracle import finetuning as oracle
from autograder.check.record import Outcome
from autograder.places import scenes
from autograder.places.scenes.resnet import SmallResNet, load

BACKBONE = ["conv1", "bn1", "layer1", "layer2", "layer3"]


@pytest.fixture(autouse=True)
def drawn_once(monkeypatch):
    monkeypatch.setattr(outcome, "drawn", DRAWN)
    monkeypatch.setattr(outcome, "TRAINED", 144)
    monkeypatch.setattr(outcome, "OTHERS", 60)


DRAWN = lru_cache(None)(outcome.drawn)


def fresh():
    torch.manual_seed(0)
    net = SmallResNet(outcome.CLASSES)
    head = {name: value for name, value in net.state_dict().items() if name.startswith("fc.")}
    load(net, {**scenes.pretrained(), **head})
    return net.eval()


def fitted(images, labels):
    """The pretrained net with the head of least squares: no steps, and hardly any time."""
    net = fresh()
    with torch.no_grad():
        means = net.features(oracle.normalized(images)).mean((2, 3))
        centred = means - means.mean(0)
        target = nn.functional.one_hot(labels, outcome.CLASSES) - 1 / outcome.CLASSES
        ridge = 0.1 * len(means) * centred.var(0).mean() * torch.eye(means.shape[1])
        weight = torch.linalg.solve(centred.T @ centred + ridge, centred.T @ target).T
        net.fc.weight.copy_(10 * weight)
        net.fc.bias.copy_(-10 * weight @ means.mean(0))
    return net


@lru_cache(None)
def good_net():
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outcome, "conclude_with", lambda case, find: find())
        outcome.learned_scenes(
            lambda images, labels, *rest: found.append(fitted(images, labels)) or found[0],
            right, regime="linear probe", epochs=3, at_least=0.0,
        )  # fmt: skip
    return found[0]


def right(net, images):
    return oracle.predicted(net, images)


def record_of(judged, change=lambda net: None, predict=right, frozen=(), at_least=0.5, **options):
    net = copy.deepcopy(good_net())
    with torch.no_grad():
        change(net)
    asked = {"regime": "linear probe", "epochs": 3, "at_least": at_least, **options}
    return judged(outcome.learned_scenes, lambda *given: net, predict, frozen=frozen, **asked)


def test_a_good_net_passes(judged):
    record = record_of(judged, frozen=BACKBONE)
    assert record.outcome is Outcome.PASSED
    assert "other scenes are right" in record.message


def in_train_mode(net, images):
    with torch.no_grad():
        return net.train()(oracle.normalized(images)).softmax(1)


def unnormalized(net, images):
    with torch.no_grad():
        return net.eval()(mistakes.as_input(mistakes.BYTES, images)).softmax(1)


def starts(text):
    return text.split("{")[0]


def test_a_forgotten_eval_mode_is_named(judged):
    record = record_of(judged, predict=in_train_mode)
    assert record.outcome is Outcome.FAILED
    assert record.hint.startswith(starts(mistakes.TRAIN_MODE)), record


def test_a_predict_that_does_not_normalize_is_named(judged):
    record = record_of(judged, predict=unnormalized)
    assert record.hint.startswith(starts(mistakes.INPUTS[mistakes.NORMALIZED])), record


def for_divided_images(net):
    """The same net, were its images only divided by 255, but for what is padded."""
    mean, std = torch.tensor(scenes.MEAN), torch.tensor(scenes.STD)
    net.conv1.weight.div_(std[:, None, None])
    net.bn1.running_mean.add_((net.conv1.weight * mean[:, None, None]).sum((1, 2, 3)))


def divided(net, images):
    with torch.no_grad():
        return net.eval()(mistakes.as_input(mistakes.SHARES, images)).softmax(1)


def test_a_fit_that_only_divides_is_named(judged):
    record = record_of(judged, for_divided_images)
    assert record.hint.startswith(starts(mistakes.INPUTS[mistakes.SHARES])), record
    assert "only divided by 255" in record.hint


def test_images_that_are_nowhere_normalized_are_named(judged):
    record = record_of(judged, for_divided_images, divided, at_least=0.99)
    assert record.hint == mistakes.NOT_NORMALIZED, record


def scaled(net):
    net.layer2[0].conv1.weight.mul_(10)


def redrawn(net):
    nn.init.kaiming_normal_(net.layer3[1].conv2.weight)


def head_redrawn(net):
    net.fc.load_state_dict(fresh().fc.state_dict())


def head_shuffled(net):
    net.fc.weight.copy_(net.fc.weight.roll(1, 0))
    net.fc.bias.copy_(net.fc.bias.roll(1, 0))


WEIGHTS = {
    "not finite": (lambda net: net.fc.bias.fill_(float("nan")), mistakes.NOT_FINITE),
    "head as drawn": (head_redrawn, mistakes.HEAD_AS_DRAWN),
    "too large": (scaled, mistakes.RATES_TOO_LARGE),
    "from scratch": (redrawn, mistakes.NOT_PRETRAINED),
    "at chance": (head_shuffled, mistakes.CHANCE),
}


@pytest.mark.parametrize("bug", WEIGHTS)
def test_what_the_weights_show_is_named(judged, bug):
    change, says = WEIGHTS[bug]
    record = record_of(judged, change, at_least=0.99)
    assert record.hint == says, record


def test_too_little_is_said_where_there_is_no_evidence(judged):
    record = record_of(judged, at_least=0.99)
    assert record.hint.endswith(mistakes.LITTLE.split("}")[1].split("%")[-1]), record
    assert record.expected == "at least 99%; chance is 8%"


def test_from_scratch_nothing_is_said_of_pretrained_weights(judged):
    record = record_of(judged, redrawn, at_least=0.99, regime="from scratch")
    assert record.hint not in (mistakes.NOT_PRETRAINED, mistakes.RATES_TOO_LARGE)


def drifted(net):
    net.layer1[0].bn1.running_mean.add_(0.01)


def nudged(net):
    net.layer1[0].conv1.weight.mul_(1.001)


@pytest.mark.parametrize(
    ("change", "says"), [(drifted, mistakes.DRIFTED), (nudged, mistakes.NOT_FROZEN)]
)
def test_what_is_frozen_has_to_stay(judged, change, says):
    assert record_of(judged, change, frozen=BACKBONE).hint == says
    assert record_of(judged, change, frozen=["conv1"]).outcome is Outcome.PASSED


@pytest.mark.parametrize("answer", [None, torch.zeros(3), "a net"])
def test_what_is_no_answer_is_said_to_be_none(judged, answer):
    record = record_of(judged, predict=lambda net, images: answer)
    assert record.outcome is Outcome.FAILED
    assert record.message


def test_fit_has_to_return_the_net(judged):
    options = {"regime": "linear probe", "epochs": 3, "at_least": 0.5}
    record = judged(outcome.learned_scenes, lambda *given: None, right, **options)
    assert record.got == "None"


def test_each_submission_has_images_of_its_own(judged, monkeypatch):
    seen = []

    def fit(images, labels, *rest):
        seen.append(images)
        raise RuntimeError

    for seed in (1, 1, 2):
        monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
        judged(outcome.learned_scenes, fit, right, regime="linear probe", epochs=3, at_least=0.5)
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])

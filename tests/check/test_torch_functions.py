"""The checks of autograd functions, and of functions that are given a network."""

import numpy as np
import pytest
import torch

from autograder.check.inputs import positive, ties
from autograder.check.mistakes import learning_net as mistakes
from autograder.check.modules import use
from autograder.check.modules.functions import (
    filter_normalized,
    linear_function,
    multiply_function,
    relu_function,
    torch_running_var,
)
from autograder.check.record import Outcome
from tests.check.test_resnet import answers, passed

LINEAR = dict(x=(4, 3), w=(5, 3), b=(5,))
DIRECTIONS = dict(direction=(4, 3, 3, 2), weight=(4, 3, 3, 2))
SCORES = dict(x=(2, 3, 40, 33), num_classes=5, width=3)
RATES = dict(learning_rate=0.02, momentum=0.8)


@pytest.fixture(scope="module")
def right():
    return answers()


@pytest.mark.parametrize("seed", range(4))
def test_the_lessons_own_functions_pass(judged, right, monkeypatch, seed):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    found = [
        judged(multiply_function.forward, right.Multiply, x=(3, 4), y=(3, 4)),
        judged(multiply_function.backward, right.Multiply, "dy", x=(3, 4), y=(3, 4)),
        judged(multiply_function.gradients, right.Multiply, x=(2, 3, 4), y=(2, 3, 4)),
        judged(relu_function.forward, right.Rectify, x=ties(3, 5)),
        judged(relu_function.backward, right.Rectify, "dx", x=ties(3, 5)),
        judged(linear_function.forward, right.Linear, **LINEAR),
        judged(linear_function.gradients, right.Linear, **LINEAR),
        judged(filter_normalized, right.filter_normalized, **DIRECTIONS),
        judged(filter_normalized, right.filter_normalized, direction=(3, 6), weight=(3, 6)),
        judged(filter_normalized, right.filter_normalized, direction=(5,), weight=(5,)),
        judged(
            torch_running_var.forward,
            right.torch_running_var,
            running_var=positive(4),
            x=(2, 4, 3, 2),
            momentum=0.3,
        ),
        judged(use.gradient_norms, right.gradient_norms, right.ResNet),
        judged(use.net_training, right.train, right.ResNet, **RATES),
        judged(use.net_accuracy, right.accuracy, right.ResNet),
        judged(use.numpy_resnet, right.numpy_resnet18, **SCORES),
    ]
    assert all(map(passed, found)), [r for r in found if not passed(r)]


# Functions with a way back.

MULTIPLY = "return y * dz, x * dz"
BACK = "return dz @ w, dz.T @ x, dz.sum(0)"
GATES = {
    "gradients swapped": (
        lambda j, a: j(multiply_function.backward, a.Multiply, "dx", x=(3, 4), y=(3, 4)),
        (MULTIPLY, "return x * dz, y * dz"),
        "",
    ),
    "upstream ignored": (
        lambda j, a: j(multiply_function.backward, a.Multiply, "dx", x=(3, 4), y=(3, 4)),
        (MULTIPLY, "return y, x"),
        "pstream",
    ),
    "masked by dout": (
        lambda j, a: j(relu_function.backward, a.Rectify, "dx", x=(3, 5)),
        ("return dz * (x > 0)", "return dz.clamp(min=0)"),
        "The mask looks at dout",
    ),
    "not masked": (
        lambda j, a: j(relu_function.backward, a.Rectify, "dx", x=(3, 5)),
        ("return dz * (x > 0)", "return dz"),
        "All of dout comes back",
    ),
    "the mask alone": (
        lambda j, a: j(relu_function.backward, a.Rectify, "dx", x=(3, 5)),
        ("return dz * (x > 0)", "return (x > 0) * torch.ones_like(dz)"),
        "",
    ),
    "w transposed once too often": (
        lambda j, a: j(linear_function.backward, a.Linear, "dx", x=(4, 3), w=(3, 3), b=(3,)),
        (BACK, "return dz @ w.T, dz.T @ x, dz.sum(0)"),
        "transposed once too often",
    ),
    "dw transposed": (
        lambda j, a: j(linear_function.backward, a.Linear, "dw", x=(4, 3), w=(3, 3), b=(3,)),
        (BACK, "return dz @ w, x.T @ dz, dz.sum(0)"),
        "dw is transposed",
    ),
    "db a mean": (
        lambda j, a: j(linear_function.backward, a.Linear, "db", **LINEAR),
        (BACK, "return dz @ w, dz.T @ x, dz.mean(0)"),
        "db is the mean",
    ),
    "no bias": (
        lambda j, a: j(linear_function.forward, a.Linear, **LINEAR),
        ("return x @ w.T + b", "return x @ w.T"),
        "The bias is missing",
    ),
    "w as it lies": (
        lambda j, a: j(linear_function.forward, a.Linear, x=(4, 3), w=(3, 3), b=(3,)),
        ("return x @ w.T + b", "return x @ w + b"),
        "w is used as it lies",
    ),
    "one gradient is None": (
        lambda j, a: j(linear_function.backward, a.Linear, "db", **LINEAR),
        (BACK, "return dz @ w, dz.T @ x, None"),
        "",
    ),
}


@pytest.mark.parametrize("name", GATES)
def test_a_wrong_gate_is_named(judged, name):
    check, change, says = GATES[name]
    record = check(judged, answers(change))
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


def test_what_backward_needs_must_not_be_global(judged):
    made = answers(("ctx.save_for_backward(x, y)", "Multiply.kept = x, y"),
                   ("x, y = ctx.saved_tensors", "x, y = Multiply.kept"))  # fmt: skip
    record = judged(multiply_function.backward, made.Multiply, "dx", x=(3, 4), y=(3, 4))
    assert record.outcome is Outcome.FAILED


LENGTHS = "given, own = (part.flatten(1).norm(dim=1) for part in (weight, direction))"
PLAIN = {
    "all together": (LENGTHS, "given, own = weight.norm()[None], direction.norm()[None]",
                     "share one factor"),
    "unit": ("(given / own).reshape", "(1 / own).reshape", "has length 1"),
    "not divided": ("(given / own).reshape", "given.reshape", "not divided by their own"),
    "nothing": ("return direction * (given / own).reshape(-1, *[1] * (weight.ndim - 1))",
                "return direction", "Nothing is scaled"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_a_wrong_length_is_named(judged, name):
    old, new, says = PLAIN[name]
    record = judged(filter_normalized, answers((old, new)).filter_normalized, **DIRECTIONS)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


def test_a_direction_of_vectors_is_named(judged):
    made = answers(("if weight.ndim < 2:", "if False:"),
                   (".flatten(1).norm(dim=1)", ".reshape(len(part), -1).norm(dim=1)"))  # fmt: skip
    record = judged(filter_normalized, made.filter_normalized, direction=(5,), weight=(5,))
    assert "their direction is 0" in record.hint


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("x.var(axis=(0, 2, 3))", "1/(m − 1)"),
        ("x.var(axis=(0, 2, 3)) * len(x) / (len(x) - 1)", "not only the images"),
    ],
)
def test_a_wrong_running_variance_is_named(judged, new, says):
    made = answers(("x.var(axis=(0, 2, 3), ddof=1)", new))
    given = dict(running_var=positive(4), x=(2, 4, 3, 2), momentum=0.3)
    record = judged(torch_running_var.forward, made.torch_running_var, **given)
    assert says in record.hint


# Functions that are given a network.

NORM = "p.grad.norm().item()"
NORMS = {
    "squared": (NORM, "p.grad.square().sum().item()", "squares of norms"),
    "mean square": (NORM, "p.grad.square().mean().sqrt().item()", "means, not sums"),
    "largest": (NORM, "p.grad.abs().max().item()", "largest number of each"),
    "all parameters": ("for p in net.parameters() if p.ndim == 4", "for p in net.parameters()",
                       "only parameter with four axes"),
    "stale": ("net.zero_grad()\n    F", "F", "had gradients already"),
}  # fmt: skip


@pytest.mark.parametrize("name", NORMS)
def test_a_wrong_norm_is_named(judged, name):
    old, new, says = NORMS[name]
    made = answers((old, new))
    record = judged(use.gradient_norms, made.gradient_norms, made.ResNet)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


STEP = "loss.backward()\n        optimizer.step()"
TRAINING = {
    "zero_grad forgotten": ("        optimizer.zero_grad()\n", "", "call zero_grad"),
    "zero_grad too late": (STEP, "loss.backward(); optimizer.zero_grad(); optimizer.step()",
                           "not between it and the step"),
    "eval mode": ("    net.train()\n    for", "    for", "net.train() first"),
    "no momentum": (", momentum=momentum)", ")", "There is no momentum"),
    "sum": ("loss = F.cross_entropy(net(x), y)", "loss = F.cross_entropy(net(x), y, "
            "reduction='sum')", "added up over the batch"),
    "uphill": ("loss.backward()\n        opt", "(-loss).backward()\n        opt", "weights climb"),
    "new optimizer": ("        optimizer.zero_grad()\n",
                      "        optimizer = torch.optim.SGD(net.parameters(), lr=learning_rate, "
                      "momentum=momentum)\n        optimizer.zero_grad()\n",
                      "make that once, before the loop"),
    "loss afterwards": ("losses.append(loss.item())",
                        "losses.append(F.cross_entropy(net(x), y).item())", "after each step"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAINING)
def test_a_wrong_training_is_named(judged, name):
    old, new, says = TRAINING[name]
    made = answers((old, new))
    record = judged(use.net_training, made.train, made.ResNet, **RATES)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


def test_every_training_mistake_is_tried():
    assert {m.says for m in mistakes.TRAINING} == {
        next(m.says for m in mistakes.TRAINING if says in m.says) for *_, says in TRAINING.values()
    }


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    net.eval()\n    with", "    with", "net.eval() first"),
        (".float().mean().item()", ".sum().item()", "how many are right"),
        (".float().mean().item()", ".float().mean().item() * 100", "in percent"),
        ("== y).float()", "!= y).float()", "share of wrong answers"),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2, 39_596])
def test_a_wrong_accuracy_is_named(judged, monkeypatch, old, new, says, seed):
    monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
    made = answers((old, new))
    record = judged(use.net_accuracy, made.accuracy, made.ResNet)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("h = np.maximum(branch + h, 0)", "h = np.maximum(branch, 0) + h", "after the last ReLU"),
        ("h.mean(axis=(2, 3)) @", "h.max(axis=(2, 3)) @", "not its largest"),
        ("h, _ = max_pool_forward(np.pad(h, ((0, 0), (0, 0), (1, 1), (1, 1))), 3, 2)", "pass",
         "max pooling after the first"),
        ('np.maximum(conv_norm("conv1", "bn1", x, stride=2), 0)',
         'conv_norm("conv1", "bn1", x, stride=2)', ""),
    ],
)  # fmt: skip
def test_wrong_scores_are_named(judged, old, new, says):
    record = judged(use.numpy_resnet, answers((old, new)).numpy_resnet18, **SCORES)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


@pytest.mark.parametrize(
    ("name", "change"),
    [("x", "x += 1"), ("state", 'state["fc.bias"] += 1'), ("state", "state.clear()")],
)
def test_right_scores_of_a_function_that_changes_what_it_is_given_fail(judged, name, change):
    old = '    return h.mean(axis=(2, 3)) @ state["fc.weight"].T + state["fc.bias"]'
    new = old.replace("return", "scores =") + f"\n    {change}\n    return scores"
    record = judged(use.numpy_resnet, answers((old, new)).numpy_resnet18, **SCORES)
    assert record.outcome is Outcome.FAILED
    assert record.message.endswith(f"changes its argument {name}")


@pytest.mark.parametrize(
    "ask",
    [
        lambda judged, made: judged(use.gradient_norms, made.gradient_norms, made.ResNet),
        lambda judged, made: judged(use.net_training, made.train, made.ResNet, **RATES),
        lambda judged, made: judged(use.net_accuracy, made.accuracy, made.ResNet),
    ],
)
def test_a_network_that_is_not_right_comes_first(judged, ask):
    record = ask(judged, answers(("self.layer1,", "self.first,"), ("self.layer1(", "self.first(")))
    assert record.outcome is Outcome.COULD_NOT_RUN
    assert "mend it first" in record.message


def test_answers_of_other_kinds_pass(judged):
    made = answers(("return losses", "return tuple(torch.tensor(one) for one in losses)"),
                   (".float().mean().item()", ".double().mean()"),
                   (NORM, "p.grad.norm()"))  # fmt: skip
    found = [
        judged(use.gradient_norms, made.gradient_norms, made.ResNet),
        judged(use.net_training, made.train, made.ResNet, **RATES),
        judged(use.net_accuracy, made.accuracy, made.ResNet),
    ]
    assert all(map(passed, found)), found


def test_the_modes_answer_otherwise_whatever_the_seed(right, monkeypatch):
    for seed in range(60):
        monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
        _, y, counts = use._told_apart(use._case(right.ResNet, "", True))
        assert (len(y), counts[False]) == (25, 20)
        assert counts[True] < 18


@pytest.mark.parametrize(
    ("change", "ask"),
    [
        (("    return [p.grad", "    x += 1\n    return [p.grad"),
         lambda j, a: j(use.gradient_norms, a.gradient_norms, a.ResNet)),
        (("    net.eval()\n    with", "    net.eval(); y += 0; x *= 2; x /= 3\n    with"),
         lambda j, a: j(use.net_accuracy, a.accuracy, a.ResNet)),
        (("    given, own =", "    weight *= 1.5\n    given, own ="),
         lambda j, a: j(filter_normalized, a.filter_normalized, **DIRECTIONS)),
    ],
)  # fmt: skip
def test_arguments_stay_as_they_are(judged, change, ask):
    record = ask(judged, answers(change))
    assert record.outcome is Outcome.FAILED
    assert "changes its argument" in record.message


def test_no_list_of_losses_is_said(judged):
    made = answers(("    return losses", "    return None"))
    record = judged(use.net_training, made.train, made.ResNet, **RATES)
    assert record.message == "train should return a list of losses"


def test_a_function_that_raises_is_the_students(judged, right):
    def broken(net, x, y):
        return net(x)[torch.tensor(99), np.int64(0)]

    record = judged(use.gradient_norms, broken, right.ResNet)
    assert record.outcome is Outcome.FAILED
    assert record.message.startswith("broken raised")

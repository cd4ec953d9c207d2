"""The checks of tuning a pretrained net: what they accept, and that they name what is wrong."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from autograder.check.finetuning import learning, looking, resuming, standing
from autograder.check.inputs import Drawn
from autograder.check.mistakes import finetuning as mistakes
from autograder.check.mistakes import finetuning_looks as looks
from autograder.check.mistakes import finetuning_steps as steps
from autograder.check.oracle import finetuning as oracle
from autograder.check.record import Outcome
from tests.check.lessons import passed

LESSON = Path(__file__).parents[2] / "source" / "6-miniplaces" / "miniplaces.py"
EARLY = ["conv1", "bn1", "layer1"]

RIGHT = """
import math
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from autograder.places import scenes
from autograder.places.scenes.resnet import SmallResNet

MEAN, STD = torch.tensor(scenes.MEAN), torch.tensor(scenes.STD)


def normalize(images, mean, std):
    return ((images.float() / 255 - mean) / std).permute(0, 3, 1, 2)


def pretrained_net(state, num_classes):
    net = SmallResNet(num_classes)
    backbone = {name: value for name, value in state.items() if not name.startswith("fc.")}
    net.load_state_dict({**net.state_dict(), **backbone})
    return net


def freeze(net, children):
    for name in children:
        getattr(net, name).requires_grad_(False)


def train_mode(net):
    net.train()
    for name, layer in net.named_modules():
        if isinstance(layer, nn.BatchNorm2d) and not layer.weight.requires_grad:
            layer.eval()
    return net


def smoothed(scores, labels, smoothing=0.1):
    return F.cross_entropy(scores, labels, label_smoothing=smoothing)


def make_schedule(optimizer, steps, warmup):
    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        return (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def make_optimizer(net, head_rate, backbone_rate, weight_decay=5e-4, momentum=0.9):
    groups = []
    for name, parameter in net.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = head_rate if name.startswith("fc.") else backbone_rate
        decay = weight_decay if parameter.ndim > 1 else 0.0
        groups.append({"params": [parameter], "lr": rate, "weight_decay": decay})
    return torch.optim.SGD(groups, momentum=momentum)


def train_epoch(net, optimizer, schedule, batches, precision="float32"):
    train_mode(net)
    losses, mixed = [], precision != "float32"
    for x, labels in batches:
        with torch.autocast(x.device.type, getattr(torch, precision), enabled=mixed):
            scores = net(x)
            loss = smoothed(scores, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def save(path, net, optimizer, schedule, epoch):
    parts = {"net": net, "optimizer": optimizer, "schedule": schedule}
    state = {name: part.state_dict() for name, part in parts.items()}
    part = Path(f"{path}.part")
    torch.save({**state, "epoch": epoch}, part)
    part.replace(path)


def resume(path, net, optimizer, schedule):
    if not Path(path).exists():
        return 0
    state = torch.load(path, weights_only=True)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return state["epoch"]


def predict(net, images, batch_size=120):
    net.eval()
    with torch.no_grad():
        scores = [net(normalize(batch, MEAN, STD)) for batch in images.split(batch_size)]
    return torch.cat(scores).softmax(dim=1)


def predict_twice(net, images):
    return (predict(net, images) + predict(net, images.flip(2))) / 2


def maps_and_gradients(net, x, labels):
    maps = net.eval().features(x)
    scores = net.fc(maps.mean(dim=(2, 3)))
    value = scores.gather(1, labels[:, None]).sum()
    (gradients,) = torch.autograd.grad(value, maps)
    return maps.detach(), gradients
"""


def answers(*changes, code=RIGHT):
    """Right answers, by name, with changes of their text."""
    for old, new in changes:
        assert old in code, old
        code = code.replace(old, new)
    names = {}
    exec(compile(code, "answers", "exec"), names)
    return SimpleNamespace(**names)


def lesson():
    cells = re.split(r"(?m)^# %%", LESSON.read_text(encoding="utf-8"))
    wanted = re.compile(r' solution="|$| locked="setup"')
    chosen = [c for c in cells[1:] if wanted.match(c.splitlines()[0]) and "show." not in c]
    return answers(code="\n".join("#" + cell for cell in chosen))


@pytest.fixture(scope="module")
def right():
    return answers()


def pixels(*shape):
    return Drawn(lambda rng: rng.integers(0, 256, (*shape, 3)), f"pixels{shape}")


def parts(given):
    return dict(
        build=given.pretrained_net, optimizer=given.make_optimizer, schedule=given.make_schedule
    )


def net_record(judged, given, classes=12):
    return judged(standing.pretrained_net, given.pretrained_net, num_classes=classes)


def freeze_record(judged, given, children=("conv1", "bn1", "layer1")):
    net = given.pretrained_net
    return judged(standing.frozen_net, net, given.freeze, children=[*children])


def mode_record(judged, given, children=("conv1", "bn1", "layer1", "layer2")):
    functions = given.pretrained_net, given.freeze, given.train_mode
    return judged(standing.frozen_statistics, *functions, children=[*children])


def optimizer_record(judged, given, children=(), **options):
    asked = {"head_rate": 0.2, "backbone_rate": 0.05, "weight_decay": 0.3, "momentum": 0.5}
    functions = given.pretrained_net, given.make_optimizer, given.freeze
    asked.update(options)
    return judged(learning.fine_tuning_optimizer, *functions, children=[*children], **asked)


def epoch_record(judged, given, **options):
    asked = {"steps": 3, "warmup": 2, **parts(given), **options}
    return judged(learning.training_epoch, given.train_epoch, **asked)


def frozen_epoch_record(judged, given):
    return epoch_record(judged, given, freeze=given.freeze, children=EARLY, steps=2, warmup=0)


def mixed_record(judged, given):
    return epoch_record(judged, given, steps=2, warmup=1, precision="bfloat16")


def resumed_record(judged, given, **options):
    functions = given.save, given.resume, given.train_epoch
    return judged(resuming.resumed_training, *functions, steps=4, **parts(given), **options)


def afresh_record(judged, given):
    return judged(resuming.resumed_training.afresh, given.save, given.resume, **parts(given))


def predicted_record(judged, given, images=(5, 32, 24), batch_size=2):
    options = {} if batch_size is None else {"batch_size": batch_size}
    functions = given.predict, given.pretrained_net
    return judged(looking.predicted, *functions, images=pixels(*images), **options)


def twice_record(judged, given, images=(4, 32, 24)):
    functions = given.predict_twice, given.pretrained_net
    return judged(looking.predicted_twice, *functions, images=pixels(*images))


def gradients_record(judged, given, x=(3, 3, 32, 24), num_classes=5):
    functions = given.maps_and_gradients, given.pretrained_net
    return judged(looking.score_gradients, *functions, x=x, num_classes=num_classes)


ALL = [
    net_record,
    freeze_record,
    mode_record,
    optimizer_record,
    epoch_record,
    frozen_epoch_record,
    mixed_record,
    resumed_record,
    afresh_record,
    predicted_record,
    twice_record,
    gradients_record,
]


# What is right.


@pytest.mark.parametrize("ask", ALL, ids=lambda ask: ask.__name__)
def test_right_answers_pass(judged, right, monkeypatch, ask):
    for seed in range(2):
        monkeypatch.setenv("AUTOGRADER_SEED", str(seed))
        record = ask(judged, right)
        assert passed(record), record


def test_the_lessons_own_answers_pass(judged):
    given = lesson()
    found = [ask(judged, given) for ask in ALL]
    found += [
        freeze_record(judged, given, ["bn1", "layer2", "fc"]),
        mode_record(judged, given, []),
        mode_record(judged, given, ["layer2", "layer3"]),
        optimizer_record(judged, given, EARLY, head_rate=0.1, backbone_rate=0.1),
        epoch_record(judged, given, steps=2, warmup=1, epochs=2),
        resumed_record(judged, given, freeze=given.freeze, children=["layer1"]),
        predicted_record(judged, given, (4, 24, 32), None),
    ]
    assert all(map(passed, found)), [r for r in found if not passed(r)]


STYLES = {
    "one tensor after the other": (
        net_record,
        [
            ("    net.load_state_dict({**net.state_dict(), **backbone})\n",
             "    own = net.state_dict()\n"
             "    for name in backbone:\n        own[name].copy_(backbone[name])\n"),
        ],
    ),
    "not strict": (
        net_record,
        [("{**net.state_dict(), **backbone})", "backbone, strict=False)")],
    ),
    "by parameter": (
        freeze_record,
        [("        getattr(net, name).requires_grad_(False)", "        for key, p in "
          "net.named_parameters():\n            if key.startswith(name + '.'):\n"
          "                p.requires_grad = False")],
    ),
    "frozen children in eval mode": (
        mode_record,
        [("        if isinstance(layer, nn.BatchNorm2d) and not layer.weight.requires_grad:",
          "        p = list(layer.parameters())\n        if p and not any(q.requires_grad for q in "
          "p):")],
    ),
    "four groups": (
        optimizer_record,
        [("        groups.append({", "        for group in groups:\n            if (group['lr'], "
          "group['weight_decay']) == (rate, decay):\n                group['params'].append("
          "parameter)\n                break\n        else:\n            groups.append({")],
    ),
    "zero_grad after the step": (
        epoch_record,
        [("        optimizer.zero_grad()\n", ""), ("        schedule.step()\n",
          "        schedule.step()\n        optimizer.zero_grad()\n")],
    ),
    "losses as detached tensors": (epoch_record, [("loss.item()", "loss.detach()")]),
    "losses as an array": (
        epoch_record,
        [("    return losses", "    import numpy as np\n    return np.array(losses)")],
    ),
    "targets in single precision": (
        epoch_record,
        [("    return F.cross_entropy(scores, labels, label_smoothing=smoothing)",
          "    k = scores.shape[1]\n    target = torch.full((len(scores), k), smoothing / k)\n"
          "    target[torch.arange(len(labels)), labels] += 1 - smoothing\n"
          "    return -(target * scores.log_softmax(1)).sum(1).mean()")],
    ),
    "channels last": (mixed_record, [("scores = net(x)", "scores = net(x.contiguous("
                                      "memory_format=torch.channels_last))")]),
    "a scaler": (
        mixed_record,
        [("        loss.backward()\n        optimizer.step()\n",
          "        scaler = torch.amp.GradScaler('cpu', enabled=False)\n"
          "        scaler.scale(loss).backward()\n        scaler.step(optimizer)\n"
          "        scaler.update()\n")],
    ),
    "another temporary name": (
        resumed_record,
        [('Path(f"{path}.part")', 'Path(path).with_suffix(".tmp")')],
    ),
    "names of one's own": (
        resumed_record,
        [('"net"', '"model"'), ('"schedule"', '"lr"'), ('"epoch"', '"done"')],
    ),
    "one image at a time": (predicted_record, [("images.split(batch_size)", "images.split(1)")]),
    "probabilities of each batch": (
        predicted_record,
        [("STD)) for", "STD)).softmax(1) for"), (".softmax(dim=1)", "")],
    ),
    "one batch of both": (
        twice_record,
        [("(predict(net, images) + predict(net, images.flip(2))) / 2",
          "predict(net, torch.cat([images, images.flip(2)])).view(2, len(images), -1).mean(0)")],
    ),
    "one image after the other": (
        gradients_record,
        [("    (gradients,) = torch.autograd.grad(value, maps)",
          "    gradients = sum(torch.autograd.grad(scores[i, k], maps, retain_graph=True)[0]\n"
          "                    for i, k in enumerate(labels.tolist()))")],
    ),
    "a hook": (
        gradients_record,
        [("    maps = net.eval().features(x)", "    kept = []\n    handle = net.eval().layer3."
          "register_forward_hook(lambda m, i, o: kept.append(o))\n    scores = net(x)\n"
          "    handle.remove()\n    maps = kept[0]"),
         ("    scores = net.fc(maps.mean(dim=(2, 3)))\n", "")],
    ),
    "maps with their graph": (gradients_record, [("maps.detach()", "maps")]),
}  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_styles_pass(judged, style):
    ask, changes = STYLES[style]
    record = ask(judged, answers(*changes))
    assert passed(record), record


# What is wrong, and how it is called.

LOAD = "    net.load_state_dict({**net.state_dict(), **backbone})\n"
NETS = {
    "head": ([(' if not name.startswith("fc.")', "")], mistakes.HEAD),
    "only the head's weight": (
        [(LOAD, LOAD + "    with torch.no_grad():\n        if 'fc.weight' in state:\n"
          "            net.fc.weight.copy_(state['fc.weight'])\n")], mistakes.HEAD,
    ),
    "nothing": ([(LOAD, "")], mistakes.NOTHING_LOADED),
    "names that do not fit": (
        [("{**net.state_dict(), **backbone})", "{'net.' + n: v for n, v in backbone.items()}, "
          "strict=False)")], mistakes.NOTHING_LOADED,
    ),
    "no statistics": (
        [('if not name.startswith("fc.")', 'if not name.startswith("fc.") and "running" not in '
          "name")], mistakes.NO_STATISTICS,
    ),
    "only statistics": (
        [('if not name.startswith("fc.")', 'if "running" in name')], mistakes.ONLY_STATISTICS,
    ),
    "flat head": (
        [(LOAD, LOAD + "    nn.init.zeros_(net.fc.weight)\n")], mistakes.FLAT_HEAD,
    ),
    "a seed": (
        [("    net = SmallResNet(num_classes)", "    torch.manual_seed(0)\n    net = SmallResNet("
          "num_classes)")], mistakes.SAME_HEAD,
    ),
    "pop": (
        [("    backbone = {", '    state.pop("fc.weight", 0), state.pop("fc.bias", 0)\n'
          "    backbone = {")], mistakes.STATE_CHANGED,
    ),
    "del": (
        [("    backbone = {", '    state = dict(state)\n    del state["fc.weight"]\n'
          "    backbone = {")], mistakes.LOADING[r"fc\.(weight|bias)"],
    ),
    "strict": (
        [("{**net.state_dict(), **backbone})", "backbone)")],
        mistakes.LOADING["Missing key|Unexpected key"],
    ),
    "shared": (
        [("{**net.state_dict(), **backbone})", "{**net.state_dict(), **backbone}, assign=True)")],
        mistakes.SHARED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("bug", NETS)
def test_a_wrong_net_is_named(judged, bug):
    changes, says = NETS[bug]
    record = net_record(judged, answers(*changes))
    assert (record.outcome, record.hint) == (Outcome.FAILED, says), record


def test_a_head_of_another_shape_is_named(judged):
    given = answers(("{**net.state_dict(), **backbone})", "state, strict=False)"))
    record = net_record(judged, given, classes=7)
    assert record.hint == mistakes.LOADING["size mismatch for fc"]


def test_a_net_of_other_classes_is_seen(judged):
    record = net_record(judged, answers(("SmallResNet(num_classes)", "SmallResNet(12)")), 7)
    assert (record.got, record.expected) == ("(12, 128)", "(7, 128)")


SET = "        getattr(net, name).requires_grad_(False)"
LOOP = "        for key, p in net.named_parameters():\n            if {}:\n"
OFF = "                p.requires_grad = False"
FREEZING = {
    "nothing": [(SET, "        getattr(net, name).requires_grad = False")],
    "everything": [(SET, "        net.requires_grad_(False)")],
    "whole backbone": [(SET, LOOP.format("not key.startswith('fc.')") + OFF)],
    "others": [(SET, LOOP.format("key.split('.')[0] not in children") + OFF)],
    "contained": [(SET, LOOP.format("name in key") + OFF)],
    "only the first": [(SET, SET + "\n        return")],
    "only the last": [("for name in children:", "for name in children[-1:]:")],
    "not the inner ones": [(SET, "        for p in getattr(net, name).parameters(recurse=False):\n"
                            "            p.requires_grad_(False)")],
    "only weights": [(SET, LOOP.format("key.startswith(name) and 'weight' in key") + OFF)],
    "only biases": [(SET, LOOP.format("key.startswith(name) and 'bias' in key") + OFF)],
}  # fmt: skip


@pytest.mark.parametrize("name", [m.name for m in mistakes.FROZEN])
def test_wrong_freezing_is_named(judged, name):
    record = freeze_record(judged, answers(*FREEZING[name]))
    assert record.hint == {m.name: m.says for m in mistakes.FROZEN}[name], record


def test_a_gradient_that_is_only_hidden_is_named(judged):
    hidden = (
        LOOP.format("key.startswith(name + '.')")
        + "                p.register_hook(lambda g: 0 * g)"
    )
    assert freeze_record(judged, answers((SET, hidden))).hint == mistakes.NO_FLAG


EVAL = "            layer.eval()\n"
WHICH = "not layer.weight.requires_grad:"
MODES = {
    "all in train mode": [(EVAL, "            pass\n")],
    "all in eval mode": [("    net.train()\n", "    net.eval()\n")],
    "the other way round": [(WHICH, "layer.weight.requires_grad:")],
    "only outer ones": [(WHICH, WHICH[:-1] + " and '.' not in name:")],
    "only inner ones": [(WHICH, WHICH[:-1] + " and '.' in name:")],
    "shortcuts": [(WHICH, WHICH[:-1] + " and 'downsample' not in name:")],
}


@pytest.mark.parametrize("name", [m.name for m in mistakes.MODES])
def test_a_wrong_mode_is_named(judged, name):
    record = mode_record(judged, answers(*MODES[name]))
    assert record.hint == {m.name: m.says for m in mistakes.MODES}[name], record


def test_statistics_that_are_kept_but_not_used_are_named(judged):
    record = mode_record(judged, answers((EVAL, "            layer.momentum = 0.0\n")))
    assert record.hint == mistakes.KEPT


def test_train_mode_returns_the_net(judged):
    record = mode_record(judged, answers(("            layer.eval()\n    return net", EVAL)))
    assert record.message == "train_mode should return the net"


DECAY = "weight_decay if parameter.ndim > 1 else 0.0"
RATE = 'head_rate if name.startswith("fc.") else backbone_rate'
ONLY = "if not parameter.requires_grad:"
SGD = "torch.optim.SGD(groups, momentum=momentum)"
OPTIMIZERS = {
    "rates swapped": [(RATE, 'backbone_rate if name.startswith("fc.") else head_rate')],
    "the head's rate": [(RATE, "head_rate")],
    "the backbone's rate": [(RATE, "backbone_rate")],
    "decay everywhere": [(DECAY, "weight_decay")],
    "gammas decay": [(DECAY, "0.0 if name.endswith('bias') else weight_decay")],
    "the shortcuts' batch norms decay": [
        (DECAY, "0.0 if 'bn' in name or name.endswith('bias') else weight_decay")
    ],
    "all of the shortcuts' batch norms decay": [
        (DECAY, "0.0 if 'bn' in name or name == 'fc.bias' else weight_decay")
    ],
    "the wrong ones decay": [(DECAY, "0.0 if parameter.ndim > 1 else weight_decay")],
    "no decay": [(DECAY, "0.0")],
    "decay of the default": [(DECAY, "5e-4 if parameter.ndim > 1 else 0.0")],
    "decay in the head": [(DECAY, "weight_decay if name == 'fc.weight' else 0.0")],
    "decay in the backbone": [
        (DECAY, "weight_decay if parameter.ndim > 1 and name[:2] != 'fc' else 0.0")
    ],
    "no momentum": [(SGD, "torch.optim.SGD(groups)")],
    "momentum of the default": [(SGD, "torch.optim.SGD(groups, momentum=0.9)")],
    "Nesterov": [(SGD, "torch.optim.SGD(groups, momentum=momentum, nesterov=True)")],
    "no head": [(ONLY, ONLY[:-1] + " or name.startswith('fc.'):")],
    "only the head": [(ONLY, ONLY[:-1] + " or not name.startswith('fc.'):")],
    "the head's bias": [(RATE, 'head_rate if name == "fc.weight" else backbone_rate')],
    "no single axes": [(ONLY, ONLY[:-1] + " or parameter.ndim == 1:")],
    "no biases": [(ONLY, ONLY[:-1] + " or name.endswith('bias'):")],
    "only single axes": [(ONLY, ONLY[:-1] + " or parameter.ndim > 1:")],
}


@pytest.mark.parametrize("name", [m.name for m in steps.OPTIMIZER])
def test_a_wrong_optimizer_is_named(judged, name):
    record = optimizer_record(judged, answers(*OPTIMIZERS[name]))
    assert record.hint == {m.name: m.says for m in steps.OPTIMIZER}[name], record


def test_a_parameter_in_two_groups_is_explained(judged):
    changed = (
        "    return " + SGD,
        "    groups.append({'params': [net.fc.bias]})\n    return " + SGD,
    )
    assert optimizer_record(judged, answers(changed)).hint == steps.TWICE


ZERO, BACK = "        optimizer.zero_grad()\n", "        loss.backward()\n"
STEP, NEXT = "        optimizer.step()\n", "        schedule.step()\n"
EPOCHS = {
    "never cleared": [(ZERO, "")],
    "as it was": [("    train_mode(net)\n    losses, mixed", "    losses, mixed")],
    "no smoothing": [("loss = smoothed(scores, labels)", "loss = F.cross_entropy(scores, labels)")],
    "summed": [("label_smoothing=smoothing", "label_smoothing=smoothing, reduction='sum'")],
    "no schedule": [(NEXT, "")],
    "schedule first": [(NEXT, ""), (STEP, NEXT + STEP)],
    "schedule twice": [(NEXT, NEXT + NEXT)],
    "no steps": [(STEP, "")],
    "uphill": [(BACK, "        (-loss).backward()\n")],
    "one batch": [("        losses.append(loss.item())\n", "        losses.append(loss.item())\n"
                   "        break\n")],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Detected call of")
@pytest.mark.parametrize("name", EPOCHS)
def test_a_wrong_epoch_is_named(judged, name):
    record = epoch_record(judged, answers(*EPOCHS[name]), steps=4)
    assert record.hint == {bug.name: bug.says for bug in steps.EPOCH}[name], record


def test_frozen_batch_norms_in_train_mode_are_named(judged):
    given = answers(("    train_mode(net)\n    losses", "    net.train()\n    losses"))
    says = {bug.name: bug.says for bug in steps.EPOCH}
    assert frozen_epoch_record(judged, given).hint == says["frozen batch norms learn"]
    assert passed(epoch_record(judged, given))  # where nothing is frozen, it is right
    assert set(EPOCHS) == set(says) - {"frozen batch norms learn", "schedule by epochs"}


def test_a_schedule_by_epochs_is_named_where_there_are_two(judged):
    late = ("    return losses", "    schedule.step()\n    return losses")
    given = answers((NEXT, ""), late)
    says = {bug.name: bug.says for bug in steps.EPOCH}
    assert epoch_record(judged, given).hint == says["no schedule"]
    assert epoch_record(judged, given, epochs=2).hint == says["schedule by epochs"]


def test_gradients_that_are_cleared_too_late_are_no_step(judged):
    given = answers((ZERO, ""), (BACK, BACK + ZERO))
    assert epoch_record(judged, given).hint == {b.name: b.says for b in steps.EPOCH}["no steps"]


def test_losses_that_keep_their_graph_are_refused(judged):
    record = epoch_record(judged, answers(("loss.item()", "loss")))
    assert record.message == "train_epoch returns tensors, not numbers"


def test_a_wrong_optimizer_is_not_blamed_on_the_loop(judged):
    record = epoch_record(judged, answers((RATE, "head_rate")))
    assert record.outcome is Outcome.COULD_NOT_RUN
    assert "make_optimizer or make_schedule is not right yet" in record.message


MIXED = {
    "never": ([("enabled=mixed", "enabled=False")], steps.NEVER),
    "always": ([("enabled=mixed", "enabled=True"),
                ("getattr(torch, precision)", "torch.bfloat16")], steps.ALWAYS),
    "converted": ([("    train_mode(net)\n    losses", "    train_mode(net).bfloat16()\n"
                   "    losses"),
                   ("scores = net(x)", "scores = net(x.bfloat16())")], steps.CONVERTED),
}  # fmt: skip


@pytest.mark.parametrize("bug", MIXED)
def test_wrong_precision_is_named(judged, bug):
    changes, says = MIXED[bug]
    assert mixed_record(judged, answers(*changes)).hint == says


OPT, PLAN = (f'    {n}.load_state_dict(state["{n}"])\n' for n in ("optimizer", "schedule"))
NET = '    net.load_state_dict(state["net"])\n'
SAVE = '    part = Path(f"{path}.part")\n    torch.save({**state, "epoch": epoch}, part)\n'
CHECKPOINTS = {
    "optimizer": ([(OPT, "")], steps.RESUMED[0].says),
    "schedule": ([(PLAN, "")], steps.RESUMED[1].says),
    "both": ([(OPT, ""), (PLAN, "")], steps.RESUMED[2].says),
    "net": ([(NET, "")], steps.NET_LOST),
    "statistics": (
        [(NET, "    net.load_state_dict({n: v for n, v in state['net'].items() if 'running' not in "
          "n}, strict=False)\n")], steps.STATISTICS_LOST,
    ),
    "epoch": ([('state["epoch"]', 'state["epoch"] + 1')], steps.EPOCH_AFTER),
    "no epoch": ([('    return state["epoch"]\n', "")], steps.EPOCH_AFTER),
    "only the first": (
        [("    parts = {", "    if Path(path).exists():\n        return\n    parts = {")],
        steps.OLD_FILE,
    ),
    "objects": (
        [("{name: part.state_dict() for name, part in parts.items()}", "{'net': net, 'optimizer': "
          "optimizer.state_dict(), 'schedule': schedule.state_dict()}")],
        steps.READING[r"[Ww]eights.only|Unsupported global|WeightsUnpickler"],
    ),
    "a rate of NumPy's": (
        [("import math\n", "import math\nimport numpy as np\n"), ("math.cos", "np.cos")],
        steps.READING["GLOBAL numpy"],
    ),
    "not whole": (
        [(SAVE, '    torch.save({**state, "epoch": epoch}, path)\n'),
         ("    part.replace(path)\n", "")],
        steps.NOT_ATOMIC,
    ),
    "elsewhere": (
        [("part.replace(path)", "part.replace('other.pt')")], steps.NET_LOST,
    ),
    "a save that changes": (
        [("    parts = {", "    nn.init.zeros_(net.fc.bias)\n    parts = {")],
        steps.SAVING_CHANGES,
    ),
}  # fmt: skip


@pytest.mark.parametrize("bug", CHECKPOINTS)
def test_what_is_lost_is_named(judged, bug):
    changes, says = CHECKPOINTS[bug]
    record = resumed_record(judged, answers(*changes))
    assert (record.outcome, record.hint) == (Outcome.FAILED, says), record


def test_a_checkpoint_leaves_nothing_behind(judged, right, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert passed(resumed_record(judged, right))
    assert Path.cwd() == tmp_path
    assert not list(tmp_path.iterdir())


def test_without_a_file_nothing_changes(judged):
    no_look = ("    if not Path(path).exists():\n        return 0\n", "")
    none = ("        return 0\n", "        return None\n")
    other = ("        return 0\n", "        nn.init.zeros_(net.fc.bias)\n        return 0\n")
    for change in (no_look, none, other):
        record = afresh_record(judged, answers(change))
        assert (record.outcome, record.hint) == (Outcome.FAILED, steps.NO_FILE)


ASK = "net(normalize(batch, MEAN, STD))"
SOFT = "torch.cat(scores).softmax(dim=1)"
COLLECT = "[net(normalize(batch, MEAN, STD)) for batch in images.split(batch_size)]"
PREDICTIONS = {
    "train mode": [("    net.eval()\n    with", "    net.train()\n    with")],
    "scores": [(SOFT, "torch.cat(scores)")],
    "logarithms": [(SOFT, "torch.cat(scores).log_softmax(dim=1)")],
    "over the images": [(SOFT, "torch.cat(scores).softmax(dim=0)")],
    "over a batch": [(ASK, ASK + ".softmax(0)"), (SOFT, "torch.cat(scores)")],
    "softmax twice": [(SOFT, SOFT + ".softmax(dim=1)")],
    "sigmoid": [(SOFT, "torch.cat(scores).sigmoid()")],
    "bytes": [(ASK, "net(batch.float().permute(0, 3, 1, 2))")],
    "only divided": [(ASK, "net(batch.permute(0, 3, 1, 2) / 255)")],
    "not divided": [("images.float() / 255", "images.float()")],
    "only the first batch": [("images.split(batch_size)]", "images.split(batch_size)[:1]]")],
    "whole batches": [("batch in images.split(batch_size)]", "batch in images.split(batch_size) if "
                       "len(batch) == batch_size]")],
    "only the last batch": [("images.split(batch_size)]", "images.split(batch_size)[-1:]]")],
}  # fmt: skip


@pytest.mark.parametrize("name", [m.name for m in looks.PREDICTED])
def test_wrong_probabilities_are_named(judged, name):
    record = predicted_record(judged, answers(*PREDICTIONS[name]))
    assert record.hint == {m.name: m.says for m in looks.PREDICTED}[name], record


def test_probabilities_with_their_graph_are_refused(judged):
    record = predicted_record(judged, answers(("torch.no_grad()", "torch.enable_grad()")))
    assert (record.outcome, record.hint) == (Outcome.FAILED, looks.WITH_GRAPH)


def test_a_net_that_moves_while_it_is_asked_is_refused(judged):
    moved = ("    return torch.cat(scores)", "    net.train()(normalize(images, MEAN, STD))\n"
             "    return torch.cat(scores)")  # fmt: skip
    assert predicted_record(judged, answers(moved)).hint == looks.MOVED


MEAN_OF_TWO = "(predict(net, images) + predict(net, images.flip(2))) / 2"
FIRST, SECOND = "predict(net, images)", "predict(net, images.flip(2))"
LOOKS = {
    "only the mirror image": [(MEAN_OF_TWO, SECOND)],
    "not mirrored": [(MEAN_OF_TWO, FIRST)],
    "upside down": [("flip(2)", "flip(1)")],
    "colours swapped": [("flip(2)", "flip(3)")],
    "images swapped": [("flip(2)", "flip(0)")],
    "sum": [(MEAN_OF_TWO, MEAN_OF_TWO[:-4])],
    "product": [(MEAN_OF_TWO, f"{FIRST} * {SECOND}")],
    "geometric": [(MEAN_OF_TWO, f"({FIRST} * {SECOND}).sqrt()")],
    "largest": [(MEAN_OF_TWO, f"torch.maximum({FIRST}, {SECOND})")],
    "mean of scores": [(MEAN_OF_TWO, f"(({FIRST}.log() + {SECOND}.log()) / 2).softmax(1)")],
}


@pytest.mark.parametrize("name", [m.name for m in looks.TWICE])
def test_a_wrong_second_look_is_named(judged, name):
    record = twice_record(judged, answers(*LOOKS[name]))
    assert record.hint == {m.name: m.says for m in looks.TWICE}[name], record


VALUE = "scores.gather(1, labels[:, None]).sum()"
GRADIENTS = {
    "train mode": [("net.eval().features", "net.train().features")],
    "swapped": [("return maps.detach(), gradients", "return gradients, maps.detach()")],
    "all scores": [(VALUE, "scores.sum()")],
    "columns": [(VALUE, "scores[:, labels].sum()")],
    "largest": [(VALUE, "scores.max(dim=1).values.sum()")],
    "mean": [(VALUE, VALUE.replace("sum", "mean"))],
    "logarithm": [(VALUE, VALUE.replace("scores", "scores.log_softmax(1)"))],
    "loss": [(VALUE, "F.cross_entropy(scores, labels)")],
    "summed loss": [(VALUE, "F.cross_entropy(scores, labels, reduction='sum')")],
    "probability": [(VALUE, VALUE.replace("scores", "scores.softmax(1)"))],
}


@pytest.mark.parametrize("name", [m.name for m in looks.GRADIENTS])
def test_wrong_gradients_are_named(judged, name):
    record = gradients_record(judged, answers(*GRADIENTS[name]))
    assert record.hint == {m.name: m.says for m in looks.GRADIENTS}[name], record


@pytest.mark.parametrize("before", ["", "    net.zero_grad()\n"])
def test_gradients_that_are_left_behind_are_named(judged, before):
    backward = (
        "    (gradients,) = torch.autograd.grad(value, maps)",
        f"    maps.retain_grad()\n{before}    value.backward()\n    gradients = maps.grad",
    )
    record = gradients_record(judged, answers(backward))
    assert (record.outcome, record.hint) == (Outcome.FAILED, looks.LEFT_BEHIND)


# The machinery.


def test_an_unwritten_answer_is_said_to_be_unwritten(judged):
    raises = "    raise NotImplementedError\n    net = SmallResNet(num_classes)"
    given = answers(("    net = SmallResNet(num_classes)", raises))
    for ask in ALL:
        record = ask(judged, given)
        assert record.outcome is Outcome.COULD_NOT_RUN
        assert record.message == "pretrained_net is not written yet"


def test_arguments_that_are_changed_are_named(judged):
    given = answers(("    net.eval()\n    with", "    images.zero_()\n    net.eval()\n    with"))
    assert predicted_record(judged, given).message == "predict changes its argument images"


def test_hidden_checks_show_no_values(judged):
    given = answers((RATE, "head_rate"))
    record = optimizer_record(judged, given, concept="other rates")
    assert record.hint
    assert not record.got


def test_a_students_random_numbers_are_not_disturbed(judged, right):
    torch.manual_seed(0)
    want = torch.rand(3)
    torch.manual_seed(0)
    oracle.net_of(oracle.drawn(np.random.default_rng(0), 5), torch.float64)
    assert torch.equal(torch.rand(3), want)


def test_rates_are_those_of_lambda_lr(right):
    ours, theirs = (torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.3) for _ in range(2))
    rates, schedule = oracle.Rates(ours, 9, 3), right.make_schedule(theirs, 9, 3)
    for _ in range(9):
        assert ours.param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"])
        theirs.step()
        rates.step()
        schedule.step()

# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 6 · miniPlaces
#
# 100 kinds of places, 1,000 photographs of each, and a leaderboard. You build everything between
# the images and the board: augmentation, the training loop with all that a good one has today, five
# ways to use a net that has learned something else before, the measures, and the pictures that
# show *what the net looks at*. It ends with a file for the board.
#
# **How to work.** As before: fill in `YOUR CODE HERE`, run the check below. Cells whose first line
# is the comment *at your desk* are for you to watch and are skipped when your notebook is graded.
# Develop on a CPU with *scenes*, drawn places that need no download: all trainings of this lesson
# take about two minutes there. Then the same code runs on a GPU with miniPlaces. You need about
# four hours.

# %% locked="setup"
from importlib.util import find_spec

if not (find_spec("autograder") and find_spec("torch")):  # a new machine, such as one of Colab's
    print("Installing what this course needs ...")
    # %pip install --quiet "receptive-field[torch] @ {{package}}"

import math
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from autograder import check, here, leaderboard, show
from autograder.places import scenes
from autograder.places.scenes.resnet import SmallResNet

here.report("packed")

MEAN, STD = torch.tensor(scenes.MEAN), torch.tensor(scenes.STD)

# %% [markdown]
# ## 1 · Images to numbers
#
# Images arrive as bytes, $N \times H \times W \times 3$, and stay bytes as long as possible: as
# 32-bit numbers they would be four times as large, on the disk, in memory and on the way to the
# GPU. Only the batch that is about to be used becomes numbers.

# %% home="data"
# At your desk. Draws 720 scenes of 12 classes, a few seconds.
train_set = scenes.dataset("train", 240, classes=scenes.TASK, progress=False)
val_set = scenes.dataset("val", 480, classes=scenes.TASK, progress=False)
names = [name.split("/")[2] for name in scenes.TASK]
images, labels = torch.tensor(train_set.images), torch.tensor(train_set.labels)
val_images, val_labels = torch.tensor(val_set.images), torch.tensor(val_set.labels)
show.contact_sheet({name: val_set.images[val_set.labels == k][:6] for k, name in enumerate(names)})

# %% [markdown]
# **Task.** Write `normalize`: pixels between 0 and 1, then minus the mean and divided by the
# standard deviation of their channel, as for the net that you will build on. The channels move to
# the second axis. (`permute` copies nothing: in memory a pixel's three channels stay side by side.
# PyTorch calls that order `channels_last`, and it is the one in which GPUs convolve fastest.)


# %% solution="normalize"
def normalize(images, mean, std):
    """images: (N, H, W, 3) uint8, mean and std: (3,). Returns x: (N, 3, H, W) float32."""
    ### BEGIN SOLUTION
    return ((images.float() / 255 - mean) / std).permute(0, 3, 1, 2)
    ### END SOLUTION


# %% test="normalize-values" points=3
check.normalized_images(normalize, images=check.pixels(2, 5, 4), mean=(3,), std=check.positive(3))
### BEGIN HIDDEN TESTS
check.normalized_images(
    normalize, images=check.pixels(3, 2, 7), mean=(3,), std=check.positive(3),
    concept="another size",
)  # fmt: skip
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · More images than there are
#
# 240 images are few. But a beach that is mirrored is a beach, and so is one that is moved by four
# pixels. **Augmentation** shows the net each image a little different every time, so that it cannot
# learn pixels by heart.
#
# The usual code does this to one image after the other, on the CPU. A GPU then waits for it. So we
# do it to a *whole batch at once*, on the device where the batch is. Each image has its own random
# numbers all the same: were all of a batch moved alike, the batch would hardly be new.
#
# **Task.** Write `crop` and `mirror` without a loop over images. For `crop` build two index arrays,
# the rows $(N, H')$ and the columns $(N, W')$ of each image's window, and index once.


# %% solution="crop-mirror"
def crop(x, top, left, height, width):
    """x: (N, C, H, W); top, left: (N,) each image's own corner. Returns (N, C, height, width)."""
    ### BEGIN SOLUTION
    image = torch.arange(len(x))[:, None, None]
    rows = top[:, None, None] + torch.arange(height)[:, None]
    columns = left[:, None, None] + torch.arange(width)
    return x.permute(0, 2, 3, 1)[image, rows, columns].permute(0, 3, 1, 2)
    ### END SOLUTION


def mirror(x, chosen):
    """x: (N, C, H, W), chosen: (N,) bool. Left and right change places in the chosen images."""
    ### BEGIN SOLUTION
    return torch.where(chosen[:, None, None, None], x.flip(3), x)
    ### END SOLUTION


# %% test="crop-windows" points=4
check.cropped_images(
    crop, x=(3, 2, 8, 9), top=np.array([0, 3, 1]), left=np.array([2, 0, 3]), height=5, width=4
)
### BEGIN HIDDEN TESTS
check.cropped_images(
    crop, x=(4, 3, 6, 7), top=check.labels(4, 3), left=check.labels(4, 6), height=4, width=2,
    concept="other sizes",
)  # fmt: skip
### END HIDDEN TESTS

# %% test="mirror-chosen" points=3
check.mirrored_images(mirror, x=(3, 2, 4, 5), chosen=np.array([True, False, True]))
### BEGIN HIDDEN TESTS
check.mirrored_images(
    mirror, x=(2, 3, 3, 4), chosen=np.array([False, False]), concept="none is chosen"
)
### END HIDDEN TESTS


# %% [markdown]
# Together, with padding, so that a window of the old size can lie in eight other places each way:


# %% locked="augment"
def augment(x, padding=4):
    """x: (N, C, H, W): each image moved by up to ``padding`` pixels, every other one mirrored."""
    count, _, height, width = x.shape
    x = F.pad(x, (padding,) * 4)
    top, left = torch.randint(2 * padding + 1, (2, count))
    return mirror(crop(x, top, left, height, width), torch.rand(count) < 0.5)


# %% home="augmented"
# At your desk. Four scenes, each as the net might see it.
def as_pixels(x):
    """Normalized images back as (N, H, W, 3) from 0 to 255."""
    return ((x.permute(0, 2, 3, 1) * STD + MEAN) * 255).clamp(0, 255).numpy()


torch.manual_seed(0)
four = normalize(val_images[:4], MEAN, STD).repeat_interleave(6, dim=0)
seen = as_pixels(augment(four)).reshape(4, 6, 64, 64, 3)
show.contact_sheet({names[k]: row for k, row in zip(val_labels[:4].tolist(), seen, strict=True)})

# %% [markdown]
# ## 3 · Standing on what was learned
#
# Nets learn edges, textures and parts first, whatever they are to tell apart. So take one that has
# learned from a large set and give it a new head. Here: the small ResNet, which has learned 12
# *other* kinds of scenes from 6,000 images. On miniPlaces: ResNet-18, from ImageNet.
#
# **Task.** Write `pretrained_net`: a `SmallResNet` with the weights of `state` everywhere but in
# its head `fc`, which stays as PyTorch drew it. The `state` may have a head, of other classes. (Do
# not be content if the shapes fit!) It may lack `num_batches_tracked`, which changes nothing, and
# it may be empty: then the net is as drawn.


# %% solution="pretrained-net"
def pretrained_net(state, num_classes):
    """state: tensors by name. Returns a net whose backbone has these weights and running stats."""
    ### BEGIN SOLUTION
    net = SmallResNet(num_classes)
    backbone = {name: value for name, value in state.items() if not name.startswith("fc.")}
    net.load_state_dict({**net.state_dict(), **backbone})
    return net
    ### END SOLUTION


# %% test="pretrained-net-weights" points=3
check.pretrained_net(pretrained_net, num_classes=7)
### BEGIN HIDDEN TESTS
check.pretrained_net(pretrained_net, num_classes=12, concept="a head of the same shape")
### END HIDDEN TESTS

# %% [markdown]
# A backbone can be **frozen**: no gradient is computed for it, and no step changes it. That is
# fast, and with few images it may be wise. But there is a trap. A batch norm in train mode updates
# its running mean and variance in every forward pass, gradient or not: a "frozen" net drifts away,
# silently, and the frozen layers see statistics of each batch. So what is frozen must also stay in
# *eval* mode.
#
# **Task.** Write both. `freeze` takes names of the net's children, such as `["conv1", "bn1"]`;
# `train_mode` puts the net into train mode, except for batch norms that are frozen (which one is,
# you can tell by `weight.requires_grad`).


# %% solution="freeze"
def freeze(net, children):
    """No gradients any more for the parameters of the children of these names."""
    ### BEGIN SOLUTION
    for name in children:
        getattr(net, name).requires_grad_(False)
    ### END SOLUTION


def train_mode(net):
    """Train mode, but for frozen batch norms. Returns the net."""
    ### BEGIN SOLUTION
    net.train()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d) and not layer.weight.requires_grad:
            layer.eval()
    return net
    ### END SOLUTION


# %% test="freeze-children" points=3
check.frozen_net(pretrained_net, freeze, children=["conv1", "bn1", "layer1"])
### BEGIN HIDDEN TESTS
check.frozen_net(pretrained_net, freeze, children=["bn1", "layer2", "fc"], concept="other children")
### END HIDDEN TESTS

# %% test="train-mode-statistics" points=5
check.frozen_statistics(pretrained_net, freeze, train_mode, children=["conv1", "bn1", "layer1"])
check.frozen_statistics(pretrained_net, freeze, train_mode, children=[])
### BEGIN HIDDEN TESTS
check.frozen_statistics(
    pretrained_net, freeze, train_mode, children=["layer2", "layer3"], concept="other children"
)
### END HIDDEN TESTS

# %% [markdown]
# ## 4 · A loss that admits doubt
#
# Cross-entropy is content only when the right class has probability 1, so scores grow and grow,
# also for images whose label is wrong. **Label smoothing** (Szegedy et al., 2016) asks for a little
# less: of the $K$ classes each should get $\epsilon / K$, and the right one the rest besides.
#
# $$L = -(1 - \epsilon) \log p_y - \frac{\epsilon}{K} \sum_{k=1}^{K} \log p_k$$
#
# **Task.** Write it, as the mean over a batch, with `F.log_softmax`, and without the option of
# `F.cross_entropy` that does it.


# %% solution="smoothed-loss"
def smoothed_cross_entropy(scores, labels, smoothing=0.1):
    """scores: (N, K), labels: (N,). One number."""
    ### BEGIN SOLUTION
    log_p = F.log_softmax(scores, dim=1)
    right = log_p.gather(1, labels[:, None])[:, 0]
    return -((1 - smoothing) * right + smoothing * log_p.mean(dim=1)).mean()
    ### END SOLUTION


# %% test="smoothed-loss-value" points=3
check.smoothed_loss(smoothed_cross_entropy, scores=(5, 4), labels=check.labels(5, 4), smoothing=0.3)
check.smoothed_loss.backward(
    smoothed_cross_entropy, "dscores", scores=(5, 4), labels=check.labels(5, 4), smoothing=0.3
)
### BEGIN HIDDEN TESTS
check.smoothed_loss(
    smoothed_cross_entropy, scores=(7, 9), labels=check.labels(7, 9), smoothing=0.0,
    concept="no smoothing",
)  # fmt: skip
check.smoothed_loss(
    smoothed_cross_entropy, scores=check.spread(4, 5, std=1000), labels=check.labels(4, 5),
    smoothing=0.2, concept="large scores",
)  # fmt: skip
check.smoothed_loss(
    smoothed_cross_entropy, scores=(3, 6), labels=check.labels(3, 6), concept="the default"
)
### END HIDDEN TESTS

# %% [markdown]
# What it asks for: three classes, one right, and how the loss grows with the right one's score.

# %%
lead = torch.linspace(-2, 8, 101)
rows = torch.stack([lead, torch.zeros(101), torch.zeros(101)], dim=1)
show.curves(
    {
        f"ε = {smoothing}": [
            smoothed_cross_entropy(row[None], torch.tensor([0]), smoothing).item() for row in rows
        ]
        for smoothing in (0.0, 0.1, 0.3)
    },
    xlabel="lead of the right class, in steps of 0.1", ylabel="loss", start=-20,
)  # fmt: skip

# %% [markdown]
# With smoothing there is a best lead, and more is worse.
#
# ## 5 · The rate over time
#
# A new head starts with random numbers. Large steps at this moment push random gradients through
# the whole backbone. So the rate **warms up**, linearly, and then falls, slowly first, along half a
# **cosine** (Loshchilov & Hutter, 2017). With $s$ the number of the step from 0, $w$ steps of
# warm-up and $S$ in all, the rate is its peak times
#
# $$\frac{s + 1}{w} \text{ for } s < w, \qquad
# \frac{1}{2} \left(1 + \cos \frac{\pi (s - w)}{S - w}\right) \text{ from then on.}$$
#
# **Task.** Write `rate_factor`, and `make_schedule` with PyTorch's `LambdaLR`, which multiplies the
# rate of each group of parameters by what a function says of the step. (Let that be a number of
# Python's, by `math.cos` or `float(...)`: rates end up in checkpoints, and a number of NumPy's
# cannot be read back from those.)


# %% solution="schedule"
def rate_factor(step, steps, warmup):
    """What the peak rate is multiplied by in one step."""
    ### BEGIN SOLUTION
    if step < warmup:
        return (step + 1) / warmup
    return (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2
    ### END SOLUTION


def make_schedule(optimizer, steps, warmup):
    """A scheduler whose ``step()`` is to be called after each step of the optimizer."""
    ### BEGIN SOLUTION
    factor = partial(rate_factor, steps=steps, warmup=warmup)
    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    ### END SOLUTION


# %% test="rate-factor-values" points=3
hint = "The first step has 1/w of the peak, step w − 1 all of it, step S would have 0."
check.that(rate_factor, 0, 10, 4).returns(0.25, hint=hint)
check.that(rate_factor, 4, 10, 4).returns(1.0, hint=hint)
check.that(rate_factor, 7, 10, 4).returns(0.5, hint=hint)
### BEGIN HIDDEN TESTS
check.that(rate_factor, 2, 30, 6).returns(0.5, hint=hint, concept="warm-up")
check.that(rate_factor, 14, 30, 6).returns(0.75, hint=hint, concept="the cosine")
check.that(rate_factor, 5, 20, 0).returns((1 + 0.5**0.5) / 2, hint=hint, concept="no warm-up")
### END HIDDEN TESTS

# %%
show.curves(
    {f"{warmup} steps of warm-up": [rate_factor(s, 100, warmup) for s in range(100)]
     for warmup in (0, 10, 30)},
    xlabel="step", ylabel="share of the peak rate", start=0,
)  # fmt: skip

# %% [markdown]
# ## 6 · Who learns how fast
#
# The backbone knows a lot, the head nothing. So the head may take steps ten times as large:
# **discriminative rates**. And **weight decay**, which pulls each weight towards 0 by a share of
# itself in every step, is meant for weights that multiply. A bias, or $\gamma$ and $\beta$ of a
# batch norm, is not made simpler by being small, so they get none. Those are exactly the parameters
# with a single axis.
#
# **Task.** Write `make_optimizer`: `torch.optim.SGD` with momentum and up to four groups, each with
# its own `lr` and `weight_decay`: head or backbone, with one axis or more. What is frozen has no
# gradient; leave it out.


# %% solution="optimizer"
def make_optimizer(net, head_rate, backbone_rate, weight_decay=5e-4, momentum=0.9):
    """An optimizer of all that is not frozen; the head is ``net.fc``."""
    ### BEGIN SOLUTION
    groups = []
    for is_head, rate in ((True, head_rate), (False, backbone_rate)):
        part = [
            parameter
            for name, parameter in net.named_parameters()
            if name.startswith("fc.") == is_head and parameter.requires_grad
        ]
        for wide, decay in ((True, weight_decay), (False, 0.0)):
            chosen = [parameter for parameter in part if (parameter.ndim > 1) == wide]
            if chosen:
                groups.append({"params": chosen, "lr": rate, "weight_decay": decay})
    return torch.optim.SGD(groups, momentum=momentum)
    ### END SOLUTION


# %% test="optimizer-steps" points=6
check.fine_tuning_optimizer(
    pretrained_net, make_optimizer, head_rate=0.2, backbone_rate=0.01, weight_decay=0.3
)
### BEGIN HIDDEN TESTS
check.fine_tuning_optimizer(
    pretrained_net, make_optimizer, head_rate=0.05, backbone_rate=0.1, weight_decay=0.02,
    momentum=0.5, concept="other rates",
)  # fmt: skip
check.fine_tuning_optimizer(
    pretrained_net, make_optimizer, freeze, children=["conv1", "bn1", "layer1"], head_rate=0.1,
    backbone_rate=0.1, weight_decay=0.1, concept="with frozen layers",
)  # fmt: skip
### END HIDDEN TESTS

# %% [markdown]
# ## 7 · The loop
#
# One epoch, and what a loop of today has in it: frozen batch norms in eval mode, the smoothed loss,
# a scheduler, and **mixed precision**: convolutions and matrix products are computed with 16 bits,
# which GPUs do several times faster. The weights keep 32, and on GPUs so do sums and the loss.
# PyTorch chooses operation by operation, if the forward pass *and the loss* run within
# `torch.autocast`, and the backward pass *outside*.
#
# There are two kinds of 16 bits. `bfloat16` has the range of 32 bits and fewer digits. Older GPUs,
# such as Colab's T4, are only fast with `float16`, whose range is so small that gradients vanish.
# So a **scaler** multiplies the loss by a large number first, divides the gradients by it before
# the step, and leaves a step out where one has become infinite. Where it is not `enabled`, it
# changes nothing.
#
# **Task.** Write the inside of the loop. The order of each step: forward, old gradients gone,
# backward, optimizer, scheduler. With the scaler, `loss.backward()` is
# `scaler.scale(loss).backward()`, and `optimizer.step()` is `scaler.step(optimizer)`, then
# `scaler.update()`.


# %% solution="train-epoch"
def train_epoch(net, optimizer, schedule, batches, precision="float32"):
    """One step for each (x, labels) of ``batches``. Returns the losses, as a list of numbers."""
    train_mode(net)
    losses, mixed = [], precision != "float32"
    scaler = torch.amp.GradScaler(enabled=precision == "float16")
    for x, labels in batches:
        with torch.autocast(x.device.type, getattr(torch, precision), enabled=mixed):
            ### BEGIN SOLUTION
            loss = smoothed_cross_entropy(net(x), labels)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        schedule.step()
        losses.append(loss.item())
        ### END SOLUTION
    return losses


# %% test="train-epoch-weights" points=6
parts = {"build": pretrained_net, "optimizer": make_optimizer, "schedule": make_schedule}
check.training_epoch(train_epoch, **parts, steps=3, warmup=2)
### BEGIN HIDDEN TESTS
check.training_epoch(
    train_epoch, **parts, freeze=freeze, children=["conv1", "bn1", "layer1"], steps=2, warmup=0,
    concept="frozen layers",
)  # fmt: skip
check.training_epoch(
    train_epoch, **parts, steps=2, warmup=1, epochs=2, concept="a second epoch goes on"
)
check.training_epoch(
    train_epoch, **parts, steps=2, warmup=1, precision="bfloat16", concept="16 bits"
)
### END HIDDEN TESTS

# %% [markdown]
# Colab disconnects, in the middle of the night. What has to be on the disk, so that training goes
# on as if nothing had happened? The weights; the running statistics; the optimizer's velocities,
# without which it starts to roll anew; where the scheduler is; the number of the epoch. And all of
# it *whole*: who is cut off while writing must not lose the last good file too. So write to another
# name first, then rename: that happens at once or not at all.
#
# **Task.** Write both, with `state_dict()` and `load_state_dict` of all three, `torch.save` and
# `torch.load(..., weights_only=True)`, which reads tensors and never runs what a file says.


# %% solution="checkpoint"
def save(path, net, optimizer, schedule, epoch):
    """All that training needs to go on after ``epoch`` epochs. path: a str."""
    ### BEGIN SOLUTION
    parts = {"net": net, "optimizer": optimizer, "schedule": schedule}
    state = {name: part.state_dict() for name, part in parts.items()}
    part = Path(f"{path}.part")
    torch.save({**state, "epoch": epoch}, part)
    part.replace(path)
    ### END SOLUTION


def resume(path, net, optimizer, schedule):
    """Puts all back where it was and returns the epoch; 0, and nothing changes, without a file."""
    ### BEGIN SOLUTION
    if not Path(path).exists():
        return 0
    state = torch.load(path, weights_only=True)
    for name, part in {"net": net, "optimizer": optimizer, "schedule": schedule}.items():
        part.load_state_dict(state[name])
    return state["epoch"]
    ### END SOLUTION


# %% test="checkpoint-resumes" points=6
check.resumed_training(save, resume, train_epoch, **parts, steps=6)
### BEGIN HIDDEN TESTS
check.resumed_training(
    save, resume, train_epoch, **parts, steps=4, freeze=freeze, children=["layer1"],
    concept="frozen layers",
)  # fmt: skip
check.resumed_training.afresh(save, resume, **parts, concept="no file yet")
### END HIDDEN TESTS

# %% [markdown]
# ## 8 · How good is it?
#
# **Task.** Write `predict`, for any number of images, a batch at a time: eval mode, no gradients,
# normalized with `MEAN` and `STD`, probabilities. And `top_k`: the share of images whose label is
# among the $k$ most probable classes. The board counts top-5; with 100 classes, many of which look
# alike, that is fairer than top-1.


# %% solution="predict"
def predict(net, images, batch_size=120):
    """images: (N, H, W, 3) uint8. Returns probabilities: (N, num_classes)."""
    ### BEGIN SOLUTION
    net.eval()
    with torch.no_grad():
        scores = [net(normalize(batch, MEAN, STD)) for batch in images.split(batch_size)]
    return torch.cat(scores).softmax(dim=1)
    ### END SOLUTION


def top_k(probabilities, labels, k):
    """probabilities: (N, K), labels: (N,). A number between 0 and 1."""
    ### BEGIN SOLUTION
    best = probabilities.topk(k, dim=1).indices
    return (best == labels[:, None]).any(dim=1).float().mean().item()
    ### END SOLUTION


# %% test="predict-probabilities" points=4
check.predicted(predict, pretrained_net, images=check.pixels(5, 32, 32), batch_size=2)
### BEGIN HIDDEN TESTS
check.predicted(
    predict, pretrained_net, images=check.pixels(4, 24, 32), concept="another size, one batch"
)
### END HIDDEN TESTS

# %% test="top-k-share" points=3
check.top_k_share(top_k, probabilities=(40, 8), labels=check.labels(40, 8), k=1)
check.top_k_share(top_k, probabilities=(40, 8), labels=check.labels(40, 8), k=3)
### BEGIN HIDDEN TESTS
check.top_k_share(
    top_k, probabilities=(30, 20), labels=check.labels(30, 20), k=5, concept="the board's measure"
)
### END HIDDEN TESTS

# %% [markdown]
# ## 9 · Five ways to fine-tune
#
# | | the backbone starts | frozen | rate of the head | of the backbone |
# |---|---|---|---|---|
# | from scratch | as drawn | | 0.1 | 0.1 |
# | linear probe | pretrained | all of it | 0.2 | |
# | one rate | pretrained | | 0.02 | 0.02 |
# | discriminative rates | pretrained | | 0.1 | 0.01 |
# | frozen early layers | pretrained | up to `layer1` | 0.1 | 0.01 |
#
# (Ideas of your own? Add them in a cell below: `REGIMES["mine"] = {...}`.)

# %% locked="regimes"
BACKBONE = ["conv1", "bn1", "layer1", "layer2", "layer3"]
REGIMES = {
    "from scratch": {"pretrained": False, "frozen": [], "rates": (0.1, 0.1)},
    "linear probe": {"pretrained": True, "frozen": BACKBONE, "rates": (0.2, 0.0)},
    "one rate": {"pretrained": True, "frozen": [], "rates": (0.02, 0.02)},
    "discriminative rates": {"pretrained": True, "frozen": [], "rates": (0.1, 0.01)},
    "frozen early layers": {"pretrained": True, "frozen": BACKBONE[:3], "rates": (0.1, 0.01)},
}
WEIGHTS = {name: torch.tensor(array) for name, array in scenes.pretrained().items()}

# %% [markdown]
# **Task.** Put your parts together. Per epoch the images come in a new random order, 20 at a time
# (leave out a smaller rest), each batch normalized and then augmented. A fifth of all steps are
# warm-up. After each epoch `watch(net, losses)` is called, if there is one.


# %% solution="fit"
def fit(images, labels, num_classes, regime, epochs, seed=0, watch=None):
    """images: (N, H, W, 3) uint8, labels: (N,). Returns a net, trained as ``REGIMES`` says."""
    torch.manual_seed(seed)
    settings = REGIMES[regime]
    ### BEGIN SOLUTION
    net = pretrained_net(WEIGHTS if settings["pretrained"] else {}, num_classes)
    freeze(net, settings["frozen"])
    optimizer = make_optimizer(net, *settings["rates"])
    steps = epochs * (len(images) // 20)
    schedule = make_schedule(optimizer, steps, steps // 5)
    for _ in range(epochs):
        order = torch.randperm(len(images)).split(20)
        batches = (
            (augment(normalize(images[rows], MEAN, STD)), labels[rows])
            for rows in order
            if len(rows) == 20
        )
        losses = train_epoch(net, optimizer, schedule, batches)
        if watch:
            watch(net, losses)
    return net
    ### END SOLUTION


# %% [markdown]
# This is graded by what comes out: your `fit` trains on scenes that are drawn for the purpose, your
# `predict` is asked about others, class by class, and enough of them have to be right. What is
# enough, every correct solution reaches, and by far.

# %% test="fit-probe" points=5
check.learned_scenes(
    fit, predict, regime="linear probe", epochs=3, at_least=0.40,
    frozen=["conv1", "bn1", "layer1", "layer2", "layer3"],
)  # fmt: skip

# %% test="fit-frozen-early" points=5
check.learned_scenes(
    fit, predict, regime="frozen early layers", epochs=3, at_least=0.42,
    frozen=["conv1", "bn1", "layer1"],
)  # fmt: skip

# %% [markdown]
# Now all five, on 240 images, 20 a class. Guess the order before you look.

# %% home="five-regimes"
# At your desk. About a minute and a half on a CPU.
nets, runs, table = {}, {}, {}
for regime in REGIMES:
    runs[regime] = {"loss": [], "accuracy": []}

    def watch(net, losses, run=runs[regime]):
        run["loss"] += losses
        run["accuracy"].append(top_k(predict(net, val_images[:240]), val_labels[:240], 1))

    nets[regime] = fit(images, labels, 12, regime, epochs=8, watch=watch)
    probabilities = predict(nets[regime], val_images)
    table[regime] = [top_k(probabilities, val_labels, k) for k in (1, 5)]
    print(f"{regime:22} top-1 {table[regime][0]:6.1%}   top-5 {table[regime][1]:6.1%}")
show.history(runs)

# %% [markdown]
# Compare the two ends: from scratch the net has 240 images to learn everything from; the probe has
# learned everything but the last layer, elsewhere, and cannot adjust. Then the lectures' table for
# miniPlaces (ResNet-18, five epochs, top-1): from scratch 35.6%, linear probe 40.0%, fine-tuned at
# one rate 45.9%, with a rate of 0.01 for `fc` and 0.001 for the rest 50.5%. The same order.
#
# ## 10 · Where it is wrong
#
# **Task.** Write `confusion_matrix`: row $i$, column $j$ counts how often class $i$ was taken for
# $j$. (A place of the matrix is the number $i \cdot K + j$, and `torch.bincount` counts numbers.)


# %% solution="confusion"
def confusion_matrix(labels, said, num_classes):
    """labels, said: (N,). Returns (num_classes, num_classes) counts."""
    ### BEGIN SOLUTION
    places = torch.bincount(labels * num_classes + said, minlength=num_classes**2)
    return places.reshape(num_classes, num_classes)
    ### END SOLUTION


# %% test="confusion-counts" points=3
check.confusion_counts(
    confusion_matrix, labels=check.labels(50, 4), said=check.labels(50, 4), num_classes=4
)
### BEGIN HIDDEN TESTS
check.confusion_counts(
    confusion_matrix, labels=check.labels(9, 3), said=check.labels(9, 3), num_classes=6,
    concept="classes that do not occur",
)  # fmt: skip
### END HIDDEN TESTS

# %% home="confused"
# At your desk. The classes by category: nature, city, indoor.
best = nets["discriminative rates"]
probabilities = predict(best, val_images)
said = probabilities.argmax(1)
counts = confusion_matrix(val_labels, said, 12)
categories = [scenes.PLACES[name].category for name in scenes.TASK]
show.confused(counts, names, categories)

# %% [markdown]
# Is it wrong within a category, where a person might hesitate, or across? And here are the images
# of which it is most sure, and wrong. The title is what it says; outlined is what it is.

# %% home="failures"
# At your desk.
sure, wrong = probabilities.max(1).values, said != val_labels
worst = torch.where(wrong, sure, 0).argsort(descending=True)[:12]
titles = [f"{names[said[i]]}, {sure[i]:.0%}" for i in worst]
show.located(val_set.images[worst], val_set.masks[worst], titles=titles)

# %% [markdown]
# ## 11 · What it looks at
#
# The last maps, $f_c(x, y)$, are averaged, and a weight for each channel turns the means into the
# score of class $k$. Both are sums, so their order does not matter: weigh first, average then.
#
# $$s_k = b_k + \sum_c w_{k,c} \frac{1}{HW} \sum_{x,y} f_c(x, y) = b_k + \frac{1}{HW} \sum_{x,y}
# \underbrace{\sum_c w_{k,c} f_c(x, y)}_{M_k(x, y)}$$
#
# $M_k$ is the **class activation map** (Zhou et al., 2016): how much every place says for the
# class. It is no guess about the net, it *is* the score, cut up by place: its mean is $s_k - b_k$.
#
# **Task.** Write `class_maps`, of each image's own class.


# %% solution="cam"
def class_maps(maps, weight, labels):
    """maps: (N, C, H, W), weight: (K, C) of the head, labels: (N,). Returns (N, H, W)."""
    ### BEGIN SOLUTION
    return torch.einsum("nchw,nc->nhw", maps, weight[labels])
    ### END SOLUTION


# %% test="cam-values" points=5
check.class_maps(class_maps, maps=(3, 5, 4, 6), weight=(7, 5), labels=check.labels(3, 7))
### BEGIN HIDDEN TESTS
check.class_maps(
    class_maps, maps=(4, 3, 5, 2), weight=(4, 3), labels=check.labels(4, 4), concept="other sizes"
)
### END HIDDEN TESTS

# %% [markdown]
# CAM needs a net that ends in a mean and one layer. **Grad-CAM** (Selvaraju et al., 2017) asks any
# net how its score would change with the maps: a channel's weight is the mean of the gradient over
# all places,
#
# $$\alpha_c = \frac{1}{HW} \sum_{x,y} \frac{\partial s_k}{\partial f_c(x, y)}, \qquad
# G_k(x, y) = \sum_c \alpha_c f_c(x, y).$$
#
# (Then they take the ReLU, for they only want to see what speaks *for* the class. Here the map
# stays raw.)
#
# **Task.** Write `maps_and_gradients` with `net.features`, which gives the maps, `net.fc` for the
# scores, and `torch.autograd.grad`; in eval mode, and such that gradients of a net's parameters
# stay as they are. Then `grad_cam`. Think before you run the cell behind the checks: for a net
# with a mean and one layer, what is $\alpha_c$, and by how much do $G_k$ and $M_k$ differ?


# %% solution="grad-cam"
def maps_and_gradients(net, x, labels):
    """x: (N, 3, H, W), labels: (N,). Returns maps and ∂score of the label/∂maps, both alike."""
    ### BEGIN SOLUTION
    maps = net.eval().features(x)
    scores = net.fc(maps.mean(dim=(2, 3)))
    (gradients,) = torch.autograd.grad(scores.gather(1, labels[:, None]).sum(), maps)
    return maps.detach(), gradients
    ### END SOLUTION


def grad_cam(maps, gradients):
    """maps, gradients: (N, C, H, W). Returns (N, H, W)."""
    ### BEGIN SOLUTION
    return (gradients.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1)
    ### END SOLUTION


# %% test="grad-cam-gradients" points=4
check.score_gradients(maps_and_gradients, pretrained_net, x=(3, 3, 32, 24), num_classes=5)
### BEGIN HIDDEN TESTS
check.score_gradients(
    maps_and_gradients, pretrained_net, x=(2, 3, 24, 40), num_classes=9, concept="other sizes"
)
### END HIDDEN TESTS

# %% test="grad-cam-values" points=4
check.grad_cam(grad_cam, maps=(3, 5, 4, 6), gradients=(3, 5, 4, 6))
### BEGIN HIDDEN TESTS
check.grad_cam(grad_cam, maps=(2, 7, 3, 2), gradients=(2, 7, 3, 2), concept="other sizes")
### END HIDDEN TESTS

# %% home="equal-maps"
# At your desk. The mean of each map is its score without the bias; and the two maps are one.
x = normalize(val_images, MEAN, STD)
maps, gradients = maps_and_gradients(best, x, val_labels)
cams = class_maps(maps, best.fc.weight.detach(), val_labels)
with torch.no_grad():
    scores = best(x).gather(1, val_labels[:, None])[:, 0] - best.fc.bias[val_labels]
print("mean of the map and score − bias:", (cams.mean(dim=(1, 2)) - scores).abs().max().item())
print("64 · Grad-CAM and CAM:", (64 * grad_cam(maps, gradients) - cams).abs().max().item())
show.attention(val_set.images[:12], cams[:12], val_set.masks[:12], columns=6)

# %% [markdown]
# Blue is the outline of what defines the class, which the net was never told. But pictures of maps
# convince too easily: one remembers those that fit. So count. The **pointing game** asks if the
# highest place of the map lies on the object; IoU, how much of the object and of the region where
# the map is above half of its maximum is shared.
#
# **Task.** Write both. The maps are coarse, so enlarge them first, with `F.interpolate` to the size
# of the masks, `mode="bilinear"` (it wants a channel axis). A map that is nowhere positive has an
# empty region.


# %% solution="pointing"
def pointing_game(cams, masks):
    """cams: (N, h, w), masks: (N, H, W) bool. The share of maps whose maximum is on the object."""
    ### BEGIN SOLUTION
    large = F.interpolate(cams[:, None], masks.shape[1:], mode="bilinear")
    highest = large.flatten(1).argmax(dim=1, keepdim=True)
    return masks.flatten(1).gather(1, highest).float().mean().item()
    ### END SOLUTION


def mask_iou(cams, masks, share=0.5):
    """The mean IoU of the masks with where a map is more than ``share`` of its maximum, and 0."""
    ### BEGIN SOLUTION
    large = F.interpolate(cams[:, None], masks.shape[1:], mode="bilinear").flatten(1)
    region = (large > share * large.max(dim=1, keepdim=True).values) & (large > 0)
    inside = masks.flatten(1)
    return ((region & inside).sum(1) / (region | inside).sum(1)).mean().item()
    ### END SOLUTION


# %% test="pointing-share" points=3
check.pointing_game(pointing_game, cams=(60, 3, 4), masks=check.blobs(60, 12, 16))
### BEGIN HIDDEN TESTS
check.pointing_game(
    pointing_game, cams=(40, 4, 2), masks=check.blobs(40, 16, 12), concept="other sizes"
)
### END HIDDEN TESTS

# %% test="mask-iou-mean" points=4
check.mask_iou(mask_iou, cams=(6, 3, 4), masks=check.blobs(6, 9, 12), share=0.5)
### BEGIN HIDDEN TESTS
check.mask_iou(
    mask_iou, cams=(5, 4, 2), masks=check.blobs(5, 8, 6), share=0.2, concept="another share"
)
nowhere = np.array([-np.ones((2, 2)), np.zeros((2, 2)), [[-1.0, -2], [-3, -1]]])
check.mask_iou(
    mask_iou, cams=nowhere, masks=check.blobs(3, 6, 4), concept="maps that are nowhere positive"
)
### END HIDDEN TESTS

# %% home="pointed"
# At your desk. Compared with a map of random numbers, and with the best single place for all.
masks = torch.tensor(val_set.masks)
torch.manual_seed(0)
print(f"your net       {pointing_game(cams, masks):.2f}   IoU {mask_iou(cams, masks):.2f}")
chance = torch.rand(cams.shape)
print(f"random         {pointing_game(chance, masks):.2f}   IoU {mask_iou(chance, masks):.2f}")
print(f"best fixed     {masks.float().mean(0).max().item():.2f}")

# %% [markdown]
# ## 12 · The right answer for the wrong reason
#
# In the sets above, what stands around the object is drawn at random. Now let it not be: nearly
# every bedroom has its teddy, nearly every beach its kite and its shore. Nobody tells the net which
# of them *is* the class. We train from scratch, with four times as many images as before:

# %% home="shortcut"
# At your desk. About half a minute on a CPU.
draw_biased = partial(
    scenes.dataset, classes=scenes.TASK, background_bias=0.95, companion_bias=0.95, progress=False
)
biased_set, easy_set = draw_biased("train", 960), draw_biased("val", 480)
biased, biased_labels = torch.tensor(biased_set.images), torch.tensor(biased_set.labels)
lazy = fit(biased, biased_labels, 12, "from scratch", epochs=5)
for told, found in {"images like those": easy_set, "honest images": val_set}.items():
    share = top_k(predict(lazy, torch.tensor(found.images)), torch.tensor(found.labels), 1)
    print(f"{told:20} {share:.1%}")
lazy_maps, _ = maps_and_gradients(lazy, x, val_labels)
lazy_cams = class_maps(lazy_maps, lazy.fc.weight.detach(), val_labels)
print(f"pointing game        {pointing_game(lazy_cams, masks):.2f}")
show.attention(val_set.images[:12], lazy_cams[:12], val_set.masks[:12], columns=6)

# %% [markdown]
# By its validation accuracy this net is better than yours, and it has learned something else: its
# maps point less often at the object than the best single place does. No accuracy on images from
# the same source tells you. The maps do. (Start from the pretrained net instead, and see how much
# better that resists: it knows objects already.)
#
# ## 13 · Look twice
#
# A mirrored image is another look at the same place. **Test-time augmentation** lets the net look
# at both and takes the mean of the probabilities. On photographs that is often worth a percent. On
# 480 scenes you may see nothing: a share of 72% of 480 images has a standard error of 2%. Keep that
# in mind on the leaderboard.
#
# **Task.** Write `predict_twice`.


# %% solution="tta"
def predict_twice(net, images):
    """images: (N, H, W, 3) uint8. Probabilities: the mean over each image and its mirror image."""
    ### BEGIN SOLUTION
    return (predict(net, images) + predict(net, images.flip(2))) / 2
    ### END SOLUTION


# %% test="tta-mean" points=3
check.predicted_twice(predict_twice, pretrained_net, images=check.pixels(4, 32, 24))
### BEGIN HIDDEN TESTS
check.predicted_twice(
    predict_twice, pretrained_net, images=check.pixels(3, 24, 40), concept="another size"
)
### END HIDDEN TESTS

# %% home="twice"
# At your desk.
for told, look in {"once": predict, "twice": predict_twice}.items():
    top1, top5 = (top_k(look(best, val_images), val_labels, k) for k in (1, 5))
    print(f"{told:6} top-1 {top1:.1%}   top-5 {top5:.1%}")

# %% [markdown]
# ## 14 · To the board
#
# The board takes a text file: one line for each image with its name and five labels, the most
# probable first, `val/00000001.jpg 71 12 5 99 0`.
#
# **Task.** Write `prediction_lines`.


# %% solution="lines"
def prediction_lines(image_names, probabilities):
    """image_names: N of them, probabilities: (N, K), K ≥ 5. Returns the text of the file."""
    ### BEGIN SOLUTION
    best = probabilities.topk(5, dim=1).indices.tolist()
    rows = zip(image_names, best, strict=True)
    return "".join(f"{name} {' '.join(map(str, five))}\n" for name, five in rows)
    ### END SOLUTION


# %% test="lines-for-the-board" points=4
check.prediction_file(prediction_lines, images=4, num_classes=100)
### BEGIN HIDDEN TESTS
check.prediction_file(prediction_lines, images=11, num_classes=12, concept="twelve classes")
### END HIDDEN TESTS

# %% [markdown]
# And a **manifest**: with what this was made, so that you, or we, can make it again. The board's
# own checker looks at both, and so do you, before you send anything.

# %% home="board"
# At your desk. Scenes have no file names of their own, so they get some.
image_names = [f"val/{number:08d}.jpg" for number in range(1, len(val_labels) + 1)]
train_labels = {f"train/{number:08d}.jpg": int(k) for number, k in enumerate(labels, 1)}
answers = predict_twice(best, val_images)
run = leaderboard.write(
    "run", image_names, prediction_lines(image_names, answers), split="val", classes=12,
    data="scenes, 20 a class", labels=train_labels, net="SmallResNet",
    recipe="discriminative rates; mean over an image and its mirror image", epochs=8,
    batch_size=20, learning_rate=0.1, seed=0,
    top1=top_k(answers, val_labels, 1), top5=top_k(answers, val_labels, 5),
)  # fmt: skip
print(leaderboard.check_files(run.predictions, image_names, run.manifest))

# %% [markdown]
# ## 15 · The real thing
#
# Now photographs, on a GPU (in Colab: Runtime, Change runtime type). Get miniPlaces and decode it
# once, so that loading is a matter of memory and not of JPEG:
#
# `!autograder places fetch --into data/miniplaces`
#
# `!autograder places pack data/miniplaces/train.txt data/miniplaces/val.txt --into data/packed`
#
# The code stays yours. What changes is the size: ResNet-18 from ImageNet, 100,000 images, batches
# of 256, and a stronger augmentation. Photographs show a place from near and from far, so each
# image is cut at random, from a third of its area to all of it, and enlarged again. `affine_grid`
# says for every pixel where to look, for a whole batch at once.


# %%
def zoom(x, smallest=0.35):
    """x: (N, C, H, W): of each image a random window, as large as x again; half are mirrored."""
    count = len(x)
    area = torch.rand(count) * (1 - smallest) + smallest
    aspect = torch.empty(count).uniform_(-0.3, 0.3).exp()
    across, down = ((area * ratio).sqrt().clamp(max=1) for ratio in (aspect, 1 / aspect))
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = across, down
    theta[:, 0, 2] = torch.empty(count).uniform_(-1, 1) * (1 - across)
    theta[:, 1, 2] = torch.empty(count).uniform_(-1, 1) * (1 - down)
    grid = F.affine_grid(theta, x.shape, align_corners=False)
    return mirror(F.grid_sample(x, grid, align_corners=False), torch.rand(count) < 0.5)


# %% [markdown]
# Where the recipe comes from: rates for head and backbone of ten to one, as in the best run of the
# lectures (50.5% top-1, five epochs); warm-up, no decay for biases and batch norms: Goyal et al.
# (2017) and He et al., *Bag of tricks* (2019); smoothing: Szegedy et al. (2016); random windows:
# Szegedy et al. (2015). More pixels in the test than in training are worth another percent or two
# (Touvron et al., 2019): try `F.interpolate` in `predict`. *Nobody has measured this recipe yet*:
# beat 50.5%, and tell us.
#
# `with torch.device("cuda")` lets every new tensor of your functions be born on the GPU. When Colab
# disconnects, run all cells again: `resume` goes on after the last epoch that was finished, if your
# drive was mounted (the first cell says how).

# %% home="recipe"
# At your desk, with miniPlaces.
PACKED, EPOCHS, BATCH = here.find("packed") or Path("data/packed"), 5, 256
DRIVE = Path("/content/drive/MyDrive")  # Colab's own disk is lost with the machine
CHECKPOINT = (DRIVE if DRIVE.is_dir() else PACKED.parent) / "resnet18.pt"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
PRECISION = "bfloat16" if DEVICE == "cpu" or torch.cuda.is_bf16_supported(False) else "float16"


def train_places(net, packed):
    """Trains on packed images, from the last checkpoint on."""
    optimizer = make_optimizer(net, head_rate=0.1, backbone_rate=0.01)
    steps = len(packed) // BATCH
    schedule = make_schedule(optimizer, EPOCHS * steps, EPOCHS * steps // 10)
    for epoch in range(resume(str(CHECKPOINT), net, optimizer, schedule), EPOCHS):
        torch.manual_seed(epoch)
        order = np.random.default_rng(epoch)
        pairs = tqdm(packed.batches(BATCH, order, drop_last=True), f"epoch {epoch + 1}", steps)
        batches = ((zoom(normalize(torch.tensor(i), MEAN, STD)), torch.tensor(k)) for i, k in pairs)
        losses = train_epoch(net, optimizer, schedule, batches, PRECISION)
        save(str(CHECKPOINT), net, optimizer, schedule, epoch + 1)
        print(f"mean loss of the last steps: {np.mean(losses[-100:]):.3f}")


# %% home="miniplaces"
# At your desk, with miniPlaces and a GPU. Run all cells again before you go back to scenes: here
# MEAN and STD become those of ImageNet.
if not (PACKED / "train").exists():
    print(f"There are no packed images in {PACKED}.")
else:
    from torchvision.models import resnet18
    from tqdm.auto import tqdm

    from autograder.places import weights
    from autograder.places.packed import Packed

    train, val = Packed(PACKED / "train"), Packed(PACKED / "val")
    state = weights.pretrained("imagenet")
    with torch.device(DEVICE):
        MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        net = resnet18(num_classes=100).to(memory_format=torch.channels_last)
        backbone = {name: value for name, value in state.items() if name[:3] != "fc."}
        net.load_state_dict({**net.state_dict(), **backbone})
        train_places(net, train)
        answers = predict_twice(net, torch.tensor(val.images)).cpu()
    for k in (1, 5):
        print(f"top-{k} {top_k(answers, torch.tensor(val.labels), k):.1%}")
    Path("predictions.txt").write_text(prediction_lines(val.names, answers))
    print(leaderboard.check_files("predictions.txt", val.names))

# %% [markdown]
# ## 16 · In your own words
#
# In section 3 a frozen backbone had to be kept in eval mode. Your friend says: "my whole backbone
# is frozen and in train mode, and it works fine, the loss goes down." What happens in her net
# during training, and what will she see when she calls `predict` image by image?

# %% [markdown] essay="frozen-in-train-mode" points=3
# ### BEGIN SOLUTION
# Each batch is normalized with its own mean and variance, so the head learns from features that
# depend on which images happen to stand together in a batch; and every forward pass moves the
# running statistics, away from those that the frozen weights were trained with, although no weight
# changes. In eval mode the net uses these moved running statistics, which differ from the batch
# statistics that the head saw: it gets worse than in training, the more the smaller or less mixed
# the batches are. If predict were in train mode as well, a single image would be normalized by
# itself, and its answer would depend on what it is predicted together with.
# ### END SOLUTION

# %% [markdown]
# The lazy net of section 12 has the better validation accuracy. Say how you would find out, in
# miniPlaces, where nobody draws masks for you, whether a net has learned a shortcut; and what you
# would change in the *data* to take it away.

# %% [markdown] essay="finding-shortcuts" points=3
# ### BEGIN SOLUTION
# Look at class activation maps of many images of a class, right and wrong ones, and count where
# they point (a few hundred annotated images suffice for the pointing game); test on images from
# another source or time; cover or exchange parts (the background, a common companion) and see
# whether the answer changes; compare accuracy on images with and without the suspected companion.
# In the data: collect the class in other surroundings and the surroundings without the class, so
# that the two are no longer tied; or break the tie by augmentation, pasting objects on other
# backgrounds, cropping or erasing the companion; or weigh the rare combinations more.
# ### END SOLUTION

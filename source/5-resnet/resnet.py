# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5 · Residual networks
#
# You know what is inside of every layer; from now on PyTorch computes them for you, and faster.
# With it you build the networks that made a hundred layers trainable: **ResNet**, from 18 to 152
# layers, number for number the one that everybody uses. Then you find out what its shortcuts are
# good for, and carry a trained net back into your own NumPy.
#
# **How to work.** As before: fill in `YOUR CODE HERE`, run the check below. Cells whose first line
# is the comment *at your desk* are for you to watch and are skipped when your notebook is graded.
# You need about three hours. A GPU is used where there is one, but nothing here needs it.

# %% locked="setup"
from importlib.util import find_spec

if not (find_spec("autograder") and find_spec("torch")):  # a new machine, such as one of Colab's
    print("Installing what this course needs ...")
    # %pip install --quiet "receptive-field[torch] @ {{package}}"

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from autograder import check, here, places, show

here.report()

device = "cuda" if torch.cuda.is_available() else "cpu"

# %% [markdown]
# ## 1 · Your gates, in PyTorch
#
# In lesson 1 a gate was a pair of functions, and you called them in the right order. PyTorch keeps
# the order: while your code runs forward it notes every gate, and `backward()` walks the notes in
# reverse. Such a gate is a `torch.autograd.Function`. Its `forward` puts what the way back needs
# into `ctx`, the cache, by `ctx.save_for_backward(x, y)`; its `backward` takes it out again as
# `ctx.saved_tensors`, and multiplies the upstream gradient by the local ones:
#
# $$\frac{\partial L}{\partial x} = y\, \frac{\partial L}{\partial z}, \qquad
# \frac{\partial L}{\partial y} = x\, \frac{\partial L}{\partial z} \qquad\text{for } z = x\,y.$$
#
# **Task.** Write the gates `Multiply` and `Rectify` (that is ReLU; at exactly 0 any slope between 0
# and 1 will do). `backward` returns one gradient for each argument of `forward`.


# %% solution="gates"
class Multiply(torch.autograd.Function):
    """z = x · y, number by number."""

    @staticmethod
    def forward(ctx, x, y):
        ### BEGIN SOLUTION
        ctx.save_for_backward(x, y)
        return x * y
        ### END SOLUTION

    @staticmethod
    def backward(ctx, dz):
        ### BEGIN SOLUTION
        x, y = ctx.saved_tensors
        return y * dz, x * dz
        ### END SOLUTION


class Rectify(torch.autograd.Function):
    """max(x, 0), number by number."""

    @staticmethod
    def forward(ctx, x):
        ### BEGIN SOLUTION
        ctx.save_for_backward(x)
        return x.clamp(min=0)
        ### END SOLUTION

    @staticmethod
    def backward(ctx, dz):
        ### BEGIN SOLUTION
        (x,) = ctx.saved_tensors
        return dz * (x > 0)
        ### END SOLUTION


# %% test="multiply-gate" points=3
check.multiply_function.forward(Multiply, x=(3, 4), y=(3, 4))
check.multiply_function.backward(Multiply, "dx", x=(3, 4), y=(3, 4))
check.multiply_function.backward(Multiply, "dy", x=(3, 4), y=(3, 4))
### BEGIN HIDDEN TESTS
check.multiply_function.gradients(Multiply, x=(2, 3, 5), y=(2, 3, 5), concept="three axes")
### END HIDDEN TESTS

# %% test="rectify-gate" points=3
check.relu_function.forward(Rectify, x=(3, 5))
check.relu_function.backward(Rectify, "dx", x=(3, 5))
### BEGIN HIDDEN TESTS
check.relu_function.backward(Rectify, "dx", x=check.ties(2, 3, 4), concept="zeros among the inputs")
check.relu_function.forward(Rectify, x=check.spread(5, 8, mean=0, std=9), concept="large numbers")
### END HIDDEN TESTS

# %% [markdown]
# **Task.** And a layer: `Linear`, with PyTorch's conventions. Its $w$ is $D_{out} \times D_{in}$,
# the transpose of what you had, so that each *row* belongs to one output: $z = x\,w^\top + b$.


# %% solution="linear"
class Linear(torch.autograd.Function):
    """z = x wᵀ + b for x: (N, D_in), w: (D_out, D_in), b: (D_out,)."""

    @staticmethod
    def forward(ctx, x, w, b):
        ### BEGIN SOLUTION
        ctx.save_for_backward(x, w)
        return x @ w.T + b
        ### END SOLUTION

    @staticmethod
    def backward(ctx, dz):
        ### BEGIN SOLUTION
        x, w = ctx.saved_tensors
        return dz @ w, dz.T @ x, dz.sum(0)
        ### END SOLUTION


# %% test="linear-gate" points=4
check.linear_function.forward(Linear, x=(4, 3), w=(5, 3), b=(5,))
for gradient in ("dx", "dw", "db"):
    check.linear_function.backward(Linear, gradient, x=(4, 3), w=(5, 3), b=(5,))
### BEGIN HIDDEN TESTS
check.linear_function.gradients(Linear, x=(2, 6), w=(3, 6), b=(3,), concept="other sizes")
check.linear_function.forward(Linear, x=(3, 4), w=(4, 4), b=(4,), concept="a square w")
for gradient in ("dx", "dw"):
    check.linear_function.backward(
        Linear, gradient, x=(3, 4), w=(4, 4), b=(4,), concept="a square w"
    )
### END HIDDEN TESTS

# %% [markdown]
# PyTorch brings a numerical checker of its own. It moves every number by $10^{-6}$, so it wants
# double precision, and it does not like kinks: close to 0 your ReLU looks wrong to it, and is not.

# %%
x, w, b = (
    torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in [(4, 3), (5, 3), (5,)]
)
print("Linear agrees with its slopes:", torch.autograd.gradcheck(Linear.apply, (x, w, b)))
kink = torch.tensor([1e-8], dtype=torch.float64, requires_grad=True)
agrees = torch.autograd.gradcheck(Rectify.apply, (kink,), raise_exception=False)
print("Rectify does at 0.00000001:   ", agrees)

# %% [markdown]
# ## 2 · The residual block
#
# Stack more layers and a net should get better: the new ones could always do nothing. In practice
# 56 plain layers learned worse than 20, on the *training* images: doing nothing is hard to learn
# for layers that have to rebuild their input. He, Zhang, Ren and Sun (2016) made it the default. A
# **residual block** computes an adjustment $F(x)$ and adds it to what came in:
#
# $$y = \mathrm{ReLU}(F(x) + x)$$

# %%
show.residual_blocks(
    {
        "basic block": ["conv 3×3", "batch norm", "ReLU", "conv 3×3", "batch norm"],
        "bottleneck": ["conv 1×1", "batch norm", "ReLU", "conv 3×3", "batch norm", "ReLU",
                       "conv 1×1", "batch norm"],
    }
)  # fmt: skip

# %% [markdown]
# In the **basic block** $F$ is conv 3×3, batch norm, ReLU, conv 3×3, batch norm. Its first
# convolution may have a stride. The sum needs two equal shapes; so where the stride is not 1, or
# the number of channels changes, the **shortcut** is a 1×1 convolution with that stride and a batch
# norm, and elsewhere it is $x$ itself. No convolution has a bias, since a batch norm follows that
# would take it away.
#
# **Task.** Write `BasicBlock`. The numbers of a net are known by the names of its parts, and yours
# shall be able to load anybody's: call them `conv1`, `bn1`, `conv2`, `bn2`, and the shortcut's
# `downsample`, an `nn.Sequential` of its convolution and its batch norm. With `skip=False` the
# block has no shortcut at all; we will see what becomes of such nets.


# %% solution="basic-block"
class BasicBlock(nn.Module):
    """From (N, c_in, H, W) to (N, channels, H/stride, W/stride)."""

    expansion = 1  # channels that come out, for each of ``channels``

    def __init__(self, c_in, channels, stride=1, skip=True):
        super().__init__()
        ### BEGIN SOLUTION
        self.conv1 = nn.Conv2d(c_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.skip, self.downsample = skip, None
        if skip and (stride != 1 or c_in != channels):
            conv = nn.Conv2d(c_in, channels, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(channels))
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        h = F.relu(self.bn1(self.conv1(x)))
        h = self.bn2(self.conv2(h))
        if self.skip:
            h = h + (x if self.downsample is None else self.downsample(x))
        return F.relu(h)
        ### END SOLUTION


# %% test="basic-block-names" points=2
check.basic_block.names(BasicBlock, 4, 4)
check.basic_block.names(BasicBlock, 4, 6, stride=2)
### BEGIN HIDDEN TESTS
check.basic_block.names(BasicBlock, 3, 5, concept="other channels, no stride")
check.basic_block.names(BasicBlock, 6, 4, concept="fewer channels than before, no stride")
check.basic_block.names(BasicBlock, 5, 5, stride=2, concept="a stride, as many channels")
check.basic_block.names(BasicBlock, 3, 6, stride=2, skip=False, concept="no shortcut")
### END HIDDEN TESTS

# %% [markdown]
# The next checks load random numbers into your block and compare what it computes, in both modes of
# batch norm, and the gradients that autograd finds through it. They do so in double precision, so
# let a net keep the dtype of its input.

# %% test="basic-block-forward" points=4
check.basic_block.forward(BasicBlock, 4, 4, x=(2, 4, 6, 7), training=False)
check.basic_block.forward(BasicBlock, 4, 6, stride=2, x=(2, 4, 6, 7), training=True)
### BEGIN HIDDEN TESTS
check.basic_block.forward(BasicBlock, 3, 5, x=(3, 3, 5, 8), training=True, concept="no stride")
check.basic_block.forward(
    BasicBlock, 5, 5, stride=3, x=(2, 5, 8, 11), training=False, concept="another stride"
)
check.basic_block.forward(
    BasicBlock, 3, 4, stride=2, skip=False, x=(3, 3, 5, 8), training=True, concept="no shortcut"
)
### END HIDDEN TESTS

# %% test="basic-block-gradients" points=2
check.basic_block.gradients(BasicBlock, 4, 6, stride=2, x=(2, 4, 6, 7))
### BEGIN HIDDEN TESTS
check.basic_block.gradients(BasicBlock, 3, 3, x=(2, 3, 4, 5), concept="nothing on the shortcut")
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · The bottleneck
#
# With 256 channels a 3×3 convolution has 589,824 weights. The deep nets put the 3×3 where there are
# fewer channels: a 1×1 convolution reduces them, and another brings four times as many back.
#
# $$256 \xrightarrow{\;1\times1\;} 64 \xrightarrow{\;3\times3\;} 64 \xrightarrow{\;1\times1\;} 256$$
#
# **Task.** Write `Bottleneck`: three convolutions with a batch norm each, ReLU after the first two,
# then the sum and the last ReLU. `channels` is the number in the middle; `4 * channels` come out.
# The stride is on the **3×3** convolution. (The paper had it on the first 1×1, which then never
# looks at three of four pixels. Today's nets, torchvision's among them, moved it.) Names as before,
# with `conv3` and `bn3`.


# %% solution="bottleneck"
class Bottleneck(nn.Module):
    """From (N, c_in, H, W) to (N, 4 * channels, H/stride, W/stride)."""

    expansion = 4

    def __init__(self, c_in, channels, stride=1):
        super().__init__()
        ### BEGIN SOLUTION
        c_out = self.expansion * channels
        self.conv1 = nn.Conv2d(c_in, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = None
        if stride != 1 or c_in != c_out:
            conv = nn.Conv2d(c_in, c_out, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(c_out))
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        h = F.relu(self.bn1(self.conv1(x)))
        h = F.relu(self.bn2(self.conv2(h)))
        h = self.bn3(self.conv3(h))
        return F.relu(h + (x if self.downsample is None else self.downsample(x)))
        ### END SOLUTION


# %% test="bottleneck-names" points=2
check.bottleneck.names(Bottleneck, 16, 4)
check.bottleneck.names(Bottleneck, 6, 3, stride=2)
### BEGIN HIDDEN TESTS
check.bottleneck.names(Bottleneck, 8, 2, stride=2, concept="a stride, as many channels")
check.bottleneck.names(Bottleneck, 5, 5, concept="other channels come out than go in")
check.bottleneck.names(Bottleneck, 24, 5, concept="fewer channels come out than go in")
### END HIDDEN TESTS

# %% test="bottleneck-forward" points=4
check.bottleneck.forward(Bottleneck, 12, 3, x=(2, 12, 6, 7), training=True)
check.bottleneck.forward(Bottleneck, 6, 3, stride=2, x=(2, 6, 6, 7), training=False)
### BEGIN HIDDEN TESTS
check.bottleneck.forward(
    Bottleneck, 5, 2, stride=2, x=(3, 5, 7, 10), training=True, concept="a stride that does not fit"
)
check.bottleneck.forward(Bottleneck, 4, 2, x=(2, 4, 5, 6), training=False, concept="no stride")
check.bottleneck.gradients(Bottleneck, 8, 2, x=(2, 8, 4, 5), concept="gradients")
### END HIDDEN TESTS

# %% [markdown]
# ## 4 · ResNet
#
# | | output | 18 | 34 | 50 | 101 | 152 |
# |---|---|---|---|---|---|---|
# | `conv1`, `bn1`, ReLU | 112×112 | 7×7, 64 channels, stride 2, padding 3 | | | | |
# | max pooling | 56×56 | 3×3, stride 2, padding 1 | | | | |
# | `layer1`, 64 | 56×56 | 2 basic blocks | 3 | 3 bottlenecks | 3 | 3 |
# | `layer2`, 128 | 28×28 | 2 | 4 | 4 | 4 | 8 |
# | `layer3`, 256 | 14×14 | 2 | 6 | 6 | 23 | 36 |
# | `layer4`, 512 | 7×7 | 2 | 3 | 3 | 3 | 3 |
# | mean of each map, `fc` | 1×1 | 1000 scores | | | | |
#
# The output sizes are for images of 224×224. In layers 2, 3 and 4 the *first* block has stride 2;
# as the maps shrink, the channels double. (152 = 1 + 3·(3 + 8 + 36 + 3) + 1: what is counted are
# the convolutions on the main road, and `fc`.) At the end each map becomes one number, its mean, so
# the same net takes images of other sizes.
#
# **Task.** Write `ResNet` for all five depths. `width` is the number of channels after `conv1`, 64
# in the table; with 4 it is a toy of the same shape. Each layer is an `nn.Sequential` of blocks, so
# names such as `layer2.0.downsample.0.weight` come by themselves. No softmax at the end.


# %% solution="resnet"
LAYERS = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
    152: (Bottleneck, (3, 8, 36, 3)),
}


class ResNet(nn.Module):
    """From images (N, 3, H, W) to scores (N, num_classes)."""

    def __init__(self, depth, num_classes=1000, width=64):
        super().__init__()
        ### BEGIN SOLUTION
        block, counts = LAYERS[depth]
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        layers, c_in = [], width
        for number, count in enumerate(counts):
            channels, blocks = width * 2**number, []
            for place in range(count):
                blocks.append(block(c_in, channels, stride=2 if number > 0 == place else 1))
                c_in = block.expansion * channels
            layers.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = layers
        self.fc = nn.Linear(c_in, num_classes)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        h = F.relu(self.bn1(self.conv1(x)))
        h = F.max_pool2d(h, 3, stride=2, padding=1)
        h = self.layer4(self.layer3(self.layer2(self.layer1(h))))
        return self.fc(h.mean(dim=(2, 3)))
        ### END SOLUTION


# %% test="resnet-names" points=4
check.resnet.names(ResNet, 18, num_classes=1000)  # of 122 tensors every name and every shape
check.resnet.names(ResNet, 50, num_classes=10, width=8)
### BEGIN HIDDEN TESTS
for depth in (34, 101, 152):
    check.resnet.names(ResNet, depth, num_classes=7, width=4, concept="the other depths")
### END HIDDEN TESTS

# %% test="resnet-forward" points=5
check.resnet.forward(ResNet, 18, num_classes=5, width=4, x=(2, 3, 64, 72), training=False)
check.resnet.forward(ResNet, 50, num_classes=5, width=2, x=(2, 3, 64, 72), training=True)
### BEGIN HIDDEN TESTS
for depth in (34, 101):
    check.resnet.forward(
        ResNet, depth, num_classes=6, width=2, x=(2, 3, 75, 58), training=False,
        concept="the other depths, images of another size",
    )  # fmt: skip
check.resnet.forward(
    ResNet, 152, num_classes=3, width=2, x=(3, 3, 40, 33), training=True, concept="152 layers"
)
### END HIDDEN TESTS

# %% test="resnet-gradients" points=2
check.resnet.gradients(ResNet, 18, num_classes=5, width=2, x=(2, 3, 40, 33))
### BEGIN HIDDEN TESTS
check.resnet.gradients(
    ResNet, 50, num_classes=4, width=2, x=(2, 3, 33, 40), concept="through bottlenecks"
)
### END HIDDEN TESTS

# %% [markdown]
# If these pass, your net *is* the one that others trained: `torch.hub` or torchvision give its
# weights, and `load_state_dict` takes them as they are.
#
# ## 5 · What it costs
#
# **Task.** Write `cost`: the number of parameters of a net, and its multiply-adds for one image.
# For the second, let the net say it while it runs: a **forward hook**, put on a layer by
# `layer.register_forward_hook(hook)`, is called as `hook(layer, inputs, output)`. Every weight of a
# convolution works once at each position of the output; every weight of an `nn.Linear` once.
# Biases, batch norm and pooling are not counted. The hooks must be gone in the end (`.remove()`)
# and the net as it was: run it in eval mode, so that its running statistics stay, and set its mode
# (`net.training`) back.


# %% solution="cost"
def cost(net, image_shape):
    """(parameters, multiply-adds) for one image of shape (C, H, W)."""
    ### BEGIN SOLUTION
    products = []

    def count(layer, inputs, out):
        products.append(layer.weight.numel() * out[0, 0].numel())

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    training = net.training
    with torch.no_grad():
        net.eval()(torch.zeros(1, *image_shape, device=next(net.parameters()).device))
    net.train(training)
    for hook in hooks:
        hook.remove()
    return sum(p.numel() for p in net.parameters()), sum(products)
    ### END SOLUTION


# %% test="cost-count" points=4
def cost_of_a_block(c_in, channels, stride):
    return cost(BasicBlock(c_in, channels, stride), (c_in, 8, 6))


def cost_of_resnet(depth):
    return cost(ResNet(depth), (3, 224, 224))


hint = "A weight of a convolution is used once for each pixel of its output, the shortcut's too."
check.that(cost_of_a_block, 3, 4, 2).returns((288, 3168), hint=hint)
check.that(cost_of_resnet, 18).returns((11_689_512, 1_814_073_344), hint="Is fc counted?")
### BEGIN HIDDEN TESTS
check.that(cost_of_a_block, 4, 4, 1).returns((304, 13_824), concept="a block without a stride")
check.that(cost_of_resnet, 50).returns((25_557_032, 4_089_184_256), concept="another depth")


def what_cost_leaves():
    net = BasicBlock(3, 4, 2)
    twice = [cost(net, (3, 8, 6))[1] for _ in range(2)]
    hooks = len(net.conv1._forward_hooks)
    return *twice, int(net.training), int(net.bn1.num_batches_tracked), hooks


check.that(what_cost_leaves).returns((3168, 3168, 1, 0, 0), concept="the net is as it was")
### END HIDDEN TESTS

# %% [markdown]
# Now fill in the last row of the paper's table. On the device called `meta`, tensors have a shape
# and no numbers: no memory, no work, and the same hooks.

# %%
published = {18: 1.8, 34: 3.6, 50: 3.8, 101: 7.6, 152: 11.3}


def as_published(net):
    """The stride of every bottleneck back on its first 1×1 convolution."""
    for block in net.modules():
        if isinstance(block, Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return net


for depth, flops in published.items():
    with torch.device("meta"):
        (parameters, ours), (_, theirs) = (
            cost(net, (3, 224, 224)) for net in (ResNet(depth), as_published(ResNet(depth)))
        )
    print(f"{depth:4} {parameters:11,} parameters  {ours / 1e9:5.2f}·10⁹ multiply-adds", end="  ")
    print(f"as published {theirs / 1e9:5.2f}·10⁹, and the paper says {flops}")

# %% [markdown]
# Fifty layers cost hardly more than thirty-four: that is the bottleneck's doing.
#
# ## 6 · Training, with PyTorch
#
# **Task.** Write `train`, one step of SGD for each batch, and `accuracy`. Remember what lesson 3
# taught: a net with batch norm has two modes, and each of these functions needs another one; both
# set it themselves. Two things are new. Gradients in PyTorch *add up* until somebody clears them
# (`optimizer.zero_grad()`), and where no gradient is wanted, `torch.no_grad()` saves the notes.


# %% solution="train"
def train(net, batches, learning_rate, momentum=0.9):
    """One step for each (x, y) of batches. Returns the losses, each from before its step."""
    ### BEGIN SOLUTION
    optimizer = torch.optim.SGD(net.parameters(), lr=learning_rate, momentum=momentum)
    losses = []
    net.train()
    for x, y in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    ### END SOLUTION


def accuracy(net, x, y):
    """The share of images whose largest score is that of the right class, from 0 to 1."""
    ### BEGIN SOLUTION
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(dim=1) == y).float().mean().item()
    ### END SOLUTION


# %% test="train-steps" points=4
check.net_training(train, ResNet, learning_rate=0.02, momentum=0.8)
### BEGIN HIDDEN TESTS
check.net_training(train, ResNet, learning_rate=0.01, momentum=0.5, concept="other rates")
### END HIDDEN TESTS

# %% test="accuracy-mode" points=3
check.net_accuracy(accuracy, ResNet)

# %% [markdown]
# A ResNet-18 of width 16 on the digits of lesson 4, on the GPU if there is one, and what the
# filters of `conv1` look like before (top) and after (each with a scale of its own). Trained on a
# million photographs they become edges of all directions, and colours; here, strokes and edges of
# strokes.

# %% home="digits"
# At your desk.
digits = places.digits()
x_train, x_test = (
    torch.tensor(x).expand(-1, 3, -1, -1).to(device) for x in (digits.x_train, digits.x_test)
)
y_train, y_test = (torch.tensor(y).to(device) for y in (digits.y_train, digits.y_test))


def batches_of(x, y, size, epochs):
    for _ in range(epochs):
        for batch in torch.randperm(len(x), device=x.device).split(size):
            yield x[batch], y[batch]


torch.manual_seed(0)
net = ResNet(18, num_classes=10, width=16).to(device)
before = net.conv1.weight.detach().sum(1).cpu()
losses = train(net, batches_of(x_train, y_train, 32, epochs=6), learning_rate=0.05)
print(f"test accuracy {accuracy(net, x_test, y_test):.1%}")
after = net.conv1.weight.detach().sum(1).cpu()
show.tiles(torch.cat([before, after]), columns=16, alike=False)

# %% [markdown]
# About nine in ten, and LeNet had more: a net that halves its maps five times leaves one pixel of
# 28×28. Enlarge the digits (`F.interpolate(x, scale_factor=2)`), and it gets 98%.
#
# ## 7 · Where the gradient goes
#
# By the chain rule the gradient of an early layer is a product with a factor for each layer behind
# it. Of many factors below 1 nothing is left (it **vanishes**), with many above 1 it **explodes**.
# Past a block with a shortcut, there is a second way back that multiplies nothing:
#
# $$\frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\Bigl(\frac{\partial F}{\partial x}
# + 1\Bigr)$$
#
# (up to the last ReLU). **Task.** Write `gradient_norms`: the norm of the gradient of the mean
# cross-entropy for the weight of each convolution, in the order of the net's parameters. What the
# net remembers of earlier calls must not count.


# %% solution="gradient-norms"
def gradient_norms(net, x, y):
    """A list: for each parameter with four axes, the root of the sum of its squared gradient."""
    ### BEGIN SOLUTION
    net.zero_grad()
    F.cross_entropy(net(x), y).backward()
    return [p.grad.norm().item() for p in net.parameters() if p.ndim == 4]
    ### END SOLUTION


# %% test="gradient-norms-all" points=4
check.gradient_norms(gradient_norms, ResNet)

# %% [markdown]
# The nets for small images in the paper: one convolution, three layers of $n$ basic blocks, `fc`,
# which makes $6n + 2$ layers. Here they are with and without shortcuts, and once with every batch
# norm taken out.


# %%
class SmallNet(nn.Module):
    """From images (N, 1, H, W) to 10 scores, with 6n + 2 layers."""

    def __init__(self, depth, skip=True, norm=True, width=8):
        super().__init__()
        self.conv1, c_in, blocks = nn.Conv2d(1, width, 3, padding=1, bias=False), width, []
        for number in range(3):
            for place in range((depth - 2) // 6):
                stride = 2 if number > 0 == place else 1
                blocks.append(BasicBlock(c_in, width * 2**number, stride, skip))
                c_in = width * 2**number
        self.blocks, self.fc = nn.Sequential(*blocks), nn.Linear(c_in, 10)
        if not norm:
            for module in [*self.modules()]:
                for name, part in module.named_children():
                    if isinstance(part, nn.BatchNorm2d):
                        setattr(module, name, nn.Identity())

    def forward(self, x):
        return self.fc(self.blocks(F.relu(self.conv1(x))).mean(dim=(2, 3)))


# %% home="norms"
# At your desk.
x_small, y_small = F.avg_pool2d(torch.tensor(digits.x_train), 2), torch.tensor(digits.y_train)
panels = {}
for norm in (False, True):
    lines = panels["with batch norm" if norm else "without batch norm"] = {}
    for skip in (True, False):
        for depth in (20, 56, 110):
            torch.manual_seed(0)
            name = f"{depth} layers, {'with' if skip else 'no'} shortcuts"
            net = SmallNet(depth, skip, norm)
            lines[name] = gradient_norms(net, x_small[::30], y_small[::30])
show.gradient_norms(panels)

# %% [markdown]
# Without batch norm and shortcuts the gradient of 20 layers is a hundred-millionth, and from 56 on
# it is 0: single precision has no smaller numbers. Batch norm alone turns that around: the gradient
# *grows* with every layer on its way back, and after 110 it is a million times what it was. With
# shortcuts the early layers hear neither nothing nor shouting.
#
# ## 8 · The landscape
#
# What does the loss look like around the weights that training found? Take two random directions,
# go a little along both, and compute it. But the scale of a weight means little where batch norm
# follows: doubled, it changes nothing. So Li et al. (2018) measure steps in the size of the
# weights: each **filter** of the direction is scaled to the length of the weight's filter.
#
# **Task.** Write `filter_normalized`. A filter is `weight[f]`, all that makes output channel $f$
# (or row $f$ of a linear layer). For vectors, such as biases, the direction is 0.


# %% solution="filter-normalized"
def filter_normalized(direction, weight):
    """A tensor like both: direction, with each filter as long as the weight's."""
    ### BEGIN SOLUTION
    if weight.ndim < 2:
        return torch.zeros_like(direction)
    given, own = (part.flatten(1).norm(dim=1) for part in (weight, direction))
    return direction * (given / own).reshape(-1, *[1] * (weight.ndim - 1))
    ### END SOLUTION


# %% test="filter-normalized-length" points=3
check.filter_normalized(filter_normalized, direction=(4, 3, 3, 2), weight=(4, 3, 3, 2))
check.filter_normalized(filter_normalized, direction=(5,), weight=(5,))
### BEGIN HIDDEN TESTS
check.filter_normalized(
    filter_normalized, direction=(3, 6), weight=(3, 6), concept="a linear layer"
)
### END HIDDEN TESTS


# %% home="landscape"
# At your desk. About half a minute.
def loss_surface(net, x, y, steps, reach=1.0):
    weights = {name: p.detach() for name, p in net.named_parameters()}
    generator = torch.Generator().manual_seed(1)
    right, up = (
        {n: filter_normalized(torch.randn(w.shape, generator=generator), w)
         for n, w in weights.items()} for _ in range(2)
    )  # fmt: skip
    surface = np.zeros((steps, steps))
    for (i, j), _ in np.ndenumerate(surface):
        a, b = reach * (2 * np.array([i, j]) / (steps - 1) - 1)
        moved = {n: w + a * up[n] + b * right[n] for n, w in weights.items()}
        with torch.no_grad():
            surface[i, j] = F.cross_entropy(torch.func.functional_call(net, moved, (x,)), y)
    return surface


surfaces = {}
for skip in (True, False):
    torch.manual_seed(0)
    net = SmallNet(32, skip)
    losses = train(net, batches_of(x_small[:1024], y_small[:1024], 64, epochs=3), 0.05)
    name = f"32 layers, {'with' if skip else 'no'} shortcuts"
    surfaces[name] = loss_surface(net, x_small[:100], y_small[:100], steps=11)
show.loss_surfaces(surfaces)

# %% [markdown]
# (The heights are logarithmic.) Same data, same steps: with shortcuts the net lies at the bottom of
# a smooth bowl; without, it is still up on a plateau.
#
# ## 9 · Fewer weights, wider views
#
# Two more arguments of `nn.Conv2d`. With `groups=g` the channels are cut into $g$ groups that see
# nothing of each other: of the lecture's 64 → 32 channels in 4 groups, each filter has 16 input
# channels. With `dilation=d` the taps of a filter stand $d$ pixels apart, and it sees
# $d\,(K - 1) + 1$ pixels with the same $K$ weights a side.
#
# **Task.** Write `same_conv`, a layer that keeps height and width, for odd $K$. And
# `receptive_field`: autograd knows which pixels an output depends on. Send any image through, go
# back from the output in the middle (all its channels), and see how wide the pixels lie whose
# gradient is not 0.


# %% solution="same-conv"
def same_conv(c_in, c_out, kernel_size, dilation=1, groups=1):
    """An nn.Conv2d with a bias, from (N, c_in, H, W) to (N, c_out, H, W)."""
    ### BEGIN SOLUTION
    padding = dilation * (kernel_size - 1) // 2
    return nn.Conv2d(c_in, c_out, kernel_size, 1, padding, dilation, groups)
    ### END SOLUTION


def receptive_field(net, c_in, size):
    """How many columns of a (c_in, size, size) image the output's middle pixel depends on."""
    ### BEGIN SOLUTION
    x = torch.randn(1, c_in, size, size, requires_grad=True)
    out = net(x)
    out[0, :, out.shape[2] // 2, out.shape[3] // 2].sum().backward()
    columns = x.grad[0].abs().sum(dim=(0, 1)).nonzero()
    return int(columns.max() - columns.min()) + 1
    ### END SOLUTION


# %% test="same-conv-size" points=3
check.same_conv.names(same_conv, 64, 32, 3, groups=4)  # the lecture's: 32 × 16 × 3 × 3 weights
check.same_conv.forward(same_conv, 4, 6, 3, dilation=2, groups=2, x=(2, 4, 9, 8), training=False)
### BEGIN HIDDEN TESTS
check.same_conv.forward(
    same_conv, 3, 6, 5, dilation=2, groups=3, x=(2, 3, 7, 9), training=False,
    concept="a larger filter, further apart",
)  # fmt: skip
check.same_conv.forward(same_conv, 2, 3, 1, x=(1, 2, 4, 5), training=False, concept="1×1")
### END HIDDEN TESTS


# %% test="receptive-field" points=3
def field_of_a_convolution(kernel_size, dilation):
    return receptive_field(same_conv(2, 3, kernel_size, dilation=dilation), 2, 41)


check.that(field_of_a_convolution, 3, 1).returns(3, hint="A 3×3 filter sees three columns.")
check.that(field_of_a_convolution, 3, 4).returns(9, hint="d·(K − 1) + 1 columns, gaps included.")
### BEGIN HIDDEN TESTS
check.that(field_of_a_convolution, 7, 3).returns(19, concept="a larger filter")
check.that(field_of_a_convolution, 1, 1).returns(1, concept="1×1")


def field_of_all_columns(kernel_size):
    return receptive_field(same_conv(2, 3, kernel_size), 2, kernel_size)


check.that(field_of_all_columns, 7).returns(7, concept="an image no wider than the field")
### END HIDDEN TESTS

# %% [markdown]
# Your ResNet-18's middle pixel, layer by layer: how strongly it depends on each pixel of a 225×225
# image, mean over 8 nets. What it *could* see (the frame) grows faster than what it looks at.

# %% home="fields"
# At your desk.
maps = np.zeros((3, 225, 225))
for seed in range(8):
    torch.manual_seed(seed)
    x, net = torch.randn(1, 3, 225, 225, requires_grad=True), ResNet(18, width=8).eval()
    h = F.max_pool2d(F.relu(net.bn1(net.conv1(x))), 3, stride=2, padding=1)
    for number, layer in enumerate((net.layer1, net.layer2, net.layer3)):
        h = layer(h)
        out = h[0, :, h.shape[2] // 2, h.shape[3] // 2].sum()
        (gradient,) = torch.autograd.grad(out, x, retain_graph=True)
        maps[number] += gradient[0].abs().sum(dim=0).numpy()
show.fields({f"layer {number + 1}": map_ for number, map_ in enumerate(maps)})

# %% [markdown]
# ## 10 · And back to NumPy
#
# Weights are only numbers. If PyTorch's layers and yours compute the same, a net trained there must
# answer the same here, to the last digits. **Task.** Paste the forward passes that you wrote, with
# all that they call. (Loops are allowed, but ResNet has 20 convolutions.)


# %% solution="own-layers"
def conv_forward(x, w, b, stride=1, padding=0):
    """x: (N, C_in, H, W), w: (C_out, C_in, K, K), b: (C_out,). Returns out and a cache."""
    ### BEGIN SOLUTION
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    patches = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    patches = patches[:, :, ::stride, ::stride]
    out = np.tensordot(patches, w, axes=((1, 4, 5), (1, 2, 3))) + b
    return out.transpose(0, 3, 1, 2), None
    ### END SOLUTION


def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    """x: (N, C, H, W), all else (C,). Returns out and a cache; only test mode is needed."""
    ### BEGIN SOLUTION
    scale = gamma / np.sqrt(running_var + eps)
    return (x - running_mean[:, None, None]) * scale[:, None, None] + beta[:, None, None], None
    ### END SOLUTION


def max_pool_forward(x, kernel_size, stride):
    """x: (N, C, H, W). Returns out: (N, C, H', W') and a cache."""
    ### BEGIN SOLUTION
    window = (kernel_size, kernel_size)
    patches = np.lib.stride_tricks.sliding_window_view(x, window, axis=(2, 3))
    return patches[:, :, ::stride, ::stride].max(axis=(4, 5)), None
    ### END SOLUTION


# %% test="own-layers-forward" points=1
check.conv2d.forward(
    conv_forward, x=(2, 3, 7, 6), w=(4, 3, 3, 3), b=(4,), stride=2, padding=1,
)  # fmt: skip
check.max_pool.forward(max_pool_forward, x=(2, 3, 7, 9), kernel_size=3, stride=2)
check.spatial_batch_norm.forward(
    spatial_batch_norm_forward, x=(2, 3, 4, 5), gamma=(3,), beta=(3,), running_mean=(3,),
    running_var=check.positive(3), training=False, eps=0.1,
)  # fmt: skip

# %% [markdown]
# Where PyTorch's conventions and yours part:
#
# | | yours | PyTorch's |
# |---|---|---|
# | convolution | $w$: $C_{out} \times C_{in} \times K \times K$ | as yours; often no $b$ |
# | fully connected | $w$: $D_{in} \times D_{out}$ | $D_{out} \times D_{in}$ |
# | batch norm | `gamma`, `beta`; `momentum=0.01` | `weight`, `bias`; `momentum=0.1` |
# | | `running_var` of variances with $1/m$ | with $1/(m - 1)$; normalizes with $1/m$ |
# | max pooling | no padding | pads with $-\infty$ |
#
# **Task.** Write `torch_running_var`: what PyTorch's running variance is after one training step on
# `x`. (Everywhere else, $m$ is so large that nobody sees the difference. Here it is small.)


# %% solution="torch-running-var"
def torch_running_var(running_var, x, momentum=0.1):
    """running_var: (C,), the one before the step. x: (N, C, H, W). Returns the new one."""
    ### BEGIN SOLUTION
    return (1 - momentum) * running_var + momentum * x.var(axis=(0, 2, 3), ddof=1)
    ### END SOLUTION


# %% test="torch-running-var-step" points=3
check.torch_running_var.forward(
    torch_running_var, running_var=check.positive(4), x=(2, 4, 3, 2), momentum=0.3
)
### BEGIN HIDDEN TESTS
check.torch_running_var.forward(
    torch_running_var, running_var=check.positive(3), x=check.spread(3, 3, 1, 2, mean=2, std=3),
    concept="other sizes, the default momentum",
)  # fmt: skip
### END HIDDEN TESTS

# %% [markdown]
# **Task.** Write `numpy_resnet18`: the scores of your ResNet-18 in eval mode, without PyTorch.
# `state` is its state dict with arrays for tensors. (Think before you pad for the max pooling: what
# stands in front of it makes $-\infty$ and 0 the same.)


# %% solution="numpy-resnet"
def numpy_resnet18(state, x):
    """state: arrays by name, x: (N, 3, H, W). Returns scores: (N, classes)."""

    ### BEGIN SOLUTION
    def conv_norm(conv, norm, x, stride=1):
        w = state[f"{conv}.weight"]
        out, _ = conv_forward(x, w, np.zeros(len(w)), stride, padding=w.shape[2] // 2)
        numbers = ("weight", "bias", "running_mean", "running_var")
        numbers = [state[f"{norm}.{name}"] for name in numbers]
        return spatial_batch_norm_forward(out, *numbers, training=False)[0]

    h = np.maximum(conv_norm("conv1", "bn1", x, stride=2), 0)
    h, _ = max_pool_forward(np.pad(h, ((0, 0), (0, 0), (1, 1), (1, 1))), 3, 2)
    for layer, place in np.ndindex(4, 2):
        name, stride = f"layer{layer + 1}.{place}", 2 if layer > 0 == place else 1
        branch = np.maximum(conv_norm(f"{name}.conv1", f"{name}.bn1", h, stride), 0)
        branch = conv_norm(f"{name}.conv2", f"{name}.bn2", branch)
        if f"{name}.downsample.0.weight" in state:
            h = conv_norm(f"{name}.downsample.0", f"{name}.downsample.1", h, stride)
        h = np.maximum(branch + h, 0)
    return h.mean(axis=(2, 3)) @ state["fc.weight"].T + state["fc.bias"]
    ### END SOLUTION


# %% test="numpy-resnet-scores" points=6
check.numpy_resnet(numpy_resnet18, x=(2, 3, 40, 33), num_classes=5, width=4)
### BEGIN HIDDEN TESTS
check.numpy_resnet(numpy_resnet18, x=(1, 3, 64, 48), num_classes=3, width=3, concept="other sizes")
### END HIDDEN TESTS

# %%
net, x = ResNet(18, num_classes=5, width=8).eval(), torch.randn(2, 3, 64, 64)
with torch.no_grad():
    theirs = net(x).numpy()
yours = numpy_resnet18({name: part.numpy() for name, part in net.state_dict().items()}, x.numpy())
print("PyTorch", theirs[0], "\nyou    ", yours[0])

# %% [markdown]
# ## 11 · In your own words
#
# Someone writes `x = F.relu(x, inplace=True)` as the first line of a block's `forward`, to save
# memory, and the net gets worse. In the second block of a layer it would change nothing. Explain
# both.

# %% [markdown] essay="in-place" points=3
# ### BEGIN SOLUTION
# The shortcut carries the same tensor: after the in-place ReLU it is max(x, 0) that is added, and
# what was negative in x is lost, to the shortcut as well as to the caller, whose tensor was
# changed. Behind another block x comes out of that block's last ReLU and has no negative numbers,
# so the ReLU does nothing.
# ### END SOLUTION

# %% [markdown]
# With all weights of the last batch norm of every block at 0 (`nn.init.zeros_(block.bn2.weight)`),
# what does a block compute at first, what does the gradient do, and why is that a good start for a
# net of 152 layers?

# %% [markdown] essay="zero-gamma" points=3
# ### BEGIN SOLUTION
# The branch gives 0 (its beta starts at 0, too), so the block is ReLU(x), which behind another
# block is x itself: the net starts as a shallow one. The gradient comes back through the shortcuts
# alone, unchanged, whatever the depth. In the branch at first only gamma and beta of that batch
# norm get one; as soon as gamma is not 0 the rest learns as well. Each block grows from doing
# nothing to an adjustment.
# ### END SOLUTION

# %% [markdown]
# ## What you have built
#
# The five ResNets of the paper, with names and numbers that fit everybody else's; a counter for
# what they cost; the two measurements that say why shortcuts matter; and the proof that nothing in
# PyTorch is beyond your own code.

# %%
sizes = [("image", (3, 224, 224)), ("conv1", (64, 112, 112)), ("layer1", (64, 56, 56))]
sizes += [("layer2", (128, 28, 28)), ("layer3", (256, 14, 14)), ("layer4", (512, 7, 7))]
show.network([*sizes, ("mean", (512,)), ("fc", (1000,))])

# %% [markdown]
# Next, a net like this one learns to tell a hundred kinds of places apart, and others compete with
# you. To read on: He et al., *Deep residual learning for image recognition* (arXiv:1512.03385) and
# *Identity mappings in deep residual networks* (arXiv:1603.05027); Li et al., *Visualizing the loss
# landscape of neural nets* (arXiv:1712.09913).

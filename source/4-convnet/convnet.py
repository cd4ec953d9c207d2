# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4 · A convolutional network
#
# You have written every layer that a convolutional network needs. Now put them together:
# **LeNet-5**, the net that read the digits on American cheques in the nineties. You count what it
# costs, give it its first weights, send images forward and gradients back, and train it on real
# handwriting, on your own processor, with nothing but your own code.
#
# **How to work.** As before: fill in `YOUR CODE HERE`, run the check below. Cells whose first line
# is the comment *at your desk* train the real net; they are for you to watch and are skipped when
# your notebook is graded. You need about three hours and no GPU.

# %% locked="setup"
from importlib.util import find_spec

if find_spec("autograder") is None:  # a new machine, such as one of Colab's
    print("Installing what this course needs ...")
    # %pip install --quiet "receptive-field @ {{package}}"

import numpy as np
from tqdm.auto import tqdm

from autograder import check, here, places, show

here.report()

# %% [markdown]
# ## 1 · The recipe
#
# The classic architecture is [Conv, ReLU, Pool] × N, flatten, [FC, ReLU] × N, FC. Convolutions find
# patterns, pooling makes the maps smaller, and at the end fully-connected layers weigh what was
# found. Here is LeNet-5, as in the lecture, for images of 1 × 28 × 28. (The net of 1998 had 6, 16
# and 120 channels, averaged where this one takes the max, and squashed where this one has ReLU. The
# order of the layers is the same.)

# %%
LENET = {
    "conv1": ("conv", 20, 5, 2, 1),
    "relu1": ("relu",),
    "pool1": ("pool", 2, 2),
    "conv2": ("conv", 50, 5, 2, 1),
    "relu2": ("relu",),
    "pool2": ("pool", 2, 2),
    "flatten": ("flatten",),
    "fc1": ("linear", 500),
    "relu3": ("relu",),
    "fc2": ("linear", 10),
}

# %% [markdown]
# Each layer is a tuple: `("conv", C_out, K, P, S)`, `("pool", K, S)`, `("linear", D_out)`, or only
# its kind. The lecture has a table of what comes out of each, and of its weights. Compute it.
#
# **Task.** Write `output_shape` and `weight_shape`. A shape is that of one image's data:
# `(C, H, W)` or `(D,)`. Where a window does not fit, round down.


# %% solution="shapes"
def output_shape(layer, shape):
    """The shape of what comes out of ``layer`` when data of this ``shape`` go in."""
    ### BEGIN SOLUTION
    match layer:
        case ("conv", c_out, k, p, s):
            return (c_out, *((size + 2 * p - k) // s + 1 for size in shape[1:]))
        case ("pool", k, s):
            return (shape[0], *((size - k) // s + 1 for size in shape[1:]))
        case ("flatten",):
            return (int(np.prod(shape)),)
        case ("linear", d_out):
            return (d_out,)
    return shape
    ### END SOLUTION


def weight_shape(layer, shape):
    """The shape of its weights: (C_out, C_in, K, K) or (D_in, D_out); () if it has none."""
    ### BEGIN SOLUTION
    match layer:
        case ("conv", c_out, k, _, _):
            return (c_out, shape[0], k, k)
        case ("linear", d_out):
            return (shape[0], d_out)
    return ()
    ### END SOLUTION


# %% test="output-shape" points=3
check.that(output_shape, ("conv", 20, 5, 2, 1), (1, 28, 28)).returns(
    (20, 28, 28), hint="P = (K − 1) / 2 keeps height and width; C_out channels come out."
)
check.that(output_shape, ("pool", 2, 2), (50, 14, 14)).returns(
    (50, 7, 7), hint="Pooling halves height and width and keeps the channels."
)
check.that(output_shape, ("flatten",), (50, 7, 7)).returns(
    (2450,), hint="All the numbers in a row."
)
check.that(output_shape, ("linear", 500), (2450,)).returns((500,))
check.that(output_shape, ("relu",), (20, 28, 28)).returns((20, 28, 28))
### BEGIN HIDDEN TESTS
check.that(output_shape, ("conv", 7, 3, 0, 2), (3, 9, 14)).returns(
    (7, 4, 6), concept="a stride that does not fit, H ≠ W"
)
check.that(output_shape, ("conv", 7, 3, 0, 2), (3, 14, 9)).returns(
    (7, 6, 4), concept="a stride that does not fit, H ≠ W"
)
check.that(output_shape, ("pool", 3, 2), (5, 13, 8)).returns(
    (5, 6, 3), concept="overlapping windows that do not fit"
)
check.that(output_shape, ("relu",), (84,)).returns((84,), concept="a ReLU after a linear layer")
### END HIDDEN TESTS

# %% test="weight-shape" points=2
check.that(weight_shape, ("conv", 50, 5, 2, 1), (20, 14, 14)).returns(
    (50, 20, 5, 5), hint="Each of the C_out filters is as deep as the input."
)
check.that(weight_shape, ("linear", 500), (2450,)).returns(
    (2450, 500), hint="x @ w with x (N, D_in): the input comes first."
)
check.that(weight_shape, ("pool", 2, 2), (20, 28, 28)).returns((), hint="Pooling learns nothing.")
### BEGIN HIDDEN TESTS
check.that(weight_shape, ("conv", 6, 3, 0, 2), (4, 9, 7)).returns(
    (6, 4, 3, 3), concept="C_in ≠ C_out"
)
### END HIDDEN TESTS

# %% [markdown]
# **Task.** Now what each layer costs: its learnable parameters (weights and biases) and its
# multiply-adds for one image (biases not counted; ReLU and pooling multiply nothing).


# %% solution="cost"
def cost(layer, shape):
    """(parameters, multiply-adds) of a layer that data of this ``shape`` go into."""
    ### BEGIN SOLUTION
    weights = weight_shape(layer, shape)
    if not weights:
        return 0, 0
    count = int(np.prod(weights))
    if layer[0] == "linear":
        return count + weights[1], count  # each weight meets one number
    _, height, width = output_shape(layer, shape)
    return count + weights[0], count * height * width  # and here one at each position
    ### END SOLUTION


# %% test="cost-layers" points=4
check.that(cost, ("conv", 20, 5, 2, 1), (1, 28, 28)).returns(
    (520, 392_000), hint="20·25 weights and 20 biases; every weight works at 28·28 positions."
)
check.that(cost, ("linear", 500), (2450,)).returns(
    (1_225_500, 1_225_000), hint="A bias for each of the 500 outputs; one multiply-add a weight."
)
check.that(cost, ("pool", 2, 2), (20, 28, 28)).returns((0, 0), hint="Nothing to learn.")
### BEGIN HIDDEN TESTS
check.that(cost, ("conv", 50, 5, 2, 1), (20, 14, 14)).returns(
    (25_050, 4_900_000), concept="the second convolution"
)
check.that(cost, ("conv", 6, 3, 0, 2), (4, 9, 14)).returns((222, 5184), concept="stride, H ≠ W")
check.that(cost, ("linear", 10), (500,)).returns((5010, 5000), concept="the last layer")
check.that(cost, ("flatten",), (50, 7, 7)).returns((0, 0), concept="layers that learn nothing")
check.that(cost, ("relu",), (500,)).returns((0, 0), concept="layers that learn nothing")
### END HIDDEN TESTS

# %% [markdown]
# And this is the lecture's table, with two columns more:

# %%
row = "{:9}{:>13}{:>9}{:>17}{:>12}{:>15}".format
print(row("layer", "output size", "numbers", "weight size", "parameters", "multiply-adds"))
shapes, costs = {"input": (1, 28, 28)}, {}
for name, layer in LENET.items():
    before = [*shapes.values()][-1]
    shapes[name], costs[name] = output_shape(layer, before), cost(layer, before)
    sizes = [" × ".join(map(str, shape)) for shape in (shapes[name], weight_shape(layer, before))]
    print(row(name, sizes[0], np.prod(shapes[name]), sizes[1], *costs[name]))
print(row("together", "", "", "", *np.sum([*costs.values()], axis=0)))

# %% [markdown]
# As we go through the network, the spatial size decreases and the number of channels increases. Is
# the total "volume" preserved, as one often reads? Look at the third column: 15,680 numbers after
# `conv1`, 9,800 after `conv2`. Not quite.

# %%
show.network([(name, size) for name, size in shapes.items() if "relu" not in name])

# %% [markdown]
# And where are the parameters, and where is the work?

# %%
if not costs:
    raise check.NotWritten  # it needs your functions above
learned = [name for name in costs if costs[name][0]]
parameters, multiply_adds = np.transpose([costs[name] for name in learned])
show.shares({"parameters": parameters, "multiply-adds": multiply_adds}, learned)

# %% [markdown]
# ## 2 · Bring your layers
#
# **Task.** Paste the layers that you wrote in lessons 1 to 3, with all that they call. Their
# signatures are what they were; you need neither dilation nor groups.
#
# This time speed matters. Training shows about 16,000 images to the net, and nested loops over
# every image, filter and pixel would take many hours. If your `conv_forward` is made of these, do
# in it what you did in `im2col`: lay the windows out as columns, multiply once. Or loop over the
# $K \cdot K$ taps only, and let NumPy do all images, channels and positions of one tap at a time;
# that works for the way back as well, and for pooling.


# %% solution="convolution"
def conv_forward(x, w, b, stride=1, padding=0):
    """x: (N, C_in, H, W), w: (C_out, C_in, K, K), b: (C_out,). Returns out and a cache."""
    ### BEGIN SOLUTION
    x_padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    patches = windows(x_padded, w.shape[2:], stride)
    columns = patches.reshape(w[0].size, -1)  # a patch is a column, a filter is a row
    out = w.reshape(len(w), -1) @ columns + b[:, None]
    out = out.reshape(len(w), *patches.shape[3:]).swapaxes(0, 1)
    return out, (x_padded.shape, columns, w, stride, padding)


def windows(x, kernel_size, stride):
    # Each patch of x under the kernel, as a view: (C, K, K, N, H', W').
    view = np.lib.stride_tricks.sliding_window_view(x, kernel_size, axis=(2, 3), writeable=True)
    return view[:, :, ::stride, ::stride].transpose(1, 4, 5, 0, 2, 3)
    ### END SOLUTION


def conv_backward(dout, cache):
    """Returns dx, dw, db."""
    ### BEGIN SOLUTION
    padded_shape, columns, w, stride, padding = cache
    dout_rows = dout.swapaxes(0, 1).reshape(len(w), -1)
    dw = (dout_rows @ columns.T).reshape(w.shape)
    dx_padded = np.zeros(padded_shape, np.result_type(w, dout))
    dpatches = windows(dx_padded, w.shape[2:], stride)  # writing here writes dx_padded
    dcolumns = (w.reshape(len(w), -1).T @ dout_rows).reshape(dpatches.shape)
    for i, j in np.ndindex(w.shape[2:]):
        dpatches[:, i, j] += dcolumns[:, i, j]
    height, width = padded_shape[2:]
    dx = dx_padded[:, :, padding : height - padding, padding : width - padding]
    return dx, dw, dout.sum(axis=(0, 2, 3))
    ### END SOLUTION


# %% test="layers-convolution" points=2
sizes = dict(x=(2, 3, 6, 7), w=(4, 3, 5, 5), b=(4,), padding=2)
check.conv2d.forward(conv_forward, **sizes)
check.conv2d.gradients(conv_forward, conv_backward, **sizes)
### BEGIN HIDDEN TESTS
sizes = dict(x=(3, 2, 8, 7), w=(5, 2, 3, 3), b=(5,), stride=2, padding=1)
check.conv2d.forward(conv_forward, **sizes, concept="stride 2")
for gradient in ("dx", "dw", "db"):
    check.conv2d.backward(conv_forward, conv_backward, gradient, **sizes, concept="stride 2")
### END HIDDEN TESTS


# %% solution="relu-pool"
def relu_forward(x):
    """Returns out, shaped like x, and a cache."""
    ### BEGIN SOLUTION
    return np.maximum(x, 0), x
    ### END SOLUTION


def relu_backward(dout, cache):
    """Returns dx."""
    ### BEGIN SOLUTION
    return dout * (cache > 0)
    ### END SOLUTION


def max_pool_forward(x, kernel_size, stride):
    """x: (N, C, H, W). Returns out: (N, C, H', W') and a cache."""
    ### BEGIN SOLUTION
    out, *others = (part.copy() for part in taps(x, kernel_size, stride))
    for part in others:
        np.maximum(out, part, out=out)
    return out, (x, out, kernel_size, stride)


def taps(x, kernel_size, stride):
    # For each place in the window, the pixels that all windows have there, as a view.
    height, width = ((size - kernel_size) // stride * stride + 1 for size in x.shape[2:])
    for i, j in np.ndindex(kernel_size, kernel_size):
        yield x[:, :, i : i + height : stride, j : j + width : stride]
    ### END SOLUTION


def max_pool_backward(dout, cache):
    """Returns dx."""
    ### BEGIN SOLUTION
    x, out, kernel_size, stride = cache
    dx, free = np.zeros(x.shape, dout.dtype), np.ones(out.shape, bool)
    dparts = taps(dx, kernel_size, stride)
    for part, dpart in zip(taps(x, kernel_size, stride), dparts, strict=True):
        largest = free & (part == out)  # of equal ones the first
        dpart += dout * largest
        free &= ~largest
    return dx
    ### END SOLUTION


# %% test="layers-relu-pool" points=1
check.relu.forward(relu_forward, x=(2, 3, 4, 5))
check.relu.gradients(relu_forward, relu_backward, x=(2, 3, 4, 5))
sizes = dict(x=(2, 3, 6, 8), kernel_size=2, stride=2)
check.max_pool.forward(max_pool_forward, **sizes)
check.max_pool.gradients(max_pool_forward, max_pool_backward, **sizes)
### BEGIN HIDDEN TESTS
for x, kernel_size, stride in [((2, 3, 7, 10), 3, 2), ((2, 2, 5, 4), 2, 1)]:
    sizes = dict(x=x, kernel_size=kernel_size, stride=stride, concept="overlapping windows")
    check.max_pool.forward(max_pool_forward, **sizes)
    check.max_pool.backward(max_pool_forward, max_pool_backward, "dx", **sizes)
### END HIDDEN TESTS


# %% solution="affine-loss"
def affine_forward(x, w, b):
    """x: (N, D_in), w: (D_in, D_out), b: (D_out,). Returns out and a cache."""
    ### BEGIN SOLUTION
    return x @ w + b, (x, w)
    ### END SOLUTION


def affine_backward(dout, cache):
    """Returns dx, dw, db."""
    ### BEGIN SOLUTION
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)
    ### END SOLUTION


def softmax_loss_forward(scores, y):
    """scores: (N, classes), y: (N,) the right classes. Returns the mean loss and a cache."""
    ### BEGIN SOLUTION
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -logs[np.arange(len(y)), y].mean(), (np.exp(logs), y)
    ### END SOLUTION


def softmax_loss_backward(dout, cache):
    """dout: a number. Returns dscores."""
    ### BEGIN SOLUTION
    probabilities, y = cache
    dscores = probabilities.copy()
    dscores[np.arange(len(y)), y] -= 1
    return dout * dscores / len(y)
    ### END SOLUTION


# %% test="layers-affine-loss" points=1
sizes = dict(x=(4, 6), w=(6, 3), b=(3,))
check.affine.forward(affine_forward, **sizes)
check.affine.gradients(affine_forward, affine_backward, **sizes)
sizes = dict(scores=(5, 7), y=check.labels(5, 7))
check.softmax_loss.forward(softmax_loss_forward, **sizes)
check.softmax_loss.gradients(softmax_loss_forward, softmax_loss_backward, **sizes)
### BEGIN HIDDEN TESTS
far = np.array([[1000.0, 0, -1000], [-1000, -1000, -1000]])
check.softmax_loss.forward(
    softmax_loss_forward, scores=far, y=np.array([2, 1]), concept="a very wrong answer"
)
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · First weights
#
# With all weights 0, every filter of a layer would get the same gradient, and they would stay equal
# for ever: the weights must be random. But how large? Each output adds up $n$ products, where $n$,
# the **fan-in**, is the number of weights that meet in one output: $C_{in} \cdot K \cdot K$ in a
# convolution, $D_{in}$ in a fully-connected layer. If the weights have variance $\sigma^2$, each
# layer multiplies the mean square of the signal by $n\sigma^2$, and ReLU takes half of that away.
# So $n\sigma^2/2 = 1$ keeps it: $\sigma = \sqrt{2/n}$ (He et al., arXiv:1502.01852). Twenty layers
# deep, a factor is felt:

# %%
rng = np.random.default_rng(0)
sizes = {}
for variance in (1, 2, 4):
    h, line = rng.standard_normal((100, 256)), []
    for _ in range(20):
        w = rng.standard_normal((256, 256)) * np.sqrt(variance / 256)
        h = np.maximum(h @ w, 0)
        line.append(np.sqrt((h**2).mean()))
    sizes[f"variance {variance} / n"] = line
show.curves(sizes, xlabel="layer", ylabel="size of its numbers", log=True)

# %% [markdown]
# **Task.** Write `init_lenet`. It returns a dict of arrays: `conv1_w`, `conv1_b`, `conv2_w`,
# `conv2_b`, `fc1_w`, `fc1_b`, `fc2_w` and `fc2_b`, weights as He says and drawn from `rng`, biases
# 0. The defaults give the lecture's net, but a check will ask for others; height and width are
# always divisible by 4. `.astype(np.float32)` at the end makes training almost twice as fast.


# %% solution="init-lenet"
def init_lenet(rng, channels=(20, 50), hidden=500, classes=10, input_shape=(1, 28, 28)):
    """The first parameters of a LeNet-5 for images of shape (C, H, W), by name."""
    ### BEGIN SOLUTION
    c_in, height, width = input_shape
    features = channels[1] * (height // 4) * (width // 4)
    weights = {
        "conv1": (channels[0], c_in, 5, 5),
        "conv2": (channels[1], channels[0], 5, 5),
        "fc1": (features, hidden),
        "fc2": (hidden, classes),
    }
    params = {}
    for name, shape in weights.items():
        convolution = len(shape) == 4
        fan_in = np.prod(shape[1:]) if convolution else shape[0]
        w = rng.standard_normal(shape) * np.sqrt(2 / fan_in)
        outputs = shape[0] if convolution else shape[1]
        params[f"{name}_w"] = w.astype(np.float32)
        params[f"{name}_b"] = np.zeros(outputs, np.float32)
    return params
    ### END SOLUTION


# %% test="init-lenet-he" points=4
check.he_initialization(init_lenet, images=(1, 3, 12, 8), channels=(32, 24), hidden=70, classes=12)
### BEGIN HIDDEN TESTS
check.he_initialization(
    init_lenet, images=(1, 2, 8, 20), channels=(40, 30), hidden=60, classes=20,
    concept="other sizes",
)  # fmt: skip
### END HIDDEN TESTS

# %% [markdown]
# ## 4 · Forward
#
# **Task.** Write `lenet_forward`: conv1, ReLU, pool, conv2, ReLU, pool, flatten, fc1, ReLU, fc2.
# Flattening is `x.reshape(N, -1)`: channel by channel, row by row. Return the scores as they come
# out of fc2; the softmax is in the loss. The way back will need every layer's cache, and the shape
# before flattening.


# %% solution="lenet-forward"
def lenet_forward(x, params):
    """x: (N, C, H, W), params: as from init_lenet. Returns scores: (N, classes) and a cache."""
    ### BEGIN SOLUTION
    caches = {}
    for i in (1, 2):
        w, b = params[f"conv{i}_w"], params[f"conv{i}_b"]
        x, caches[f"conv{i}"] = conv_forward(x, w, b, stride=1, padding=2)
        x, caches[f"relu{i}"] = relu_forward(x)
        x, caches[f"pool{i}"] = max_pool_forward(x, 2, 2)
    caches["flatten"] = x.shape
    x = x.reshape(len(x), -1)
    x, caches["fc1"] = affine_forward(x, params["fc1_w"], params["fc1_b"])
    x, caches["relu3"] = relu_forward(x)
    scores, caches["fc2"] = affine_forward(x, params["fc2_w"], params["fc2_b"])
    return scores, caches
    ### END SOLUTION


# %% test="lenet-forward-scores" points=6
check.lenet.forward(lenet_forward, images=(3, 1, 8, 12), channels=(4, 5), hidden=6, classes=3)
### BEGIN HIDDEN TESTS
check.lenet.forward(
    lenet_forward, images=(2, 3, 12, 4), channels=(3, 4), hidden=7, classes=5,
    concept="images in colour",
)  # fmt: skip
### END HIDDEN TESTS

# %% [markdown]
# ## 5 · Backward
#
# Backpropagation through the whole net is nothing new: start from `dscores` and go through the
# layers from the last to the first. Each turns its upstream gradient into the downstream gradient
# for the layer before it and, if it has parameters, into their gradients. What was flattened is
# reshaped to what it was.
#
# **Task.** Write `lenet_backward`. It returns a dict of gradients with the names of `params`.


# %% solution="lenet-backward"
def lenet_backward(dscores, cache):
    """dscores: (N, classes). Returns the gradient of every parameter, by its name."""
    ### BEGIN SOLUTION
    grads = {}
    d, grads["fc2_w"], grads["fc2_b"] = affine_backward(dscores, cache["fc2"])
    d = relu_backward(d, cache["relu3"])
    d, grads["fc1_w"], grads["fc1_b"] = affine_backward(d, cache["fc1"])
    d = d.reshape(cache["flatten"])
    for i in (2, 1):
        d = max_pool_backward(d, cache[f"pool{i}"])
        d = relu_backward(d, cache[f"relu{i}"])
        d, grads[f"conv{i}_w"], grads[f"conv{i}_b"] = conv_backward(d, cache[f"conv{i}"])
    return grads
    ### END SOLUTION


# %% test="lenet-backward-fc" points=4
sizes = dict(images=(3, 1, 8, 12), channels=(4, 5), hidden=6, classes=3)
for name in ("fc2_w", "fc2_b", "fc1_w", "fc1_b"):
    check.lenet.backward(lenet_forward, lenet_backward, name, **sizes)
### BEGIN HIDDEN TESTS
sizes = dict(images=(2, 1, 4, 4), channels=(3, 6), hidden=6, classes=6)
for name in ("fc2_w", "fc1_w"):
    check.lenet.backward(
        lenet_forward, lenet_backward, name, **sizes, concept="fc1 and fc2 of one size"
    )
### END HIDDEN TESTS

# %% test="lenet-backward-conv" points=4
sizes = dict(images=(3, 1, 8, 12), channels=(4, 5), hidden=6, classes=3)
for name in ("conv2_w", "conv2_b", "conv1_w", "conv1_b"):
    check.lenet.backward(lenet_forward, lenet_backward, name, **sizes)
### BEGIN HIDDEN TESTS
sizes = dict(images=(2, 3, 12, 8), channels=(3, 4), hidden=7, classes=5)
for name in ("conv2_w", "conv1_w"):
    check.lenet.backward(lenet_forward, lenet_backward, name, **sizes, concept="images in colour")
### END HIDDEN TESTS

# %% [markdown]
# And once more against slopes that are measured on your own forward, all eight at a time.

# %% test="lenet-gradients" points=3
check.lenet.gradients(
    lenet_forward, lenet_backward, images=(2, 2, 4, 8), channels=(2, 3), hidden=5, classes=3
)

# %% [markdown]
# ## 6 · One step downhill
#
# The gradient of the loss over *all* images is exact and slow. **Stochastic** gradient descent
# takes a few images at a time, a *minibatch*: a rough gradient, but many steps for the same work.
# Once all images have had their turn, an **epoch** is over, and they are shuffled anew.
#
# **Task.** Write `minibatches`: the numbers 0 to `count` − 1, shuffled with `rng` and cut into
# pieces of `batch_size`. The last piece is smaller if the rest does not fill it; leave nobody out.


# %% solution="minibatches"
def minibatches(count, batch_size, rng):
    """A list of arrays of whole numbers that together hold every number once."""
    ### BEGIN SOLUTION
    order = rng.permutation(count)
    return [order[start : start + batch_size] for start in range(0, count, batch_size)]
    ### END SOLUTION


# %% test="minibatches-all" points=3
check.minibatches(minibatches, count=11, batch_size=4)
check.minibatches(minibatches, count=12, batch_size=4)
### BEGIN HIDDEN TESTS
check.minibatches(minibatches, count=25, batch_size=8, concept="another size")
check.minibatches(minibatches, count=9, batch_size=20, concept="fewer images than a batch holds")
### END HIDDEN TESTS

# %% [markdown]
# In a long valley the gradient points across it rather than along it, and plain steps zigzag. With
# **momentum** $\rho$ the steps have a memory: what points the same way each time adds up, what
# changes its sign cancels.
#
# $$v \leftarrow \rho\, v + \frac{\partial L}{\partial w}, \qquad w \leftarrow w - \eta\, v$$
#
# with the learning rate $\eta$. (There are other ways to write this, with $\eta$ inside of $v$;
# keep to this one.)
#
# **Task.** Write `sgd_step` for dicts of arrays with the same names. It works **in place**: it
# returns nothing; after it, `params` and `velocity` hold the new numbers, and `grads` the old ones.


# %% solution="sgd-step"
def sgd_step(params, grads, velocity, learning_rate, momentum=0.9):
    """Updates params and velocity, in place."""
    ### BEGIN SOLUTION
    for name, gradient in grads.items():
        velocity[name] = momentum * velocity[name] + gradient
        params[name] -= learning_rate * velocity[name]
    ### END SOLUTION


# %% test="sgd-step-momentum" points=4
check.sgd_step(sgd_step, learning_rate=0.1, momentum=0.8)
### BEGIN HIDDEN TESTS
check.sgd_step(sgd_step, learning_rate=0.03, momentum=0.5, concept="other rates")
check.sgd_step(sgd_step, learning_rate=0.2, momentum=0.0, concept="no momentum")
### END HIDDEN TESTS

# %%
paths = {}
for momentum in (0, 0.8):
    params, velocity = {"w": np.array([-10.0, 1.0])}, {"w": np.zeros(2)}
    path = [params["w"].copy()]
    for _ in range(25):
        sgd_step(params, {"w": params["w"] * [1, 50]}, velocity, 0.035, momentum)
        path.append(params["w"].copy())
    paths[f"25 steps with momentum {momentum}"] = path
show.descent(paths)

# %% [markdown]
# ## 7 · The loop
#
# **Task.** Write `accuracy`, the share of images whose largest score is that of the right class.
# Send them through `forward` a batch at a time, so that memory suffices; any order will do.


# %% solution="accuracy"
def accuracy(forward, params, x, y, batch_size=100):
    """forward: such as lenet_forward, x: (N, ...), y: (N,). Returns a number from 0 to 1."""
    ### BEGIN SOLUTION
    right = 0
    for start in range(0, len(x), batch_size):
        scores, _ = forward(x[start : start + batch_size], params)
        right += np.sum(scores.argmax(axis=1) == y[start : start + batch_size])
    return right / len(x)
    ### END SOLUTION


# %% test="accuracy-share" points=3
check.accuracy(accuracy, batch_size=4)
### BEGIN HIDDEN TESTS
check.accuracy(accuracy, batch_size=100, concept="all images in one batch")
check.accuracy(accuracy, batch_size=5, concept="one image left over")
### END HIDDEN TESTS

# %% [markdown]
# Everything that is random comes from outside: `schedule` holds, for each epoch, its list of
# batches. So a run can be repeated to the last digit, which is how you will find your next bug, and
# how this one is checked.
#
# **Task.** Write `train`. For each batch: forward, loss, backward, step. Keep one velocity, 0 at
# the start, for the whole training. After each epoch, note the accuracy on the validation images,
# which the net never learns from. Put `tqdm(...)` around the epochs, and watch the time that is
# left. `params` is changed in place.


# %% solution="train"
def train(network, params, data, schedule, learning_rate, momentum=0.9):
    """Trains a network = (forward, backward) on data = (x_train, y_train, x_val, y_val).

    Returns {"loss": of each batch, before its step, "accuracy": of each epoch, after it}.
    """
    ### BEGIN SOLUTION
    forward, backward = network
    x_train, y_train, x_val, y_val = data
    velocity = {name: np.zeros_like(array) for name, array in params.items()}
    history = {"loss": [], "accuracy": []}
    for batches in tqdm(schedule):
        for batch in batches:
            scores, cache = forward(x_train[batch], params)
            loss, loss_cache = softmax_loss_forward(scores, y_train[batch])
            grads = backward(softmax_loss_backward(1.0, loss_cache), cache)
            sgd_step(params, grads, velocity, learning_rate, momentum)
            history["loss"].append(float(loss))
        history["accuracy"].append(accuracy(forward, params, x_val, y_val))
    return history
    ### END SOLUTION


# %% [markdown]
# The check trains a tiny linear classifier of its own, whose every number is known.

# %% test="train-numbers" points=6
check.training(train, learning_rate=0.2, momentum=0.7)
### BEGIN HIDDEN TESTS
check.training(train, learning_rate=0.05, momentum=0.5, concept="other rates")
### END HIDDEN TESTS

# %% [markdown]
# And now everything together. A net that cannot learn six images by heart has a bug.

# %% test="overfit-six" points=4
rng = np.random.default_rng(1)
x, y = rng.standard_normal((6, 1, 8, 8)), np.array([0, 1, 2, 0, 1, 2])
small = init_lenet(rng, channels=(4, 6), hidden=32, classes=3, input_shape=(1, 8, 8))
always_all = [[np.arange(6)]] * 60
train((lenet_forward, lenet_backward), small, (x, y, x[:1], y[:1]), always_all, 0.02)


def accuracy_on_six_images():
    return accuracy(lenet_forward, small, x, y)


check.that(accuracy_on_six_images).returns(1, hint="If all checks above pass, look at train again.")

# %% [markdown]
# ## 8 · Before you train for real
#
# The data: 1,797 digits that thirteen people wrote (Alpaydin and Kaynak 1998, 8×8 pixels, here
# enlarged to 28×28). One part is for learning, one, **validation**, for watching and for choosing
# the learning rate; and the **test** images are looked at once, at the very end. Whoever chooses by
# the test score has no test left.


# %%
def split(digits):
    """Every tenth image to learn from is held out, for validation."""
    held_out = np.arange(len(digits.x_train)) % 10 == 9
    x, y = digits.x_train, digits.y_train
    return x[~held_out], y[~held_out], x[held_out], y[held_out]


digits = places.digits()
data = x_train, y_train, x_val, y_val = split(digits)
print(len(x_train), "to learn from,", len(x_val), "to watch,", len(digits.x_test), "to test")
show.tiles(x_train[:20, 0], titles=[str(label) for label in y_train[:20]])

# %% [markdown]
# Three minutes of care before hours of training. **First**, is the loss at the start what it
# should be? A net that knows nothing gives each class 1/10, so the loss is near
# $\log 10 = 2.303$; a little more, because its guesses are not all equal.

# %% home="first-loss"
# At your desk.
lenet, rng = (lenet_forward, lenet_backward), np.random.default_rng(0)
params = init_lenet(rng)
scores, _ = lenet_forward(x_train[:200], params)
loss, _ = softmax_loss_forward(scores, y_train[:200])
print(f"loss {loss:.3f}, and log 10 is {np.log(10):.3f}")

# %% [markdown]
# **Second**, how long will it take? If this says more than a few minutes, section 2 tells what to
# do. (Or train a smaller net: `init_lenet(rng, channels=(8, 16), hidden=100)`.)

# %% home="how-long"
# At your desk.
from time import perf_counter

few = x_train, y_train, x_val[:1], y_val[:1]
one_batch = [[np.arange(32)]]
train(lenet, params, few, one_batch, 0)  # the first is slower than the rest
start = perf_counter()
train(lenet, params, few, 8 * one_batch, 0)
seconds = (perf_counter() - start) / 8 * 12 * len(x_train) / 32
print(f"12 epochs will take about {seconds:.0f} s")

# %% [markdown]
# **Third**, can it learn twenty images by heart? **Fourth**, does it learn from the labels? With
# shuffled labels there is nothing to understand; a large net learns them by heart all the same (the
# loss falls), and the accuracy on other images stays near one in ten. (Zhang et al.,
# arXiv:1611.03530, did this with ImageNet.)

# %% home="twenty-images"
# At your desk.
twenty = x_train[:20], y_train[:20], x_train[:20], y_train[:20]
few = x_train[:200], rng.permutation(y_train[:200]), x_val, y_val
runs = {
    "twenty images": train(lenet, init_lenet(rng), twenty, [[np.arange(20)]] * 40, 0.02),
    "shuffled labels": train(
        lenet, init_lenet(rng), few, [minibatches(200, 20, rng) for _ in range(30)], 0.01
    ),
}
for name, run in runs.items():
    print(f"{name}: {run['accuracy'][-1]:.0%} right")
show.history(runs)

# %% [markdown]
# ## 9 · Training
#
# Twelve epochs of batches of 32, learning rate 0.02, momentum 0.9. Whatever you try, choose by the
# validation accuracy.

# %% home="training"
# At your desk.
rng = np.random.default_rng(0)
params = init_lenet(rng)
first_filters = params["conv1_w"].copy()
schedule = [minibatches(len(x_train), 32, rng) for _ in range(12)]
lenet_history = train(lenet, params, data, schedule, learning_rate=0.02)
print(f"test accuracy {accuracy(lenet_forward, params, digits.x_test, digits.y_test):.1%}")
show.history(lenet_history)

# %% [markdown]
# About 98 in 100, and with 355 test images one more or less is 0.3%. Is that how it would do in the
# world? The same thirteen hands wrote the images for learning and for the test. Now train it once
# more where the test is mostly by people of whom the net has seen nothing:

# %% home="strangers"
# At your desk.
strange = places.digits(strangers=True)
strange_data, strange_params = split(strange), init_lenet(rng)
epochs = [minibatches(len(strange_data[0]), 32, rng) for _ in range(6)]
train(lenet, strange_params, strange_data, epochs, learning_rate=0.02)
scores, _ = lenet_forward(strange.x_test, strange_params)
said = scores.argmax(axis=1)
print(f"test accuracy {np.mean(said == strange.y_test):.1%}")
show.confusion(strange.y_test, said)

# %% [markdown]
# Several times as many mistakes, by the same net. What a test says depends on what it shares with
# the training images.

# %% [markdown]
# ## 10 · Look inside
#
# The twenty filters of the first layer, before training (top) and after. In a net for photographs
# many become clean edge detectors; with 1,300 digits they move little from where they began.

# %% home="filters"
# At your desk.
show.tiles(np.concatenate([first_filters[:, 0], params["conv1_w"][:, 0]]), columns=20)

# %% [markdown]
# What it gets wrong, and how sure it was. Some of these you might get wrong as well.

# %% home="mistakes"
# At your desk.
scores, _ = lenet_forward(digits.x_test, params)
powers = np.exp(scores - scores.max(axis=1, keepdims=True))
probabilities = powers / powers.sum(axis=1, keepdims=True)
wrong = np.flatnonzero(scores.argmax(axis=1) != digits.y_test)
show.verdicts(digits.x_test[wrong, 0], probabilities[wrong], digits.y_test[wrong])

# %% [markdown]
# ## 11 · What the convolution is good for
#
# A fully-connected net with as many parameters: 784 → 1580 → 10 has 1,256,110 of them, LeNet
# 1,256,080, and it needs a fifth of the multiply-adds. Your `train` takes it as it is.


# %% home="fully-connected"
# At your desk.
def two_layer_forward(x, params):
    h, fc1 = affine_forward(x.reshape(len(x), -1), params["fc1_w"], params["fc1_b"])
    h, relu = relu_forward(h)
    scores, fc2 = affine_forward(h, params["fc2_w"], params["fc2_b"])
    return scores, (fc1, relu, fc2)


def two_layer_backward(dscores, cache):
    fc1, relu, fc2 = cache
    d, dw2, db2 = affine_backward(dscores, fc2)
    _, dw1, db1 = affine_backward(relu_backward(d, relu), fc1)
    return {"fc1_w": dw1, "fc1_b": db1, "fc2_w": dw2, "fc2_b": db2}


two_layer = two_layer_forward, two_layer_backward
flat = {"fc1_b": np.zeros(1580, "f4"), "fc2_b": np.zeros(10, "f4")}
for name, shape in {"fc1_w": (784, 1580), "fc2_w": (1580, 10)}.items():
    flat[name] = (rng.standard_normal(shape) * np.sqrt(2 / shape[0])).astype("f4")
flat_history = train(two_layer, flat, data, schedule, learning_rate=0.02)
show.history({"LeNet": lenet_history, "fully connected": flat_history})

# %% [markdown]
# On the images as they are, both are good. Now shift them: max pooling brings **invariance to
# small spatial shifts**, and a filter finds its pattern wherever it is. A fully-connected net has
# to learn each pixel by itself.

# %% home="shifts"
# At your desk.
shifts = range(5)
found = {"LeNet": [], "fully connected": []}
for shift in shifts:
    x = np.pad(digits.x_test, ((0, 0), (0, 0), (0, 0), (shift, 0)))[:, :, :, :28]
    found["LeNet"].append(accuracy(lenet_forward, params, x, digits.y_test))
    found["fully connected"].append(accuracy(two_layer_forward, flat, x, digits.y_test))
for name, line in found.items():
    print(f"{name:16}", *(f"{value:.1%}" for value in line))
show.curves(found, xlabel="shift to the right, in pixels", ylabel="accuracy", start=0)

# %% [markdown]
# ## 12 · In your own words
#
# LeNet has 98% of its parameters in one layer and 75% of its multiply-adds in another. Which ones,
# and why is that so? What would you change if the net had to fit into a small memory, and what if
# it had to be fast?

# %% [markdown] essay="where-it-costs" points=4
# ### BEGIN SOLUTION
# Parameters: fc1, which has a weight for each pair of its 2450 inputs and 500 outputs. Work: conv2,
# whose 25,000 weights are few but are used at all 14·14 positions. For memory, shrink what goes
# into fc1: one more pooling, fewer channels, or a mean over each map in place of flattening. For
# speed, make conv2 cheaper: fewer channels, a stride, or a smaller filter.
# ### END SOLUTION

# %% [markdown]
# A friend's loss stays at 2.303 from the first step to the last. Name three possible reasons, and
# say for each which of the checks of this lesson would have found it.

# %% [markdown] essay="stuck-loss" points=4
# ### BEGIN SOLUTION
# 1. The weights start at 0: fc1 gives 0 everywhere and nothing but the last bias moves (the check
#    of the first weights; with it 20 images cannot be learned).
# 2. The update goes to a copy, so the net stays as it was (the check of the step).
# 3. Images and labels do not belong together, for instance because only one of them was shuffled
#    (the check of the loop: compare with labels that are shuffled on purpose).
#
# Also: a learning rate far too small; a gradient that a wrong ReLU stops (the gradient check).
# ### END SOLUTION

# %% [markdown]
# ## What you have built
#
# A convolutional network that reads handwriting, from the first multiplication on, and the habits
# that find bugs: the loss at the start, a handful of images by heart, a gradient that is measured.
# Here is one digit on its way through your net. Each small square is a map, bright where its filter
# found what it looks for; on the right is what is left of 784 pixels.

# %% home="journey"
# At your desk.
image = digits.x_test[3:4]
maps, stages = image, [("digit", image[0])]
for i in (1, 2):
    w, b = params[f"conv{i}_w"], params[f"conv{i}_b"]
    maps, _ = relu_forward(conv_forward(maps, w, b, stride=1, padding=2)[0])
    maps, _ = max_pool_forward(maps, 2, 2)
    stages.append((f"pool{i}", maps[0]))
hidden, _ = affine_forward(maps.reshape(1, -1), params["fc1_w"], params["fc1_b"])
stages.append(("relu3", relu_forward(hidden)[0][0]))
stages.append(("probabilities", probabilities[3]))
show.journey(stages)

# %% [markdown]
# Seven layers train well. Seventy do not: next come the nets that do, and what they need for it.
#
# To read on: LeCun, Bottou, Bengio and Haffner, *Gradient-based learning applied to document
# recognition* (1998), sections II and III; He et al., *Delving deep into rectifiers*
# (arXiv:1502.01852); and *Dive into Deep Learning*, chapter 7.

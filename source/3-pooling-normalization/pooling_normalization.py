# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 3 · Pooling and normalization
#
# Between the convolutions of a network stand two kinds of small layers. **Pooling** makes the
# feature maps smaller. **Normalization** keeps their numbers in a range in which learning works.
# They look harmless. Yet of 84 different public solutions of one of them (max pooling, backward)
# that we tried, 41 were wrong, and all 41 had passed the checks of their course.
#
# **How to work.** As before: fill in `YOUR CODE HERE`, run the check below, read what it says. Some
# checks are hidden and run only when you hand in. Loops are fine everywhere. You need about three
# hours and no GPU.

# %% locked="setup"
from importlib.util import find_spec

if find_spec("autograder") is None:  # a new machine, such as one of Colab's
    print("Installing what this course needs ...")
    # %pip install --quiet "receptive-field @ {{package}}"

import numpy as np

from autograder import check, here, show

here.report()

# %% [markdown]
# ## 1 · Max pooling
#
# Does the map contain a strong edge *around here*? That question needs no exact place, so the
# answer can be given with fewer pixels: cut the map into windows of $K \times K$ pixels, $S$ apart,
# and keep the largest number of each. Every channel is pooled by itself; there are no parameters.
#
# $$H' = (H - K)/S + 1, \qquad W' = (W - K)/S + 1,$$
#
# rounded **down** where the windows do not fit. Usual are $K = S = 2$, windows side by side, and
# $K = 3, S = 2$ (AlexNet), windows that overlap. (Padding is not common here; we leave it out.)
#
# **Task.** Write `max_pool_forward`. Put into `cache` whatever the way back will need. First comes
# the lecture's example.


# %% solution="max-pool-forward"
def max_pool_forward(x, kernel_size, stride):
    """The largest number of each window. x: (N, C, H, W). Returns out: (N, C, H', W'), cache."""
    ### BEGIN SOLUTION
    out = places(x, kernel_size, stride)[0].copy()
    for n in range(len(x)):  # one image at a time stays in the processor's cache
        for pixels in places(x[n], kernel_size, stride)[1:]:
            np.maximum(out[n], pixels, out=out[n])
    return out, (x, out, kernel_size, stride)


def places(x, kernel_size, stride):
    # The K·K places of a window: for each, the pixels that stand there in all windows at once. They
    # are views of x, (..., H', W'), so nothing is copied, and what is added to them is added to x.
    rows, columns = ((size - kernel_size) // stride * stride + 1 for size in x.shape[-2:])
    return [
        x[..., u : u + rows : stride, v : v + columns : stride]
        for u, v in np.ndindex(kernel_size, kernel_size)
    ]
    ### END SOLUTION


# %% test="max-pool-lecture" points=2
X = np.array([[1.0, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
check.max_pool.forward(max_pool_forward, x=X[None, None], kernel_size=2, stride=2)

# %%
X = np.array([[1.0, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
print("64, 224, 224 becomes", max_pool_forward(np.zeros((1, 64, 224, 224)), 2, 2)[0].shape[1:])
show.pooled(X, max_pool_forward(X[None, None], 2, 2)[0][0, 0], kernel_size=2, stride=2)

# %% test="max-pool-any" points=3
pool = check.max_pool.forward
pool(max_pool_forward, x=(2, 3, 4, 6), kernel_size=2, stride=2)
pool(max_pool_forward, x=(2, 3, 7, 9), kernel_size=3, stride=2)  # AlexNet's
### BEGIN HIDDEN TESTS
case = dict(kernel_size=3, stride=2, concept="windows that do not fit")
pool(max_pool_forward, x=(2, 2, 8, 6), **case)
case = dict(kernel_size=2, stride=3, concept="pixels between the windows")
pool(max_pool_forward, x=(3, 2, 5, 7), **case)
below = check.spread(2, 3, 4, 6, mean=-5)
pool(max_pool_forward, x=below, kernel_size=2, stride=1, concept="negative numbers")
case = dict(kernel_size=2, stride=2, concept="LeNet-5's first pooling")
pool(max_pool_forward, x=(1, 20, 28, 28), **case)
### END HIDDEN TESTS

# %% [markdown]
# What is it good for? It introduces **invariance to small shifts**: while a bright pixel moves
# inside its window, the output does not change at all. When it crosses a border, the output jumps.

# %%
maps = np.zeros((4, 4, 4))
maps[[0, 1, 2, 3], [0, 0, 1, 1], [0, 1, 1, 2]] = 9
show.shifted(maps, max_pool_forward(maps[:, None], 2, 2)[0][:, 0])

# %% [markdown]
# The same with a photograph's vertical edges: move the map sideways, and ask how much of it is
# different. One pixel changes most of the map itself, and far less of it after pooling.

# %%
photo = show.photograph(gray=True)
edges = np.abs(photo[:, 2:] - photo[:, :-2])[None, None]


def change(k, shift):
    here, moved = (max_pool_forward(edges[..., j : j + 224], k, k)[0] for j in (0, shift))
    return np.linalg.norm(here - moved) / np.linalg.norm(here)


changes = {f"K = S = {k}": [change(k, shift) for shift in range(9)] for k in (1, 2, 4, 8)}
show.curves(changes, xlabel="shift in pixels", ylabel="relative change", start=0)

# %% [markdown]
# ## 2 · Max pooling, backward
#
# Of each window one number made it to the output; the others could move a little and nobody would
# notice. So `dout[n, c, i, j]` goes to the **winner** of its window, and the rest get nothing. A
# pixel that won several windows gets a share from each, **added up**. Below, the 4 was the largest
# of three windows; follow their colours.

# %%
rows = [1, 0, 2, 0, 1], [0, 1, 0, 3, 0], [2, 0, 4, 0, 1], [0, 5, 0, 1, 0], [1, 0, 2, 0, 3]
X = np.array(rows, float)
dx = np.zeros((5, 5))
dx[2, 2], dx[3, 1] = 1 + 2 + 4, 3
show.routed(X, np.array([[1.0, 2], [3, 4]]), dx, kernel_size=3, stride=2)

# %% [markdown]
# And where two numbers of a window are equal, both largest? There a maximum has no derivative, and
# you may choose: all of the winners, the first, the last, or all in equal parts. All of these pass.
#
# **Task.** Write `max_pool_backward`.


# %% solution="max-pool-backward"
def max_pool_backward(dout, cache):
    """The gradient of max pooling. dout: (N, C, H', W'). Returns dx: (N, C, H, W)."""
    ### BEGIN SOLUTION
    x, out, kernel_size, stride = cache
    dx = np.zeros(x.shape, dout.dtype)
    for n in range(len(x)):
        pixels, dpixels = (places(images[n], kernel_size, stride) for images in (x, dx))
        for these, those in zip(pixels, dpixels, strict=True):
            those += dout[n] * (these == out[n])
    return dx
    ### END SOLUTION


# %% test="max-pool-backward-apart" points=3
both = max_pool_forward, max_pool_backward
check.max_pool.backward(*both, "dx", x=(2, 3, 6, 4), kernel_size=2, stride=2)
### BEGIN HIDDEN TESTS
back = check.max_pool.backward
case = dict(kernel_size=2, stride=3, concept="pixels between the windows")
back(*both, "dx", x=(3, 2, 5, 8), **case)
below = check.spread(2, 2, 4, 6, mean=-5)
back(*both, "dx", x=below, kernel_size=2, stride=2, concept="negative numbers")
### END HIDDEN TESTS

# %% test="max-pool-backward-overlap" points=4
both = max_pool_forward, max_pool_backward
check.max_pool.backward(*both, "dx", x=(2, 3, 7, 9), kernel_size=3, stride=2)
check.max_pool.backward(*both, "dx", x=check.ties(2, 3, 6, 5), kernel_size=2, stride=2)
### BEGIN HIDDEN TESTS
back = check.max_pool.backward
case = dict(kernel_size=3, stride=2, concept="overlapping windows that do not fit")
back(*both, "dx", x=(2, 2, 8, 6), **case)
case = dict(kernel_size=3, stride=1, concept="windows that overlap a lot")
back(*both, "dx", x=(2, 2, 4, 6), **case)
case = dict(kernel_size=3, stride=2, concept="equal numbers where windows overlap")
back(*both, "dx", x=check.ties(3, 2, 5, 7), **case)
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · Average pooling
#
# Keep the **mean** of each window instead. Now every pixel counts, for $1/K^2$ of the output; so on
# the way back each gets $1/K^2$ of `dout`. With one window as large as the map ($K = H = W$,
# *global* average pooling) a channel becomes a single number: ResNets end that way.
#
# **Task.** Write both directions.


# %% solution="avg-pool"
def avg_pool_forward(x, kernel_size, stride):
    """The mean of each window. x: (N, C, H, W). Returns out: (N, C, H', W') and a cache."""
    ### BEGIN SOLUTION
    out = sum(places(x, kernel_size, stride)) / kernel_size**2
    return out, (x.shape, kernel_size, stride)
    ### END SOLUTION


def avg_pool_backward(dout, cache):
    """The gradient of average pooling. dout: (N, C, H', W'). Returns dx: (N, C, H, W)."""
    ### BEGIN SOLUTION
    shape, kernel_size, stride = cache
    dx = np.zeros(shape, dout.dtype)
    share = dout / kernel_size**2
    for n in range(len(dx)):
        for dpixels in places(dx[n], kernel_size, stride):
            dpixels += share[n]
    return dx
    ### END SOLUTION


# %% test="avg-pool-forward" points=2
pool = check.avg_pool.forward
pool(avg_pool_forward, x=(2, 3, 4, 6), kernel_size=2, stride=2)
pool(avg_pool_forward, x=(2, 3, 7, 9), kernel_size=3, stride=2)
### BEGIN HIDDEN TESTS
case = dict(kernel_size=3, stride=2, concept="windows that do not fit")
pool(avg_pool_forward, x=(2, 2, 8, 6), **case)
case = dict(kernel_size=5, stride=1, concept="global average pooling")
pool(avg_pool_forward, x=(3, 4, 5, 5), **case)
### END HIDDEN TESTS

# %% test="avg-pool-backward" points=3
both = avg_pool_forward, avg_pool_backward
check.avg_pool.backward(*both, "dx", x=(2, 3, 7, 9), kernel_size=3, stride=2)
check.avg_pool.gradients(*both, x=(2, 3, 6, 5), kernel_size=2, stride=1)
### BEGIN HIDDEN TESTS
back = check.avg_pool.backward
case = dict(kernel_size=2, stride=3, concept="pixels between the windows")
back(*both, "dx", x=(2, 2, 8, 5), **case)
case = dict(kernel_size=5, stride=1, concept="global average pooling")
back(*both, "dx", x=(3, 4, 5, 5), **case)
### END HIDDEN TESTS

# %%
crop = photo[None, None, :160, 40:200]
pictures = {"photograph": crop}
for k in (4, 10):
    pictures[f"max, K = {k}"] = max_pool_forward(crop, k, k)[0]
    pictures[f"average, K = {k}"] = avg_pool_forward(crop, k, k)[0]
show.images([picture[0, 0] for picture in pictures.values()], list(pictures))

# %% [markdown]
# ## 4 · Mean and variance
#
# A layer $y = Wx$ is hard to train where its inputs are not centred around zero (it needs a large
# bias) or where each has another scale (the entries of $W$ must then differ a lot). So *force* them
# to be nicely scaled. First, measure: each of the $D$ features of a batch
# $x \in \mathbb{R}^{N \times D}$ has
#
# $$\mu_j = \frac{1}{N}\sum_{i=1}^N x_{i,j} \qquad
# \sigma_j^2 = \frac{1}{N}\sum_{i=1}^N (x_{i,j} - \mu_j)^2 .$$
#
# Mind the $1/N$: this is the *biased* variance, not the one with $1/(N-1)$.
#
# **Task.** Write `moments`. Do not be tempted by $\sigma^2 = E[x^2] - \mu^2$; you will see why.


# %% solution="moments"
def moments(x):
    """Mean and biased variance of each column. x: (N, D). Returns mu: (D,) and var: (D,)."""
    ### BEGIN SOLUTION
    mu = x.mean(axis=0)
    return mu, ((x - mu) ** 2).mean(axis=0)
    ### END SOLUTION


# %% test="moments-columns" points=3
check.that(moments, np.array([[1.0, 10], [2, 10], [3, 10], [6, 10]])).returns(
    [[3, 10], [3.5, 0]], hint="μ₁ = 12/4; σ₁² = (4 + 1 + 0 + 9)/4, divided by N, not N − 1."
)
x = np.float32([[999, 5], [1001, 2], [1000, 2], [1000, 3]])
check.that(moments, x).returns([[1000, 3], [0.5, 1.5]])
### BEGIN HIDDEN TESTS
x = np.random.default_rng(3).normal(1000, 1, (20, 3)).astype(np.float32)
check.that(moments, x).returns(
    [x.astype(np.float64).mean(axis=0), x.astype(np.float64).var(axis=0)],
    concept="a mean that is much larger than the spread, in float32",
    hint="Single precision has 7 digits: subtract the mean first, then square.",
)
### END HIDDEN TESTS

# %% [markdown]
# Why not $E[x^2] - \mu^2$, which needs only one pass over the data? Let the mean grow while the
# spread stays 1. In float32 (7 digits) two huge numbers are subtracted and nothing sensible is
# left. From $\mu/\sigma \approx 10^4$ on ($2^{13}$) the "variance" may be **negative**, and
# its root NaN.

# %%
noise = np.random.default_rng(0).standard_normal((1000, 1))
xs = [(2**power + noise).astype(np.float32) for power in range(16)]
one_pass = [(x**2).mean() - x.mean() ** 2 for x in xs]
print(f"smallest variance in one pass: {min(one_pass):.1f}")
variances = {"E[x²] − μ²": np.clip(one_pass, -4, 6), "yours": [moments(x)[1][0] for x in xs]}
show.curves(variances, xlabel=r"$k$, for $\mu = 2^k$ and $\sigma = 1$", ylabel="variance", start=0)

# %% [markdown]
# ## 5 · Batch normalization, forward
#
# Now use them, and let the network undo what is too strict: $\gamma, \beta \in \mathbb{R}^D$ are
# learned, a scale and a shift for each feature.
#
# $$\hat x_{i,j} = \frac{x_{i,j} - \mu_j}{\sqrt{\sigma_j^2 + \varepsilon}} \qquad
# y_{i,j} = \gamma_j\, \hat x_{i,j} + \beta_j$$
#
# $\varepsilon$, **inside** the root, keeps a constant feature from being divided by 0. Such a layer
# usually stands right after a fully-connected or convolution layer, before the nonlinearity.
#
# The mean depends on who else is in the batch. At test time an answer must not, so during training
# we keep running averages, and at test time use those **instead of** $\mu$ and $\sigma^2$:
#
# $$\mu^{test}_j = 0.99\, \mu^{test}_j + 0.01\, \mu_j \qquad \text{(similar for } \sigma^2\text{)}$$
#
# With `momentum` for 0.01. (As PyTorch's; but that keeps the variance with $1/(N-1)$, and here it
# is the lecture's, with $1/N$.)
#
# **Task.** Write `batch_norm_forward`. In training it updates `running_mean` and `running_var` **in
# place**: the caller's arrays change. In test mode it changes nothing.


# %% solution="batch-norm-forward"
def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    """Batch normalization. x: (N, D), all else (D,). Returns out: (N, D) and a cache."""
    ### BEGIN SOLUTION
    mu = x.mean(axis=0) if training else running_mean
    x_hat = x - mu
    if training:
        var = np.einsum("nd,nd->d", x_hat, x_hat) / len(x)  # no array for the squares
        running_mean[...] = (1 - momentum) * running_mean + momentum * mu
        running_var[...] = (1 - momentum) * running_var + momentum * var
    else:
        var = running_var
    std = np.sqrt(var + eps)
    x_hat /= std
    out = gamma * x_hat
    out += beta
    return out, (x_hat, gamma, std)
    ### END SOLUTION


# %% locked="per-feature"
def per_feature(d):  # for the checks: what batch norm takes beside x, drawn at random
    return dict(gamma=(d,), beta=(d,), running_mean=(d,), running_var=check.positive(d))


# %% test="batch-norm-running" points=3
# First the output, then what has become of the running statistics.
x = check.spread(7, 5, mean=-1, std=3)
check.batch_norm.forward(batch_norm_forward, x=x, **per_feature(5), momentum=0.3, eps=0.1)
### BEGIN HIDDEN TESTS
case = dict(**per_feature(6), eps=0.5, concept="running statistics, the default momentum")
check.batch_norm.forward(batch_norm_forward, x=check.spread(4, 6, mean=2), **case)
### END HIDDEN TESTS

# %% test="batch-norm-training" points=4
# With momentum 0 the running statistics stay as they are: this is about the output.
x = check.spread(6, 4, mean=3, std=2)
check.batch_norm.forward(batch_norm_forward, x=x, **per_feature(4), momentum=0, eps=0.1)
### BEGIN HIDDEN TESTS
case = dict(**per_feature(3), momentum=0)
small, constant = check.spread(5, 3, std=0.01), check.spread(5, 3, mean=2, std=0)
check.batch_norm.forward(batch_norm_forward, x=small, **case, concept="a small variance beside ε")
check.batch_norm.forward(batch_norm_forward, x=constant, **case, concept="constant features")
### END HIDDEN TESTS

# %% test="batch-norm-test-mode" points=4
case = dict(x=check.spread(6, 4, mean=3, std=2), **per_feature(4), eps=0.1)
check.batch_norm.forward(batch_norm_forward, **case, training=False)
### BEGIN HIDDEN TESTS
case = dict(x=(1, 3), **per_feature(3), concept="test mode, a batch of one")
check.batch_norm.forward(batch_norm_forward, **case, training=False)
case = {**per_feature(3), "running_var": np.array([1e-4, 0.5, 0]), "momentum": 0.5, "eps": 0.01}
case = dict(case, concept="test mode, small running variances")
check.batch_norm.forward(batch_norm_forward, x=(5, 3), **case, training=False)
### END HIDDEN TESTS

# %%
rng = np.random.default_rng(2)
x = rng.standard_normal((150, 5)) * [1, 4, 0.3, 2, 1] + [0, 6, -4, 2, 9]
gamma, beta = np.array([1.0, 1, 1, 2, 0.5]), np.array([0.0, 0, 0, 3, -3])
x_hat, _ = batch_norm_forward(x, np.ones(5), np.zeros(5), np.zeros(5), np.ones(5))
y, _ = batch_norm_forward(x, gamma, beta, np.zeros(5), np.ones(5))
show.features({"x": x, r"$\hat{x}$": x_hat, r"$y = \gamma \hat{x} + \beta$": y})

# %% [markdown]
# Is something lost, if each layer's inputs have mean 0 and variance 1? Learning $\gamma = \sigma$,
# $\beta = \mu$ recovers the identity. **Task.** Return the two that make batch norm give back
# *exactly* `x`. Mind $\varepsilon$.


# %% solution="identity"
def identity_parameters(x, eps=1e-5):
    """The scale and shift that undo the normalization. x: (N, D). Returns gamma, beta: (D,)."""
    ### BEGIN SOLUTION
    mu, var = moments(x)
    return np.sqrt(var + eps), mu
    ### END SOLUTION


# %% test="identity-recovered" points=2
x = np.array([[1.0, 10], [2, 10], [3, 10], [6, 10]])
check.that(identity_parameters, x, eps=0.5).returns([[2, np.sqrt(0.5)], [3, 10]])

# %% [markdown]
# ## 6 · The bug that everybody has once
#
# Batch norm **behaves differently in training and at test time**, and that is a very common source
# of bugs. Here are two, with your own layer. It has seen 300 batches of two kinds of points; now
# every point is sent through it alone.

# %%
rng = np.random.default_rng(4)
kind = np.arange(200) % 2
points = rng.standard_normal((200, 2)) * [1.5, 0.4] + np.where(kind[:, None], [7, 3], [3, 1])
ones, zeros, mean, var = np.ones(2), np.zeros(2), np.zeros(2), np.ones(2)
for _ in range(300):
    batch_norm_forward(points[rng.integers(0, 200, 32)], ones, zeros, mean, var)


def alone(mean, var, training):
    given = ones, zeros, mean.copy(), var.copy(), training
    return np.concatenate([batch_norm_forward(point[None], *given)[0] for point in points])


panels = {"test mode, as it should be": alone(mean, var, training=False)}
panels["still in training mode"] = alone(mean, var, training=True)
panels["running statistics never updated"] = alone(zeros, ones, training=False)
show.points(panels, kind)

# %% [markdown]
# In the middle each batch is one point, its own mean: $\hat x = 0$, *all that was known about it is
# gone*. On the right it came out as it went in, for the initial 0 and 1 were still there. Neither
# raises an error. The network just answers badly.
#
# A subtler one: 1% a step takes its time. From 0, after $k$ steps $1 - 0.99^k$ of a constant mean
# is reached; 459 steps for 99% of it. Test too early and you test with the wrong statistics.

# %%
histories, x = {}, np.array([[0.5], [1.5]])
for momentum in (0.1, 0.01):
    mean, var, seen = np.zeros(1), np.ones(1), []
    for _ in range(600):
        batch_norm_forward(x, np.ones(1), np.zeros(1), mean, var, momentum=momentum)
        seen.append(mean[0])
    histories[f"momentum = {momentum}"] = seen
print("steps to 99%:", [1 + sum(mean < 0.99 for mean in seen) for seen in histories.values()])
show.curves(histories, xlabel="training step", ylabel=r"running mean ($\mu = 1$)")

# %% [markdown]
# ## 7 · Backward, step by step
#
# $x$ reaches $y$ on **three** paths: directly, through $\mu$ and through $\sigma^2$. Walk back
# through this graph, one gate at a time. Where several arrows leave a gate, the gradients that come
# back are added up. $\bar v$ is short for $\partial L / \partial v$, shaped like $v$.

# %%
show.batch_norm_graph()

# %% [markdown]
# **Task.** Write `batch_norm_backward` (for training mode). $\gamma$ and $\beta$ are shared by all
# rows, so their gradients are sums over the batch. What does a sum over the batch become, backward?


# %% solution="batch-norm-backward"
def batch_norm_backward(dout, cache):
    """Gradients in training mode. dout: (N, D). Returns dx: (N, D), dgamma and dbeta: (D,)."""
    ### BEGIN SOLUTION
    x_hat, gamma, std = cache
    dx_hat = dout * gamma
    dstd = -(dx_hat * x_hat).sum(axis=0) / std
    dvar = dstd / (2 * std)
    centred = x_hat * std
    dcentred = dx_hat / std + 2 * centred * dvar / len(dout)
    dmu = -dcentred.sum(axis=0)
    dx = dcentred + dmu / len(dout)
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    ### END SOLUTION


# %% test="batch-norm-dgamma-dbeta" points=3
both = batch_norm_forward, batch_norm_backward
case = dict(x=check.spread(6, 4, mean=3, std=2), **per_feature(4), eps=0.1)
check.batch_norm.backward(*both, "dbeta", **case)
check.batch_norm.backward(*both, "dgamma", **case)
### BEGIN HIDDEN TESTS
case = dict(x=check.spread(9, 3, mean=-2), **per_feature(3), eps=0.3, concept="other sizes")
check.batch_norm.backward(*both, "dbeta", **case)
check.batch_norm.backward(*both, "dgamma", **case)
### END HIDDEN TESTS

# %% test="batch-norm-dx" points=5
both, case = (batch_norm_forward, batch_norm_backward), dict(**per_feature(4), momentum=0)
check.batch_norm.backward(*both, "dx", x=check.spread(6, 4, mean=3, std=2), **case, eps=0.1)
check.batch_norm.gradients(*both, x=(5, 4), **case, eps=0.1)
### BEGIN HIDDEN TESTS
large = dict(x=check.spread(7, 4, mean=-1, std=0.3), eps=0.1, concept="dx with a large ε")
check.batch_norm.backward(*both, "dx", **large, **case)
check.batch_norm.backward(*both, "dx", x=(3, 4), eps=0.01, **case, concept="dx, a small batch")
### END HIDDEN TESTS

# %% [markdown]
# Now with pencil and paper. Insert each line into the next; much cancels, because $\hat x$ has mean
# 0. With $E[\cdot]$ for the mean over the batch, all that is left is
#
# $$\bar x = \frac{\gamma}{\sqrt{\sigma^2 + \varepsilon}}
# \Big( \bar y - E[\bar y] - \hat x\, E[\bar y\, \hat x] \Big).$$
#
# (With $c = x - \mu$ and $s = \sqrt{\sigma^2+\varepsilon}$: the path through $\sigma^2$ gives
# $\frac{2c}{N}\bar\sigma^2 = -\frac{\hat x}{s} E[\bar{\hat x}\, \hat x]$; the mean of $\bar c$ is
# then $E[\bar{\hat x}]/s$, and $\mu$ takes it away.)
#
# **Task.** Write it down. Two of the three terms you have already, up to a factor.


# %% solution="batch-norm-backward-simple"
def batch_norm_backward_simple(dout, cache):
    """As batch_norm_backward, by the simplified formula."""
    ### BEGIN SOLUTION
    x_hat, gamma, std = cache
    dgamma, dbeta = np.einsum("nd,nd->d", dout, x_hat), dout.sum(axis=0)
    dx = x_hat * (-dgamma / len(dout))
    dx += dout
    dx -= dbeta / len(dout)
    dx *= gamma / std
    return dx, dgamma, dbeta
    ### END SOLUTION


# %% test="batch-norm-simple-gradients" points=4
both = batch_norm_forward, batch_norm_backward_simple
case = dict(x=check.spread(6, 4, mean=3, std=2), **per_feature(4), eps=0.1)
for gradient in ("dx", "dgamma", "dbeta"):
    check.batch_norm.backward(*both, gradient, **case)
### BEGIN HIDDEN TESTS
case = dict(x=check.spread(3, 5, mean=1, std=0.2), **per_feature(5), momentum=0, eps=0.3)
check.batch_norm.gradients(*both, **case, concept="a small batch, a large ε")
### END HIDDEN TESTS

# %% [markdown]
# What does the formula *mean*? Draw one feature: $\bar y$ against $\hat x$, and the straight line
# that fits it best. $E[\bar y] + \hat x\,E[\bar y\,\hat x]$ is that line, so $\bar x$ is what the
# line leaves over. Shifting and scaling all inputs cannot change the output of batch norm; so the
# gradient asks for neither. (Take a `dout` of ones: `dx` is 0. A test that uses one sees no bug.)

# %%
rng = np.random.default_rng(5)
x = rng.standard_normal((12, 1))
dout = 0.5 + 0.8 * x + 0.5 * rng.standard_normal((12, 1))
one, zero = np.ones(1), np.zeros(1)
x_hat, cache = batch_norm_forward(x, one, zero, zero.copy(), one.copy())
dx, _, _ = batch_norm_backward_simple(dout, cache)
show.leftover(x_hat[:, 0], dout[:, 0], dx[:, 0] * x.std())

# %% [markdown]
# ## 8 · Batch norm for images
#
# After a convolution, $x$ is $N \times C \times H \times W$. A filter gives a channel the same
# meaning at every pixel, so **a channel is one feature**, and each of its $N \cdot H \cdot W$
# numbers an example: $\mu, \sigma^2, \gamma, \beta$ have $C$ numbers.
#
# **Task.** Write the spatial version. You may call what you have: all it needs is the numbers in
# the shape $(N H W, C)$. A `reshape` alone keeps the order in memory and would mix the channels.


# %% solution="spatial-batch-norm"
def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    """Batch normalization of each channel. x: (N, C, H, W), all else (C,)."""
    ### BEGIN SOLUTION
    out, cache = batch_norm_forward(
        as_rows(x), gamma, beta, running_mean, running_var, training, momentum, eps
    )
    return as_images(out, x.shape), cache


def as_rows(x):
    # (N, C, H, W) -> (N·H·W, C). Whole maps are copied in one piece; the transpose is a view.
    return x.swapaxes(0, 1).reshape(x.shape[1], -1).T


def as_images(rows, shape):
    n, c, height, width = shape
    return rows.T.reshape(c, n, height, width).swapaxes(0, 1)
    ### END SOLUTION


def spatial_batch_norm_backward(dout, cache):
    """Gradients in training mode. dout: (N, C, H, W). Returns dx, dgamma, dbeta."""
    ### BEGIN SOLUTION
    dx, dgamma, dbeta = batch_norm_backward_simple(as_rows(dout), cache)
    return as_images(dx, dout.shape), dgamma, dbeta
    ### END SOLUTION


# %% test="spatial-forward" points=4
case = dict(x=check.spread(2, 3, 4, 5, mean=2, std=3), **per_feature(3), momentum=0.2, eps=0.1)
check.spatial_batch_norm.forward(spatial_batch_norm_forward, **case)
check.spatial_batch_norm.forward(spatial_batch_norm_forward, **case, training=False)
### BEGIN HIDDEN TESTS
case = dict(x=(4, 2, 3, 1), **per_feature(2), concept="other sizes")
check.spatial_batch_norm.forward(spatial_batch_norm_forward, **case)
case = dict(x=(1, 4, 2, 3), **per_feature(4), eps=0.5, concept="test mode, one image")
check.spatial_batch_norm.forward(spatial_batch_norm_forward, **case, training=False)
### END HIDDEN TESTS

# %% test="spatial-backward" points=4
both = spatial_batch_norm_forward, spatial_batch_norm_backward
case = dict(x=check.spread(2, 3, 4, 5, mean=2, std=3), **per_feature(3), eps=0.1)
for gradient in ("dx", "dgamma", "dbeta"):
    check.spatial_batch_norm.backward(*both, gradient, **case)
### BEGIN HIDDEN TESTS
case = dict(x=(7, 2, 3, 2), **per_feature(2), momentum=0, eps=0.3, concept="other sizes")
check.spatial_batch_norm.gradients(*both, **case)
### END HIDDEN TESTS

# %% [markdown]
# ## 9 · Free at test time
#
# In test mode nothing depends on the batch any more: batch norm multiplies each channel by a number
# and adds another. A convolution can do that itself! Put the convolution $w * x + b$ into $\gamma
# (\,\cdot - \mu)/\sqrt{\sigma^2 + \varepsilon} + \beta$ and read off its new filters and bias.
#
# **Task.** Fuse the two. `w[f]` is the filter that makes channel `f`.


# %% solution="fold"
def fold_weight(w, gamma, running_var, eps=1e-5):
    """w: (C_out, C_in, K_H, K_W), the others (C_out,). Returns new filters, of w's shape."""
    ### BEGIN SOLUTION
    return w * (gamma / np.sqrt(running_var + eps))[:, None, None, None]
    ### END SOLUTION


def fold_bias(b, gamma, beta, running_mean, running_var, eps=1e-5):
    """All (C_out,). Returns the new bias."""
    ### BEGIN SOLUTION
    return gamma * (b - running_mean) / np.sqrt(running_var + eps) + beta
    ### END SOLUTION


# %% test="fold-values" points=4
var = check.positive(4)
check.fold_weight.forward(fold_weight, w=(4, 3, 3, 2), gamma=(4,), running_var=var, eps=0.1)
check.fold_bias.forward(fold_bias, b=(4,), **per_feature(4), eps=0.1)
### BEGIN HIDDEN TESTS
var = np.array([1e-4, 0.5, 2])
case = dict(w=(3, 3, 2, 3), gamma=(3,), concept="as many channels in as out, a small variance")
check.fold_weight.forward(fold_weight, **case, running_var=var)
case = dict(per_feature(3), running_var=var)
check.fold_bias.forward(fold_bias, b=(3,), **case, concept="a small variance")
### END HIDDEN TESTS

# %% [markdown]
# Is it the same? A filter as large as the image makes one dot product: take that as the convolution
# and send 100 images both ways.

# %%
rng = np.random.default_rng(6)
x, w, b = rng.standard_normal((100, 3, 5, 4)), rng.standard_normal((6, 3, 5, 4)), np.arange(6.0)
gamma, beta, mean, var = rng.standard_normal((4, 6)) ** 2
conv = np.tensordot(x, w, ([1, 2, 3], [1, 2, 3])) + b
both, _ = batch_norm_forward(conv, gamma, beta, mean, var, training=False)
fused = np.tensordot(x, fold_weight(w, gamma, var), ([1, 2, 3], [1, 2, 3]))
fused += fold_bias(b, gamma, beta, mean, var)
print(f"largest output {np.abs(both).max():.1f}, off by at most {np.abs(fused - both).max():.1e}")

# %% [markdown]
# ## 10 · Which axes?
#
# Batch norm is one of a family. What tells them apart is which numbers share a mean and a variance.
# In the drawing they are blue; $H$ and $W$ are drawn as one axis. (The idea of this picture is
# from Wu and He, *Group Normalization*, ECCV 2018.)

# %%
show.averaged_axes()

# %% [markdown]
# All but batch norm look at one example at a time. They need no running statistics and do the same
# in training and at test time. In all of them $\gamma$ and $\beta$ have one number for a *feature*,
# as in batch norm. Transformers use **layer norm**: for $x \in \mathbb{R}^{N \times D}$ each *row*
# has a mean and a variance.
#
# **Task.** Write it. On the way back, watch $\gamma$: within one row there are $D$ different ones.


# %% solution="layer-norm"
def layer_norm_forward(x, gamma, beta, eps=1e-5):
    """Each row by its own statistics. x: (N, D), gamma, beta: (D,). Returns out and a cache."""
    ### BEGIN SOLUTION
    x_hat, std = normalized(x, eps)
    return gamma * x_hat + beta, (x_hat, gamma, std)


def normalized(rows, eps):
    centred = rows - rows.mean(axis=1, keepdims=True)
    std = np.sqrt((centred**2).mean(axis=1, keepdims=True) + eps)
    return centred / std, std


def normalized_backward(dx_hat, x_hat, std):
    along = (dx_hat * x_hat).mean(axis=1, keepdims=True)
    return (dx_hat - dx_hat.mean(axis=1, keepdims=True) - x_hat * along) / std
    ### END SOLUTION


def layer_norm_backward(dout, cache):
    """dout: (N, D). Returns dx: (N, D), dgamma and dbeta: (D,)."""
    ### BEGIN SOLUTION
    x_hat, gamma, std = cache
    dx = normalized_backward(dout * gamma, x_hat, std)
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    ### END SOLUTION


# %% test="layer-norm-forward" points=2
case = dict(x=check.spread(4, 6, mean=3, std=2), gamma=(6,), beta=(6,), eps=0.1)
check.layer_norm.forward(layer_norm_forward, **case)
### BEGIN HIDDEN TESTS
case = dict(x=check.spread(5, 3, std=0.01), gamma=(3,), beta=(3,))
check.layer_norm.forward(layer_norm_forward, **case, concept="a small variance beside ε")
### END HIDDEN TESTS

# %% test="layer-norm-backward" points=4
both = layer_norm_forward, layer_norm_backward
case = dict(x=check.spread(4, 6, mean=3, std=2), gamma=(6,), beta=(6,), eps=0.1)
for gradient in ("dx", "dgamma", "dbeta"):
    check.layer_norm.backward(*both, gradient, **case)
### BEGIN HIDDEN TESTS
case = dict(x=(5, 3), gamma=(3,), beta=(3,), eps=0.3, concept="other sizes")
check.layer_norm.gradients(*both, **case)
### END HIDDEN TESTS

# %% [markdown]
# For images, **group norm** cuts the $C$ channels of an image into $G$ runs of neighbours; each
# run, with all its pixels, has one mean and one variance. With $G = C$ every channel stands alone:
# that is **instance norm**. With $G = 1$ it is layer norm's way with an image.
#
# **Task.** Write it, both ways. $\gamma$ and $\beta$ have a number for each channel.


# %% solution="group-norm"
def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    """Each group of channels by its own statistics. x: (N, C, H, W), gamma, beta: (C,)."""
    ### BEGIN SOLUTION
    x_hat, std = normalized(x.reshape(len(x) * groups, -1), eps)
    x_hat = x_hat.reshape(x.shape)
    return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, gamma, std)
    ### END SOLUTION


def group_norm_backward(dout, cache):
    """dout: (N, C, H, W). Returns dx: (N, C, H, W), dgamma and dbeta: (C,)."""
    ### BEGIN SOLUTION
    x_hat, gamma, std = cache
    dx_hat = (dout * gamma[:, None, None]).reshape(len(std), -1)
    dx = normalized_backward(dx_hat, x_hat.reshape(dx_hat.shape), std).reshape(dout.shape)
    return dx, (dout * x_hat).sum(axis=(0, 2, 3)), dout.sum(axis=(0, 2, 3))
    ### END SOLUTION


# %% test="group-norm-forward" points=3
case = dict(x=check.spread(2, 6, 3, 4, mean=1, std=2), gamma=(6,), beta=(6,), eps=0.1)
check.group_norm.forward(group_norm_forward, **case, groups=2)
check.group_norm.forward(group_norm_forward, **case, groups=3)
### BEGIN HIDDEN TESTS
check.group_norm.forward(group_norm_forward, **case, groups=6, concept="instance norm")
check.group_norm.forward(group_norm_forward, **case, groups=1, concept="one group")
### END HIDDEN TESTS

# %% test="group-norm-backward" points=4
both = group_norm_forward, group_norm_backward
case = dict(x=check.spread(2, 6, 3, 4, mean=1, std=2), gamma=(6,), beta=(6,), groups=2, eps=0.1)
for gradient in ("dx", "dgamma", "dbeta"):
    check.group_norm.backward(*both, gradient, **case)
### BEGIN HIDDEN TESTS
case = dict(x=(3, 4, 3, 2), gamma=(4,), beta=(4,), groups=4, concept="instance norm")
check.group_norm.gradients(*both, **case)
### END HIDDEN TESTS

# %% [markdown]
# What instance norm does to a picture: light and contrast are a mean and a scale. Below are a
# photograph, a dark one, a pale one, and each normalized. Some tasks must not depend on the light.

# %%
colour = show.photograph()
photos = np.stack([colour, 0.3 * colour, 0.7 + 0.3 * colour])
same, _ = group_norm_forward(photos, np.full(3, 0.2), np.full(3, 0.5), groups=3)
titles = ["photograph", "dark", "pale", "normalized", "normalized", "normalized"]
show.images([*photos, *same], titles)

# %% [markdown]
# ## 11 · In your own words
#
# A convolution with a bias is followed by batch norm. What does the bias change, in training? What
# is its gradient? What would you do about it, and does the answer still hold once the two are
# fused?

# %% [markdown] essay="bias" points=4
# ### BEGIN SOLUTION
# Nothing: a bias shifts all numbers of a channel, so it shifts their mean by as much, and batch
# norm subtracts the mean. Its gradient is 0 (dx sums to 0 over everything that shares a mean).
# Leave it out; beta does its work. The fused convolution does need a bias, since that is where beta
# and the running mean go.
# ### END SOLUTION

# %% [markdown]
# Your network is right for 95% of its *training* images while it is in training mode with batches
# of 64, but for 12% of the very same images in test mode. Name two causes that would explain
# this, and for each an experiment that would tell whether it is the one.

# %% [markdown] essay="train-test-gap" points=4
# ### BEGIN SOLUTION
# The same images: so it is not overfitting, it is the running statistics. (1) They were never
# updated: print running_mean and running_var, are they still 0 and 1? (2) There were too few steps,
# or the weights change faster than the averages follow: run some batches in training mode without
# learning, then test again. Also possible: batches that were sorted by class, so that each batch
# has other statistics than all data (shuffle); a variance or eps used differently in the two modes
# (in test mode, put in the statistics of one batch and compare the two outputs).
# ### END SOLUTION

# %% [markdown]
# ## What you have built
#
# Every layer that stands between the convolutions, with its gradients. And the reason for the last
# of them: send random numbers through 20 layers and look how large they are at each depth. With
# weights around 0.04 they vanish, with 0.5 they explode, unless somebody chooses the weights well.
# With batch norm, yours, they stay where they are (two lines, one on the other).

# %%
rng = np.random.default_rng(7)
sizes = {}
for scale in (0.04, 0.5):
    for name in ("plain", "batch norm"):
        x, spread = rng.standard_normal((64, 100)), []
        ones, zeros = np.ones((2, 100)), np.zeros((2, 100))
        for _ in range(20):
            x = x @ (scale * rng.standard_normal((100, 100)))
            if name == "batch norm":
                x, _ = batch_norm_forward(x, ones[0], zeros[0], zeros[1], ones[1])
            x = np.maximum(x, 0)
            spread.append(x.std())
        sizes[f"{name}, {scale}"] = spread
show.curves(sizes, xlabel="layer", ylabel="standard deviation", log=True)

# %% [markdown]
# Next, all of it becomes a network: LeNet-5, trained by your own code.
#
# To read on: Ioffe and Szegedy, *Batch Normalization* (arXiv:1502.03167), where it comes from;
# Santurkar and others, *How Does Batch Normalization Help Optimization?* (arXiv:1805.11604), on why
# it works; Wu and He, *Group Normalization* (arXiv:1803.08494).

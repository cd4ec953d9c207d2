# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1 · Backpropagation
#
# To train a network is to ask, of every one of its weights: *if you grew a little, would the loss
# grow or shrink, and how fast?* Millions of weights, one answer each: the gradient. Backpropagation
# gives all of them in one sweep, for about the price of two more forward passes. You will write it
# for a single neuron, then for gates, vectors and matrices, until a two-layer network trains on
# code that is all yours.
#
# **How to work.** Fill in the cells that say `YOUR CODE HERE`, then run the check below each. A
# check tells you what it tried, what it got, what it expected and, if it recognises it, which
# mistake it looks like. Some checks are hidden and run only when you hand in; they ask the same
# with other numbers and sizes. You need two to three hours and no GPU.

# %% locked="setup"
from importlib.util import find_spec

if find_spec("autograder") is None:  # a new machine, such as one of Colab's
    print("Installing what this course needs ...")
    # %pip install --quiet "receptive-field @ {{package}}"

import numpy as np

from autograder import check, here, show

here.report()

# %% [markdown]
# ## 1 · A graph, forward and backward
#
# Any formula can be cut into small steps. Draw a circle (a **gate**) for each step and an edge for
# each value, and you have a **computational graph**. Here is a neuron with two inputs $x_0, x_1$,
# two weights $w_0, w_1$ and a bias $w_2$:
#
# $$L = \sigma(w_0 x_0 + w_1 x_1 + w_2), \qquad \sigma(s) = \frac{1}{1 + e^{-s}}$$
#
# Going **forward**, from left to right, every gate computes its value (green, above the edge).

# %%
NEURON = {
    "s0": ("×", "w0", "x0"),
    "s1": ("×", "w1", "x1"),
    "s2": ("+", "s0", "s1"),
    "s3": ("+", "s2", "w2"),
    "L": ("σ", "s3"),
}
inputs = dict(w0=2.0, x0=-1.0, w1=-3.0, x1=-2.0, w2=-3.0)
values = dict(**inputs, s0=-2.0, s1=6.0, s2=4.0, s3=1.0, L=0.73)
show.graph(NEURON, values)

# %% [markdown]
# Going **backward**, from right to left, every gate is told one thing: how fast $L$ grows with its
# output. That is its **upstream gradient**. It knows by itself how fast its output grows with each
# input: its **local gradients**. The chain rule says: multiply. The products are the **downstream
# gradients**, and each is the upstream gradient of the next gate. No gate ever sees the whole
# graph.

# %%
show.gate()

# %% [markdown]
# The first upstream gradient is $\partial L/\partial L = 1$. The local gradient of the sigmoid is
# $\sigma(s)\,(1 - \sigma(s))$, which needs only its *output*: $(1 - L)\,L$.
#
# **Task.** Write `neuron` as **flat** code: first the five steps forward, one line each; then the
# same lines once more from the last to the first, a line for each gradient. The lecture calls them
# `s0 … s3, L` and `grad_L, grad_s3, …`. Return `L` and the five gradients of the inputs.


# %% solution="neuron"
def neuron(w0, x0, w1, x1, w2):
    """The sigmoid neuron on numbers. Returns L, (dw0, dx0, dw1, dx1, dw2)."""
    ### BEGIN SOLUTION
    s0 = w0 * x0
    s1 = w1 * x1
    s2 = s0 + s1
    s3 = s2 + w2
    L = 1 / (1 + np.exp(-s3))

    grad_L = 1.0
    grad_s3 = grad_L * (1 - L) * L
    grad_s2 = grad_w2 = grad_s3
    grad_s0 = grad_s1 = grad_s2
    grad_w1, grad_x1 = grad_s1 * x1, grad_s1 * w1
    grad_w0, grad_x0 = grad_s0 * x0, grad_s0 * w0
    return L, (grad_w0, grad_x0, grad_w1, grad_x1, grad_w2)
    ### END SOLUTION


# %% test="neuron-any" points=4
check.neuron.flat(neuron, w0=0.5, x0=-0.8, w1=1.5, x1=0.6, w2=-0.3)
### BEGIN HIDDEN TESTS
number = check.spread(std=0.7)
check.neuron.flat(
    neuron, w0=number, x0=number, w1=number, x1=number, w2=number, concept="other numbers"
)
### END HIDDEN TESTS

# %% test="neuron-lecture" points=2
check.neuron.flat(neuron, w0=2.0, x0=-1.0, w1=-3.0, x1=-2.0, w2=-3.0)

# %% [markdown]
# Those were the lecture's numbers. As $x = [-1, -2]$ is a vector, its gradient is one too, of the
# same shape: the lecture writes $[0.40, -0.60]$, having rounded $0.1966$ to $0.20$ on the way. Here
# is the graph with *your* gradients (orange, below the edges). Read it from the right.

# %%
L, back = neuron(**inputs)
gradients = dict(zip(inputs, back, strict=True), L=1.0)
gradients |= dict.fromkeys(["s0", "s1", "s2", "s3"], gradients["w2"])
show.graph(NEURON, values | {"L": L}, gradients)

# %% [markdown]
# ## 2 · Gates
#
# Flat code must be written anew for every formula. So cut it into pieces that can be put together
# in any way: each gate gets a **forward**, which also stashes what the way back will need in a
# **cache**, and a **backward**, which takes the upstream gradient `dout` and returns one downstream
# gradient an input.
#
# **Task.** Write three gates on numbers. Before you code: which of them passes `dout` on, which one
# swaps its inputs, which one picks a way?


# %% solution="gates"
def add_forward(x, y):
    """Returns x + y and a cache."""
    ### BEGIN SOLUTION
    return x + y, None
    ### END SOLUTION


def add_backward(dout, cache):
    """Returns dx, dy."""
    ### BEGIN SOLUTION
    return dout, dout
    ### END SOLUTION


def multiply_forward(x, y):
    """Returns x * y and a cache."""
    ### BEGIN SOLUTION
    return x * y, (x, y)
    ### END SOLUTION


def multiply_backward(dout, cache):
    """Returns dx, dy."""
    ### BEGIN SOLUTION
    x, y = cache
    return dout * y, dout * x
    ### END SOLUTION


# %% solution="max-gate"
def max_forward(x, y):
    """Returns the larger of x and y, and a cache."""
    ### BEGIN SOLUTION
    return max(x, y), x > y
    ### END SOLUTION


def max_backward(dout, cache):
    """Returns dx, dy."""
    ### BEGIN SOLUTION
    x_won = cache
    return dout * x_won, dout * (not x_won)
    ### END SOLUTION


# %% test="gates-forward" points=1
check.add_gate.forward(add_forward, x=3.0, y=-1.0)
check.multiply_gate.forward(multiply_forward, x=3.0, y=-1.0)
check.max_gate.forward(max_forward, x=3.0, y=-1.0)
check.max_gate.forward(max_forward, x=-3.0, y=-1.0)

# %% test="gates-backward" points=3
for name in ("dx", "dy"):
    check.add_gate.backward(add_forward, add_backward, name, x=2.0, y=-0.5)
    check.multiply_gate.backward(multiply_forward, multiply_backward, name, x=2.0, y=-0.5)
### BEGIN HIDDEN TESTS
for name in ("dx", "dy"):
    check.multiply_gate.backward(
        multiply_forward, multiply_backward, name, x=(), y=(), concept="other numbers"
    )
### END HIDDEN TESTS

# %% test="max-backward" points=2
for name in ("dx", "dy"):
    check.max_gate.backward(max_forward, max_backward, name, x=2.0, y=-0.5)
    check.max_gate.backward(max_forward, max_backward, name, x=-3.0, y=2.0)

# %% [markdown]
# So an add gate *distributes* its upstream gradient, a multiply gate *swaps* its inputs, and a max
# gate is a *router*: all goes to the winner, nothing to the loser.
#
# ## 3 · Where a value is used twice, gradients add
#
# In $f = (x + y) \cdot \max(x, y)$ both inputs are used twice: the graph branches.

# %%
BRANCH = {"s": ("+", "x", "y"), "m": ("max", "x", "y"), "f": ("×", "s", "m")}
show.graph(BRANCH, dict(x=3.0, y=-1.0, s=2.0, m=3.0, f=6.0))

# %% [markdown]
# If $x$ grows a little, $f$ changes along *both* paths, and small changes add up. So along a path
# gradients multiply; where paths meet again on the way back, they **add**. (In code: `+=`, not
# `=`.)
#
# **Task.** Write `branch` by calling your gates: three of them forward, the same three backward.


# %% solution="branch"
def branch(x, y):
    """All three gates: f = (x + y) * max(x, y). Returns f, (dx, dy)."""
    ### BEGIN SOLUTION
    s, s_cache = add_forward(x, y)
    m, m_cache = max_forward(x, y)
    f, f_cache = multiply_forward(s, m)

    ds, dm = multiply_backward(1.0, f_cache)
    dx, dy = add_backward(ds, s_cache)
    dx_max, dy_max = max_backward(dm, m_cache)
    return f, (dx + dx_max, dy + dy_max)
    ### END SOLUTION


# %% test="branch-sum" points=4
check.branch.flat(branch, x=3.0, y=-1.0)
check.branch.flat(branch, x=-0.5, y=2.5)
### BEGIN HIDDEN TESTS
check.branch.flat(branch, x=-1.5, y=-0.7, concept="both negative")
check.branch.flat(branch, x=check.positive(), y=check.positive(), concept="both positive")
### END HIDDEN TESTS

# %%
f, (dx, dy) = branch(3.0, -1.0)
gradients = dict(f=1.0, s=3.0, m=2.0, x=dx, y=dy)
gradients |= {("x", "s"): 3.0, ("y", "s"): 3.0, ("x", "m"): 2.0, ("y", "m"): 0.0}
show.graph(BRANCH, dict(x=3.0, y=-1.0, s=2.0, m=3.0, f=f), gradients)

# %% [markdown]
# ## 4 · Vectors: a Jacobian that nobody needs
#
# If a gate takes a vector of $N$ numbers to one of $M$, it has $N \times M$ local gradients, its
# **Jacobian**: $(\partial y/\partial x)_{n,m} = \partial y_m / \partial x_n$. The chain rule
# becomes a product of this matrix with the upstream vector,
# $\frac{\partial L}{\partial x} = \frac{\partial y}{\partial x}\,\frac{\partial L}{\partial y}$.
# And since $L$ is one number, a gradient always has the **shape of the variable** itself.
#
# Take ReLU, $y_n = \max(0, x_n)$. Each output depends on one input only, so all of the Jacobian off
# the diagonal is 0. Nobody builds such a matrix: multiply by what is *on* the diagonal, number by
# number.
#
# **Task.** Write both passes, for arrays of any shape. What does `backward` have to remember?


# %% solution="relu"
def relu_forward(x):
    """Number by number, for x of any shape. Returns max(0, x) and a cache."""
    ### BEGIN SOLUTION
    return np.maximum(0, x), x
    ### END SOLUTION


def relu_backward(dout, cache):
    """The shape of dout is that of x. Returns dx."""
    ### BEGIN SOLUTION
    x = cache
    return dout * (x > 0)
    ### END SOLUTION


# %% test="relu-forward" points=1
check.relu.forward(relu_forward, x=(3, 4))
check.relu.forward(relu_forward, x=np.array([1.0, -2, 3, -1]))

# %% [markdown]
# The lecture's example: $x = [1, -2, 3, -1]$, and $[4, -1, 5, 9]$ comes from upstream.


# %% test="relu-backward" points=3
def downstream(x, upstream):
    return relu_backward(upstream, relu_forward(x)[1])


check.relu.backward(relu_forward, relu_backward, "dx", x=(3, 4))
check.that(downstream, np.array([1.0, -2, 3, -1]), np.array([4.0, -1, 5, 9])).returns([4, 0, 5, 0])
### BEGIN HIDDEN TESTS
check.relu.backward(relu_forward, relu_backward, "dx", x=(2, 3, 4, 5), concept="four axes")
check.relu.backward(relu_forward, relu_backward, "dx", x=check.ties(4, 6), concept="zeros in x")
### END HIDDEN TESTS

# %% [markdown]
# What you wrote is a **vector-Jacobian product**: it answers with the product and never has the
# matrix. Feed it one unit vector after another if you want to see the columns.

# %%
_, cache = relu_forward(np.array([1.0, -2, 3, -1]))
jacobian = np.stack([relu_backward(unit, cache) for unit in np.eye(4)], axis=1)
show.matrix(jacobian, "the Jacobian of ReLU", xlabel="output $m$", ylabel="input $n$")

# %% [markdown]
# ## 5 · Matrices: the shapes tell you
#
# Now $y = xw$ with $x$ of shape $N \times D$ (a row an image) and $w$ of shape $D \times M$:
# $y_{n,m} = \sum_d x_{n,d}\, w_{d,m}$. Every output depends on a whole row
# of $x$. What would its Jacobian
# $\partial y/\partial x$ cost? It has a number for each pair of a number of $x$ and a number of
# $y$.
#
# **Task.** Write `jacobian_bytes`, for this one and for $\partial y/\partial w$. A number takes 4
# bytes in single precision.


# %% solution="jacobian-bytes"
def jacobian_bytes(N, D, M, itemsize=4):
    """For y = x w, x: (N, D), w: (D, M). Returns the bytes of dy/dx, and those of dy/dw."""
    ### BEGIN SOLUTION
    return (N * D) * (N * M) * itemsize, (D * M) * (N * M) * itemsize
    ### END SOLUTION


# %% test="jacobian-lecture" points=2
check.that(jacobian_bytes, 2, 3, 4).returns(
    [192, 384], hint="x has 6 numbers, w has 12, y has 8. Each number of a Jacobian takes 4 bytes."
)
check.that(jacobian_bytes, 64, 4096, 4096).returns([256 * 2**30, 16 * 2**40])
### BEGIN HIDDEN TESTS
check.that(jacobian_bytes, 5, 7, 3, itemsize=8).returns([4200, 2520], concept="double precision")
### END HIDDEN TESTS

# %% [markdown]
# That second line was the lecture's layer: 256 GiB for $x$ and 16 TiB for $w$, for one batch! So
# ask as before: what does $x_{n,d}$ touch? The whole row $y_{n,\cdot}$, and $y_{n,m}$ by a factor
# of $w_{d,m}$. It was used $M$ times, so $M$ gradients add up:
#
# $$\frac{\partial L}{\partial x_{n,d}} = \sum_m \frac{\partial L}{\partial y_{n,m}}\, w_{d,m}$$
#
# That is a matrix product again. Which one, and what is it for $w$? There is only one way to make
# the shapes match.
#
# **Task.** Write both passes. No Jacobian, and no loop either.


# %% solution="matmul"
def matmul_forward(x, w):
    """x: (N, D), w: (D, M). Returns y: (N, M) and a cache."""
    ### BEGIN SOLUTION
    return x @ w, (x, w)
    ### END SOLUTION


def matmul_backward(dout, cache):
    """dout: (N, M). Returns dx: (N, D), dw: (D, M)."""
    ### BEGIN SOLUTION
    x, w = cache
    return dout @ w.T, x.T @ dout
    ### END SOLUTION


# %% [markdown]
# The lecture's matrices. Where your $y$ and the slide's disagree, trust the sum: the first number
# is $2{\cdot}3 + 1{\cdot}2 - 3{\cdot}3 = -1$, and the slide has a slip there.

# %% test="matmul-lecture" points=2
x = np.array([[2.0, 1, -3], [-3, 4, 2]])
w = np.array([[3.0, 2, 1, -1], [2, 1, 3, 2], [3, 2, 1, -2]])
dout = np.array([[2.0, 3, -3, 9], [-8, 1, 4, 6]])


def back_to_x(dout):
    return matmul_backward(dout, matmul_forward(x, w)[1])[0]


check.matmul.forward(matmul_forward, x=x, w=w)
for name in ("dx", "dw"):
    check.matmul.backward(matmul_forward, matmul_backward, name, x=x, w=w)
check.that(back_to_x, dout).returns([[0, 16, -9], [-24, 9, -30]])

# %% [markdown]
# When all sizes are equal, shapes protect you from nothing:

# %% test="matmul-square" points=2
check.matmul.forward(matmul_forward, x=(4, 4), w=(4, 4))
for name in ("dx", "dw"):
    check.matmul.backward(matmul_forward, matmul_backward, name, x=(4, 4), w=(4, 4))
### BEGIN HIDDEN TESTS
for name in ("dx", "dw"):
    check.matmul.backward(
        matmul_forward, matmul_backward, name, x=(7, 2), w=(2, 5), concept="other sizes"
    )
### END HIDDEN TESTS

# %% [markdown]
# ## 6 · Measure it
#
# How do you know that a gradient is right if nobody tells you? Measure it. Move one number of $x$
# by $h$ up and by $h$ down, everything else staying put, and see how much $f$ changes:
#
# $$\frac{\partial f}{\partial x_i} \approx \frac{f(x + h e_i) - f(x - h e_i)}{2h}$$
#
# This **central difference** is off by something like $h^2$; the one-sided one,
# $(f(x+h) - f(x))/h$, by something like $h$. It is slow (two calls of $f$ a number) and it
# is the best test you have.
#
# **Task.** Write `numerical_gradient` for `x` of any shape. Leave `x` as you found it.


# %% solution="numerical-gradient"
def numerical_gradient(f, x, h=1e-5):
    """The gradient of f at x by central differences. f takes an array like x, returns a number."""
    ### BEGIN SOLUTION
    gradient = np.zeros_like(x, dtype=float)
    moved = x.astype(float)  # a copy
    for place in np.ndindex(x.shape):
        moved[place] = x[place] + h
        above = f(moved)
        moved[place] = x[place] - h
        gradient[place] = (above - f(moved)) / (2 * h)
        moved[place] = x[place]
    return gradient
    ### END SOLUTION


# %% test="central-difference" points=4
def cubic(x):
    return (x**2).sum() * x.sum()


check.numerical_gradient(numerical_gradient, cubic, x=(2, 3), h=0.1)
check.numerical_gradient(numerical_gradient, cubic, x=(4,))
### BEGIN HIDDEN TESTS
check.numerical_gradient(numerical_gradient, cubic, x=(2, 1, 3), h=0.05, concept="three axes")
### END HIDDEN TESTS

# %% [markdown]
# Why $h = 10^{-5}$? Here are the errors of both formulas for $f(x) = e^x$ at $x = 1$. On the left
# $h$ is large and the formula is wrong; on the right it is tiny, two nearly equal numbers are
# subtracted, and what is left is rounding.

# %%
steps = 10.0 ** -np.arange(1, 15)
central = [numerical_gradient(lambda x: np.exp(x).sum(), np.ones(1), h)[0] for h in steps]
slopes = {"central": np.array(central), "one-sided": (np.exp(1 + steps) - np.e) / steps}
errors = {name: abs(slope - np.e) for name, slope in slopes.items()}
show.curves(errors, xlabel="$k$, where $h = 10^{-k}$", ylabel="error of the slope", log=True)

# %% [markdown]
# Now test your own `matmul_backward` with it. To turn a matrix into one number, multiply by a
# random upstream gradient and sum: the gradient of *that* is what `backward` returns.

# %%
rng = np.random.default_rng(0)
x, w, dout = (rng.standard_normal(shape) for shape in [(3, 4), (4, 2), (3, 2)])
dx, dw = matmul_backward(dout, matmul_forward(x, w)[1])
for claim, measured in [
    (dx, numerical_gradient(lambda x: (matmul_forward(x, w)[0] * dout).sum(), x)),
    (dw, numerical_gradient(lambda w: (matmul_forward(x, w)[0] * dout).sum(), w)),
]:
    print(f"largest difference {abs(claim - measured).max():.0e}")

# %% [markdown]
# ## 7 · The affine layer
#
# A **fully-connected** (affine) layer is that product plus a bias, $y = xw + b$. Two details:
#
# - Images come as $N \times C \times H \times W$. The layer stretches each into a row of
#   $D = CHW$ numbers, and on the way back `dx` must become an image again.
# - The same $b$ is added to all $N$ rows. It is used $N$ times, so its gradients add up, to **db of
#   shape (M,)**, like `b` itself: not $(1, M)$.
#
# Do not divide by $N$ anywhere: if the loss is a mean, its $1/N$ is already in `dout`.
#
# **Task.** Write both passes. You may call your `matmul_…`.


# %% solution="affine"
def affine_forward(x, w, b):
    """x: (N, d_1, ..., d_k) of D numbers each, w: (D, M), b: (M,). Returns out: (N, M), cache."""
    ### BEGIN SOLUTION
    return x.reshape(len(x), -1) @ w + b, (x, w)
    ### END SOLUTION


def affine_backward(dout, cache):
    """dout: (N, M). Returns dx: (N, d_1, ..., d_k), dw: (D, M), db: (M,)."""
    ### BEGIN SOLUTION
    x, w = cache
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(len(x), -1).T @ dout
    return dx, dw, dout.sum(axis=0)
    ### END SOLUTION


# %% test="affine-forward" points=2
check.affine.forward(affine_forward, x=(5, 6), w=(6, 4), b=(4,))
check.affine.forward(affine_forward, x=(5, 2, 3), w=(6, 4), b=(4,))
### BEGIN HIDDEN TESTS
check.affine.forward(affine_forward, x=(4, 2, 1, 3), w=(6, 2), b=(2,), concept="small images")
check.affine.forward(affine_forward, x=(4, 2, 2), w=(4, 4), b=(4,), concept="N, D and M are equal")
### END HIDDEN TESTS

# %% test="affine-backward" points=5
for name in ("db", "dw", "dx"):
    check.affine.backward(affine_forward, affine_backward, name, x=(5, 2, 3), w=(6, 4), b=(4,))
### BEGIN HIDDEN TESTS
for name in ("db", "dw", "dx"):
    check.affine.backward(
        affine_forward, affine_backward, name, x=(4, 2, 2), w=(4, 4), b=(4,),
        concept="N, D and M are equal",
    )  # fmt: skip
### END HIDDEN TESTS

# %% [markdown]
# The next check moves `x`, `w` and `b` a little in a random direction, watches how *your own*
# forward answers, and compares. It is your `numerical_gradient` in a hurry.

# %% test="affine-gradients" points=2
check.affine.gradients(affine_forward, affine_backward, x=(3, 2, 4), w=(8, 5), b=(5,))

# %% [markdown]
# ## 8 · From scores to a loss
#
# A network ends with a **score** for each class. The softmax turns a row of scores into
# probabilities, and the loss is minus the logarithm of the right class's, averaged over the $N$
# images:
#
# $$p_{n,c} = \frac{e^{s_{n,c}}}{\sum_k e^{s_{n,k}}}, \qquad
# L = -\frac{1}{N} \sum_n \log p_{n,\,y_n}$$
#
# A trap: $e^{1000}$ is too large for a float. Adding the same number to all scores of a row changes
# no probability, so **subtract the row's largest score** first: then the largest exponential is
# $e^0 = 1$.
#
# **Task.** Write `softmax`.


# %% solution="softmax"
def softmax(scores):
    """scores: (N, C). Returns probabilities: (N, C), each row with the sum 1."""
    ### BEGIN SOLUTION
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
    ### END SOLUTION


# %% test="softmax-rows" points=3
check.softmax.forward(softmax, scores=(4, 6))
far = np.array([[1000.0, 1000, -1000], [1000, -1000, -1000], [-1000, -1000, -1000]])
check.that(softmax, far).returns(
    [[0.5, 0.5, 0], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3]],
    hint="If you see nan: subtract each row's own largest score before np.exp.",
)
### BEGIN HIDDEN TESTS
levels = np.array([[500.0], [1000], [-800]])
steps = np.array([[3, 0, -2, 1], [1, 2, 0, -1], [-3, -1, 2, 2]])
check.softmax.forward(softmax, scores=levels + steps, concept="rows of very different size")
### END HIDDEN TESTS

# %% [markdown]
# The same care once more in the loss: a probability may be so small that it becomes 0, and
# $\log 0 = -\infty$. Take the logarithm on paper: with $s$ already shifted,
# $\log p_{n,c} = s_{n,c} - \log \sum_k e^{s_{n,k}}$, and no probability is needed.
#
# The way back is the most pleasant formula of the course. Work it out for one image (what is
# $\partial \log \sum_k e^{s_k} / \partial s_c$?) before you look at the picture further down.
#
# **Task.** Write both passes. `dout` is now a single number. It is 1 when the loss comes last, but
# multiply by it all the same, as every gate does.


# %% solution="softmax-loss"
def softmax_loss_forward(scores, y):
    """scores: (N, C), y: (N,) right classes, whole numbers from 0. Returns the loss and a cache."""
    ### BEGIN SOLUTION
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(y)), y].mean(), (log_p, y)
    ### END SOLUTION


def softmax_loss_backward(dout, cache):
    """dout: a number. Returns dscores: (N, C)."""
    ### BEGIN SOLUTION
    log_p, y = cache
    dscores = np.exp(log_p)
    dscores[np.arange(len(y)), y] -= 1
    return dout * dscores / len(y)
    ### END SOLUTION


# %% test="softmax-loss-forward" points=3
far = np.array([[1000.0, 0, -1000], [-1000, 0, -900]])
check.softmax_loss.forward(softmax_loss_forward, scores=(5, 7), y=check.labels(5, 7))
check.softmax_loss.forward(softmax_loss_forward, scores=far, y=np.array([0, 2]))
### BEGIN HIDDEN TESTS
check.softmax_loss.forward(
    softmax_loss_forward, scores=far, y=np.array([2, 1]), concept="a very wrong answer"
)
### END HIDDEN TESTS


# %% [markdown]
# A number to remember: a network that knows nothing gives all $C$ classes the same score, so its
# loss is $\log C$. If yours starts elsewhere, look for the mistake before you train.


# %% test="first-loss" points=1
def loss_of_equal_scores(classes):
    return softmax_loss_forward(np.zeros((4, classes)), np.array([0, 1, 2, 2]))[0]


check.that(loss_of_equal_scores, 10).returns(2.302585093, hint="Each probability is 1/10.")
check.that(loss_of_equal_scores, 100).returns(4.605170186)

# %% test="softmax-loss-backward" points=4
check.softmax_loss.backward(
    softmax_loss_forward, softmax_loss_backward, "dscores", scores=(5, 7), y=check.labels(5, 7)
)
check.softmax_loss.gradients(
    softmax_loss_forward, softmax_loss_backward, scores=(3, 4), y=check.labels(3, 4)
)
### BEGIN HIDDEN TESTS
far = np.array([[1000.0, 0, -1000], [-1000, 0, -900]])
check.softmax_loss.backward(
    softmax_loss_forward, softmax_loss_backward, "dscores",
    scores=far, y=np.array([2, 1]), concept="scores of ±1000",
)  # fmt: skip
check.softmax_loss.backward(
    softmax_loss_forward, softmax_loss_backward, "dscores",
    scores=(6, 3), y=check.labels(6, 3), concept="other sizes",
)  # fmt: skip
### END HIDDEN TESTS

# %%
scores = np.array([[2.0, 1.0, -0.5, 0.2]])
loss, cache = softmax_loss_forward(scores, np.array([1]))
gradient = softmax_loss_backward(1.0, cache)
print(f"a photograph of a beach, loss {loss:.3f}")
names = ["abbey", "beach", "forest", "kitchen"]
show.softmax(scores[0], softmax(scores)[0], gradient[0], names, y=1)

# %% [markdown]
# Each wrong class is pushed down by just the probability it was given; the right one is pushed up
# by what it lacks. The pushes sum to 0, and when the answer is right and certain, nothing moves.
#
# ## 9 · A two-layer network, flat
#
# $$a = x w_1 + b_1, \qquad h = \max(0, a), \qquad s = h w_2 + b_2, \qquad
# L = \text{softmax loss}(s, y)$$
#
# **Task.** Write it flat, without your layers: all lines forward, then all lines backward. It is
# the neuron of section 1 with matrices for numbers. (`softmax_loss_…` may be called, it is long.)
# Check shapes as you go: `dw1` is shaped like `w1`, and so on.


# %% solution="two-layer-flat"
def two_layer_flat(w1, b1, w2, b2, x, y):
    """x: (N, D), w1: (D, H), b1: (H,), w2: (H, C), b2: (C,). Returns L, (dw1, db1, dw2, db2)."""
    ### BEGIN SOLUTION
    a = x @ w1 + b1
    h = np.maximum(0, a)
    scores = h @ w2 + b2
    loss, cache = softmax_loss_forward(scores, y)

    dscores = softmax_loss_backward(1.0, cache)
    dw2, db2 = h.T @ dscores, dscores.sum(axis=0)
    dh = dscores @ w2.T
    da = dh * (a > 0)
    dw1, db1 = x.T @ da, da.sum(axis=0)
    return loss, (dw1, db1, dw2, db2)
    ### END SOLUTION


# %% test="two-layer-flat-gradients" points=5
check.two_layer_loss.flat(
    two_layer_flat, w1=(4, 6), b1=(6,), w2=(6, 3), b2=(3,), x=(5, 4), y=check.labels(5, 3)
)
### BEGIN HIDDEN TESTS
check.two_layer_loss.flat(
    two_layer_flat, w1=(3, 5), b1=(5,), w2=(5, 4), b2=(4,), x=(7, 3), y=check.labels(7, 4),
    concept="other sizes",
)  # fmt: skip
### END HIDDEN TESTS

# %% [markdown]
# ## 10 · The same from parts
#
# Nobody wants to write fifty layers flat. Layers that all speak forward and backward are strung
# together: keep their caches, and go back through them in the opposite order. At heart that is what
# a deep learning framework does.
#
# **Task.** Write `two_layer_loss` from `affine_…`, `relu_…` and `softmax_loss_…`, with no
# arithmetic of its own. Now `x` may be a batch of images.


# %% solution="two-layer-loss"
def two_layer_loss(w1, b1, w2, b2, x, y):
    """As two_layer_flat, but x: (N, d_1, ..., d_k). Returns L, (dw1, db1, dw2, db2)."""
    ### BEGIN SOLUTION
    a, first = affine_forward(x, w1, b1)
    h, middle = relu_forward(a)
    scores, second = affine_forward(h, w2, b2)
    loss, last = softmax_loss_forward(scores, y)

    dscores = softmax_loss_backward(1.0, last)
    dh, dw2, db2 = affine_backward(dscores, second)
    da = relu_backward(dh, middle)
    _, dw1, db1 = affine_backward(da, first)
    return loss, (dw1, db1, dw2, db2)
    ### END SOLUTION


# %% test="two-layer-loss-gradients" points=4
check.two_layer_loss.flat(
    two_layer_loss, w1=(4, 6), b1=(6,), w2=(6, 3), b2=(3,), x=(5, 4), y=check.labels(5, 3)
)
### BEGIN HIDDEN TESTS
check.two_layer_loss.flat(
    two_layer_loss, w1=(12, 5), b1=(5,), w2=(5, 4), b2=(4,), x=(6, 2, 3, 2), y=check.labels(6, 4),
    concept="images",
)  # fmt: skip
### END HIDDEN TESTS

# %% [markdown]
# ## 11 · In your own words
#
# Suppose somebody starts the two-layer network with all weights and biases 0. Follow the gradients
# back through it: which of `dw1`, `db1`, `dw2`, `db2` can be different from 0 at the first step?
# What does the network learn, and what should be done instead?

# %% [markdown] essay="zeros" points=4
# ### BEGIN SOLUTION
# With $w_2 = 0$, $dh = ds\, w_2^T = 0$, so `dw1` and `db1` are 0; with $w_1 = b_1 = 0$, $h = 0$, so
# `dw2` $= h^T ds$ is 0 as well. Only `db2` is not (unless the classes are equally frequent). So
# only $b_2$ ever changes and the network learns how frequent the classes are, whatever the image.
# Start the weights with small random numbers; biases may start at 0.
# ### END SOLUTION

# %% [markdown]
# A sigmoid's local gradient is largest at $s = 0$. How large is it there? What becomes of a
# gradient that passes back through ten sigmoids in a row (with weights of about 1), and what does
# ReLU do differently?

# %% [markdown] essay="sigmoids" points=3
# ### BEGIN SOLUTION
# $\sigma(0)(1 - \sigma(0)) = 1/4$. Along a path gradients multiply, so ten of them leave at most
# $4^{-10}$, about $10^{-6}$: the first layers hardly learn. ReLU's local gradient is exactly 1
# wherever it lets the value through (and 0 where it does not).
# ### END SOLUTION

# %% [markdown]
# ## What you have built
#
# A network with its loss and all its gradients, each of them checked. Does it learn? Three spirals,
# one a class, that no straight line could part: 300 points, 50 hidden numbers, plain gradient
# descent. (With the flat network, as layers made of loops would take minutes here.)

# %%
rng = np.random.default_rng(1)
y = np.repeat([0, 1, 2], 100)
radius = np.tile(np.linspace(0.05, 1, 100), 3)
angle = 4 * (radius + y) + 0.2 * rng.standard_normal(300)
x = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
net = [0.1 * rng.standard_normal((2, 50)), np.zeros(50)]
net += [0.1 * rng.standard_normal((50, 3)), np.zeros(3)]
for step in range(1001):
    loss, gradients = two_layer_flat(*net, x, y)
    if step % 250 == 0:
        print(f"step {step:4}   loss {loss:.3f}")
    net = [weights - gradient for weights, gradient in zip(net, gradients, strict=True)]


# %%
def classify(points):
    w1, b1, w2, b2 = net
    hidden, _ = relu_forward(affine_forward(points, w1, b1)[0])
    return affine_forward(hidden, w2, b2)[0].argmax(axis=1)


show.regions(x, y, classify)

# %% [markdown]
# The first loss is close to $\log 3 = 1.099$, as it should be. Next, in lesson 2, the rows of $x$
# become images again: you write the convolution layer, whose way back is the affine layer's with
# shared weights.
#
# To read on: Rumelhart, Hinton and Williams, *Learning representations by back-propagating errors*
# (Nature 323, 1986), four pages; and Baydin and others, *Automatic Differentiation in Machine
# Learning: a Survey* (arXiv:1502.05767), for what frameworks make of it.

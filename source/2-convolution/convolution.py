# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2 · Convolution
#
# A fully-connected layer stretches a 3×32×32 image into 3072 numbers and forgets who was next to
# whom. A **convolution layer** keeps the image an image: it slides a small filter over it and
# computes dot products. Here you write that layer, until nothing about it is a black box.
#
# **How to work.** Fill in the cells that say `YOUR CODE HERE`, then run the check below each. It
# says what it tried, got and expected and, if it recognises it, which mistake that looks like. Some
# checks are hidden and run only when you hand in; they ask the same with other sizes and arguments.
# Loops are fine everywhere. You need about three hours and no GPU.

# %% locked="setup"
from importlib.util import find_spec

if find_spec("autograder") is None:  # a new machine, such as one of Colab's
    print("Installing what this course needs ...")
    # %pip install --quiet "receptive-field @ {{package}}"

import numpy as np

from autograder import check, here, show

here.report()

# %% [markdown]
# ## 1 · Slide a filter, compute dot products
#
# Put the filter $K$ on the top left corner of the image $X$, multiply what lies on top of each
# other, add it all up: that is one number of the output. Move the filter by a pixel; repeat.
#
# $$Y_{i,j} = \sum_{u=0}^{K_H-1} \sum_{v=0}^{K_W-1} X_{i+u,\,j+v}\; K_{u,v}$$
#
# Mathematicians call this a *cross-correlation* (a convolution would flip $K$ first). Deep learning
# calls it convolution all the same: the filter is learned, so the flip would change nothing.
#
# **Task.** Write `corr2d`. The output has a row for every vertical position of the filter and a
# column for every horizontal one. `X` may hold integers while `K` holds fractions. The first check
# is the example of the lecture: $0{\times}0 + 1{\times}1 + 3{\times}2 + 4{\times}3 = 19$.


# %% solution="corr2d"
def corr2d(X, K):
    """Cross-correlation. X: (H, W), K: (K_H, K_W). Returns Y: (H - K_H + 1, W - K_W + 1)."""
    ### BEGIN SOLUTION
    windows = np.lib.stride_tricks.sliding_window_view(X, K.shape)
    return np.einsum("ijuv,uv->ij", windows, K)
    ### END SOLUTION


# %% test="corr2d-lecture" points=2
X, K = np.arange(9.0).reshape(3, 3), np.arange(4.0).reshape(2, 2)
check.corr2d.forward(corr2d, X=X, K=K)
check.that(corr2d, X, K).returns([[19, 25], [37, 43]])

# %%
X, K = np.arange(9.0).reshape(3, 3), np.arange(4.0).reshape(2, 2)
show.sliding_window(X, K, corr2d(X, K), at=[(0, 0), (0, 1), (1, 0), (1, 1)])

# %% test="corr2d-any" points=2
check.corr2d.forward(corr2d, X=(5, 7), K=(3, 2))
check.corr2d.forward(corr2d, X=np.arange(12).reshape(3, 4), K=(1, 3))
### BEGIN HIDDEN TESTS
check.corr2d.forward(corr2d, X=(6, 4), K=(6, 4), concept="a filter as large as the image")
X = np.arange(20).reshape(4, 5)
check.corr2d.forward(corr2d, X=X, K=(2, 3), concept="whole numbers in X, fractions in K")
### END HIDDEN TESTS

# %% [markdown]
# Now look at what a filter *does*. The same code finds edges, blurs or sharpens; only the numbers
# in $K$ differ. A network learns them, and its first layer often ends up with edge detectors.

# %%
photo = show.photograph(gray=True)
filters = {
    "vertical edges": np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]),
    "horizontal edges": np.array([[1.0, 2, 1], [0, 0, 0], [-1, -2, -1]]),
    "blur": np.full((7, 7), 1 / 49),
    "sharpen": np.array([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
}
maps = {name: corr2d(photo, K) for name, K in filters.items()}
maps["sharpen"] = maps["sharpen"].clip(0, 1)
show.images([photo, *maps.values()], ["photograph", *maps])

# %% [markdown]
# A filter answers strongly where the image looks like it. So one cut from the picture can find its
# place again, like a face in a crowd (orange: the strongest answer). Try other pieces: when does it
# go wrong? A dot product also grows with contrast, so bold places can outshout it.

# %%
template = photo[60:76, 100:116] - photo[60:76, 100:116].mean()  # or any bright spot would answer
activation = corr2d(photo, template)
row, column = np.unravel_index(activation.argmax(), activation.shape)
print(f"cut out at row 60, column 100; found again at row {row}, column {column}")
show.images(
    [photo, template, activation],
    ["image", "template (a filter)", "activation map"],
    boxes=[(row, column, 16, 16), None, (row - 4, column - 4, 9, 9)],
)

# %% [markdown]
# ## 2 · How large, how many, how much work
#
# A filter of $K = 3$ pixels fits a row of 7 in $7 - 3 + 1 = 5$ places. Three settings change that:
#
# - **padding** $P$: there are $P$ zeros on each side of the row;
# - **stride** $S$: the filter moves $S$ pixels at a time;
# - **dilation** $D$: its *taps* (the $K$ places where it has a weight) stand $D$ pixels apart, so
#   that it spans $D(K-1)+1$ pixels.
#
# Sometimes it does not fit: $W=7, K=3, S=3$ gives $(7-3)/3+1 = 2.33$. Frameworks then round *down*:
# the last pixels are never looked at (crossed out below).
#
# **Task.** Write `output_size`: $H'$ for the height of an image, $W'$ for its width.

# %%
show.window_positions(7, kernel_size=3, stride=3)

# %%
show.window_positions(7, kernel_size=3, padding=1, dilation=2)


# %% solution="output-size"
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    """The number of positions of a filter along one axis of an input with that many pixels."""
    ### BEGIN SOLUTION
    span = dilation * (kernel_size - 1) + 1
    return (size + 2 * padding - span) // stride + 1
    ### END SOLUTION


# %% test="output-size-lecture" points=2
check.that(output_size, 7, 3).returns(5)
check.that(output_size, 7, 3, stride=2).returns(3)
check.that(output_size, 7, 3, stride=3).returns(2, hint="2.33 does not fit: round down.")
check.that(output_size, 7, 3, padding=1).returns(7, hint="P = (K − 1) / 2 keeps the size.")
check.that(output_size, 32, 5).returns(28)
check.that(output_size, 32, 5, padding=2).returns(32)
check.that(output_size, 32, 3, stride=2, padding=1).returns(16, hint="15.5 + 1: round down.")

# %% test="output-size-all" points=2
check.that(output_size, 7, 3, dilation=2).returns(3, hint="A dilated filter spans D(K − 1) + 1.")
### BEGIN HIDDEN TESTS
check.that(output_size, 224, 7, stride=2, padding=3).returns(112, concept="stride and padding")
check.that(output_size, 28, 3, dilation=4, padding=3).returns(26, concept="dilation and padding")
check.that(output_size, 33, 3, stride=4, dilation=3).returns(7, concept="stride and dilation")
check.that(output_size, 5, 5, stride=2).returns(1, concept="a filter as large as the input")
### END HIDDEN TESTS

# %% [markdown]
# A convolution **layer** takes $C_{in}$ channels and has $C_{out}$ filters; each extends over the
# full depth of its input and has a bias. With `groups` $=G$, each filter sees only $C_{in}/G$
# channels. Making one output number takes one multiply-add per weight of its filter.
#
# **Task.** Count a layer's learnable parameters and its multiply-adds for one image. Whatever else
# `num_multiply_adds` is given (a stride, say) is for `output_size`: pass `**geometry` on to it. The
# lecture's layer comes first: a 3×32×32 image, ten 5×5 filters, stride 1, pad 2.


# %% solution="counts"
def num_parameters(c_in, c_out, kernel_size, groups=1):
    """Weights and biases of a layer with square filters."""
    ### BEGIN SOLUTION
    return c_out * (c_in // groups * kernel_size**2 + 1)
    ### END SOLUTION


def num_multiply_adds(c_in, c_out, kernel_size, height, width, groups=1, **geometry):
    """Multiply-adds (biases not counted) for one image; geometry: as for output_size."""
    ### BEGIN SOLUTION
    rows, columns = (output_size(size, kernel_size, **geometry) for size in (height, width))
    return c_out * rows * columns * (c_in // groups) * kernel_size**2
    ### END SOLUTION


# %% test="parameters" points=2
check.that(num_parameters, 3, 10, 5).returns(760, hint="Ten filters of 3·5·5 weights and a bias.")
check.that(num_parameters, 64, 32, 1).returns(2080)
check.that(num_parameters, 4, 6, 3, groups=2).returns(114, hint="A filter is C_in / groups deep.")
### BEGIN HIDDEN TESTS
check.that(num_parameters, 64, 32, 3, groups=4).returns(4640, concept="groups")
### END HIDDEN TESTS

# %% test="multiply-adds" points=2
each = "75 for each of 10·32·32 outputs: how many there are depends on the padding."
check.that(num_multiply_adds, 3, 10, 5, 32, 32, padding=2).returns(768_000, hint=each)
each = "6·7 places for each of 6 filters, and 2·3·3 weights: a filter is C_in / groups deep."
check.that(num_multiply_adds, 4, 6, 3, 8, 9, groups=2).returns(4536, hint=each)
### BEGIN HIDDEN TESTS
check.that(num_multiply_adds, 64, 32, 3, 7, 9, groups=4, padding=1).returns(
    290_304, concept="groups"
)
check.that(num_multiply_adds, 4, 6, 3, 10, 17, stride=2).returns(6912, concept="stride, H ≠ W")
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · Receptive field
#
# One output number sees a $K \times K$ window, two layers deep it sees windows of windows: each
# further layer adds $K-1$, so $L$ layers of stride 1 see $1 + L(K-1)$ pixels. A stride helps: after
# it, neighbours in the feature map lie $S$ input pixels apart, so every later tap reaches $S$ times
# as far. Strides multiply; a layer's own stride does not change what *that* layer sees. A dilated
# filter counts with the $D(K-1)+1$ pixels that it spans.
#
# **Task.** Write `receptive_field` for layers $(K, S, D)$, listed from the input on. Two numbers go
# with you from layer to layer: the size so far, and how far apart neighbours are in the input.

# %%
show.receptive_field([(3, 1), (3, 2), (3, 1)])


# %% solution="receptive-field"
def receptive_field(layers):
    """Input pixels along one axis that one output depends on. layers: [(K, S, D)]."""
    ### BEGIN SOLUTION
    size, step = 1, 1
    for kernel_size, stride, dilation in layers:
        size += dilation * (kernel_size - 1) * step
        step *= stride
    return size
    ### END SOLUTION


# %% test="receptive-field-lecture" points=2
check.that(receptive_field, [(3, 1, 1)]).returns(3)
check.that(receptive_field, [(3, 1, 1)] * 3).returns(7, hint="1 + L(K − 1) with L = K = 3.")
check.that(receptive_field, []).returns(1, hint="With no layer, a pixel sees itself.")

# %% test="receptive-field-strides" points=2
later = "3, then 5, then 2·2 more: a stride is felt from the next layer on."
check.that(receptive_field, [(3, 1, 1), (3, 2, 1), (3, 1, 1)]).returns(9, hint=later)
spans = "A dilated filter spans D(K − 1) + 1 pixels, here 5."
check.that(receptive_field, [(3, 1, 2), (3, 1, 1)]).returns(7, hint=spans)
### BEGIN HIDDEN TESTS
check.that(receptive_field, [(7, 2, 1), (3, 2, 1), (3, 1, 1)]).returns(19, concept="two strides")
check.that(receptive_field, [(3, 1, 1), (3, 1, 2), (3, 1, 4)]).returns(15, concept="dilation")
check.that(receptive_field, [(5, 3, 2), (3, 2, 3), (2, 1, 1)]).returns(33, concept="everything")
### END HIDDEN TESTS

# %% [markdown]
# How deep must a network be until one of its numbers sees a whole image, 224 pixels wide?

# %%
for stride in (1, 2):
    depth = next(L for L in range(1, 224) if receptive_field([(3, stride, 1)] * L) >= 224)
    print(f"3×3 filters of stride {stride}: {depth} layers")

# %% [markdown]
# ## 4 · The layer, forward
#
# Now with everything: a batch of $N$ images, $C_{in}$ channels in, $C_{out}$ filters, a bias each.
#
# $$\text{out}_{n,f,i,j} = b_f + \sum_{c}\sum_{u}\sum_{v} x_{n,\,c,\,iS+u,\,jS+v}\; w_{f,c,u,v}$$
#
# where $x$ has been padded with $P$ zeros on every side.
#
# **Task.** Write `conv_forward`. Return the output and a `cache` with whatever the backward pass
# will need. Leave `dilation` and `groups` alone for now; section 7 comes back to them.

# %%
show.volumes((3, 32, 32), (6, 3, 5, 5), (6, 28, 28))


# %% solution="conv-forward"
def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    """A convolution layer.

    x: (N, C_in, H, W), w: (C_out, C_in / groups, K_H, K_W), b: (C_out,).
    Returns out: (N, C_out, H', W') and a cache for conv_backward.
    """
    ### BEGIN SOLUTION
    x, w = (array.astype(np.result_type(x, w, b, np.float32), copy=False) for array in (x, w))
    x_padded = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    patches = windows(x_padded, w.shape[2:], stride, dilation)
    out = np.empty((len(x), len(w), *patches.shape[4:]), x.dtype)
    for part, maps in blocks(patches, out):
        columns = grouped(part.reshape(-1, maps[0].size), groups)  # a patch is a column
        maps[...] = (grouped(w, groups) @ columns + grouped(b, groups)).reshape(maps.shape)
    return out, (x_padded, w, stride, padding, dilation, groups)


def windows(x, kernel_size, stride, dilation):
    # Each patch of x: (N, C, H, W) -> (C, K_H, K_W, N, H', W'). It is a view, the same memory with
    # other strides; its [:, i, j] are the pixels that meet the weights w[:, :, i, j].
    spans = [dilation * (k - 1) + 1 for k in kernel_size]
    view = np.lib.stride_tricks.sliding_window_view(x, spans, axis=(2, 3), writeable=True)
    return view[:, :, ::stride, ::stride, ::dilation, ::dilation].transpose(1, 4, 5, 0, 2, 3)


def grouped(array, groups):  # a row for each entry of the first axis
    return array.reshape(groups, len(array) // groups, -1)


def blocks(patches, *maps):
    # All columns at once would take K_H * K_W times the memory of x. About 1 MB at a time (some
    # images, some output rows) stays in the processor's cache. Of maps: (C, images, rows, W').
    rows = max(1, 2**20 // patches[:, :, :, 0, 0].nbytes)
    images = max(1, rows // patches.shape[4])
    for n in range(0, patches.shape[3], images):
        for i in range(0, patches.shape[4], rows):
            ns, rs = slice(n, n + images), slice(i, i + rows)
            yield patches[:, :, :, ns, rs], *(each[ns, :, rs].swapaxes(0, 1) for each in maps)
    ### END SOLUTION


# %% test="conv-forward-plain" points=3
check.conv2d.forward(conv_forward, x=(2, 3, 5, 6), w=(4, 3, 3, 2), b=(4,))
### BEGIN HIDDEN TESTS
check.conv2d.forward(conv_forward, x=(3, 2, 4, 7), w=(5, 2, 4, 3), b=(5,), concept="a tall filter")
alone = dict(x=(1, 1, 4, 3), w=(1, 1, 2, 1), b=(1,))
check.conv2d.forward(conv_forward, **alone, concept="one of everything")
large = dict(x=(2, 8, 46, 44), w=(2, 8, 3, 3), b=(2,))
check.conv2d.forward(conv_forward, **large, concept="larger images")
### END HIDDEN TESTS

# %% test="conv-forward-padding" points=3
check.conv2d.forward(conv_forward, x=(2, 3, 5, 6), w=(4, 3, 3, 3), b=(4,), padding=1)
# The lecture's layer, 3×32×32 in and 10×32×32 out: these are the 768,000 multiply-adds.
check.conv2d.forward(conv_forward, x=(1, 3, 32, 32), w=(10, 3, 5, 5), b=(10,), padding=2)
### BEGIN HIDDEN TESTS
wide = dict(x=(2, 2, 6, 4), w=(3, 2, 4, 3), b=(3,), padding=2)
check.conv2d.forward(conv_forward, **wide, concept="wider padding")
### END HIDDEN TESTS

# %% test="conv-forward-stride" points=3
check.conv2d.forward(conv_forward, x=(2, 3, 7, 7), w=(4, 3, 3, 3), b=(4,), stride=2)
### BEGIN HIDDEN TESTS
rest = dict(x=(2, 3, 9, 6), w=(4, 3, 4, 3), b=(4,), stride=2, padding=1)
check.conv2d.forward(conv_forward, **rest, concept="a stride that does not fit")
three = dict(x=(2, 2, 10, 9), w=(3, 2, 3, 2), b=(3,), stride=3)
check.conv2d.forward(conv_forward, **three, concept="stride 3")
### END HIDDEN TESTS

# %% [markdown]
# ## 5 · What is the transpose of a convolution?
#
# To go backward through $z = Wx$ you multiply the upstream gradient by $W^T$. A convolution is also
# a matrix times a vector; look at it in one dimension, with zeros at both ends:
#
# $$\begin{bmatrix} 0 & x_1 & x_2 & x_3 & x_4 & x_5 & 0 \end{bmatrix} *
# \begin{bmatrix} w_1 & w_2 & w_3 \end{bmatrix} = \hat W x$$
#
# **Task.** Build $\hat W$, of shape (size, size), for a filter of odd length $K$ that is centred on
# each of the `size` pixels in turn; taps that fall off the ends meet zeros and leave no trace.


# %% solution="filter-matrix"
def filter_matrix(w, size):
    """W_hat: (size, size), with W_hat @ x the convolution of x (size,) by w (K,), K odd."""
    ### BEGIN SOLUTION
    middle = len(w) // 2
    return sum(tap * np.eye(size, k=place - middle) for place, tap in enumerate(w))
    ### END SOLUTION


# %% test="filter-matrix-lecture" points=3
check.filter_matrix.forward(filter_matrix, w=np.array([1.0, 2, 3]), size=5)
check.that(filter_matrix, np.array([1.0, 2, 3]), 5).returns(
    [[2, 3, 0, 0, 0], [1, 2, 3, 0, 0], [0, 1, 2, 3, 0], [0, 0, 1, 2, 3], [0, 0, 0, 1, 2]]
)
check.filter_matrix.forward(filter_matrix, w=(5,), size=6)
### BEGIN HIDDEN TESTS
check.filter_matrix.forward(filter_matrix, w=(7,), size=4, concept="a filter longer than x")
### END HIDDEN TESTS

# %%
show.matrix(filter_matrix(np.array([1.0, 2, 3]), 5), r"$\hat{W}$, the convolution")

# %%
show.matrix(filter_matrix(np.array([1.0, 2, 3]), 5).T, r"$\hat{W}^T$, the way back")

# %% [markdown]
# Read a row of $\hat W^T$: it holds $w_3, w_2, w_1$. **The transpose of a convolution is a
# convolution with the flipped filter.** That is the gradient with respect to $x$. For the gradient
# with respect to $w$, turn it around: the same numbers come out of a matrix built from $x$ times
# the vector $w$. Its rows are the windows that the filter sees.
#
# **Task.** Build $\hat X$, (size, K), so that $\hat X w = \hat W x$. Its big brother is *im2col*.


# %% solution="input-matrix"
def input_matrix(x, kernel_size):
    """X_hat: (size, K), with X_hat @ w the convolution of x (size,) by w (K,), K odd."""
    ### BEGIN SOLUTION
    padded = np.pad(x, kernel_size // 2)
    return np.lib.stride_tricks.sliding_window_view(padded, kernel_size)
    ### END SOLUTION


# %% test="input-matrix-lecture" points=3
check.that(input_matrix, np.array([1.0, 2, 3, 4, 5]), 3).returns(
    [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 0]],
    hint="A row for each pixel: the window around it, with zeros where it reaches past the ends.",
)
### BEGIN HIDDEN TESTS
check.that(input_matrix, np.array([3.0, 1, 4]), 5).returns(
    [[0, 0, 3, 1, 4], [0, 3, 1, 4, 0], [3, 1, 4, 0, 0]], concept="a filter longer than the input"
)
### END HIDDEN TESTS

# %% [markdown]
# ## 6 · The layer, backward
#
# `dout` is the upstream gradient, $\partial L / \partial\text{out}$, shaped like `out`. Each
# `out[n, f, i, j]` is a dot product of the filter `w[f]` with one window, plus `b[f]`. So, going
# back, `dout[n, f, i, j]` times the *filter* is added to that window of `dx`; times the *window* it
# is added to `dw[f]`; and by itself it is added to `db[f]`. **Added**: a pixel seen by several
# windows gets a share from each. In the picture two numbers of `dout` go back through one filter.
#
# (Where is the flipped filter of section 5? Adding the unflipped filter into window after window
# reads $\hat W^T$ by columns; sliding the flipped one over `dout` reads it by rows. Same matrix.)
#
# **Task.** Write `conv_backward`. Take your time; draw it. `dx` has the shape of the unpadded `x`.

# %%
dout, w = np.array([[1.0, -1.0], [2.0, 0.5]]), np.array([[1.0, 2.0], [3.0, 4.0]])
show.scatter(dout, w, dx=np.zeros((3, 3)), at=[(0, 0), (0, 1)])


# %% solution="conv-backward"
def conv_backward(dout, cache):
    """Gradients of a convolution layer. dout: (N, C_out, H', W'). Returns dx, dw, db."""
    ### BEGIN SOLUTION
    _, w, stride, padding, dilation, _ = cache
    borders = [dilation * (k - 1) - padding for k in w.shape[2:]]
    slides = stride == 1 and min(borders) >= 0  # section 5: a convolution, and faster
    dx, dw = slid(dout, borders, *cache) if slides else scattered(dout, *cache)
    return dx, dw, dout.sum(axis=(0, 2, 3))


def slid(dout, borders, x_padded, w, _, padding, dilation, groups):
    # The columns of dout serve twice: W_flipped @ columns is dx, and x @ columns.T is dW_flipped.
    dout = np.pad(dout, [(0, 0), (0, 0), *((border, border) for border in borders)])
    x, w_flipped, dw_flipped = cropped(x_padded, padding), turned(w, groups), 0
    dx = np.empty_like(x)
    for part, maps, dmaps in blocks(windows(dout, w.shape[2:], 1, dilation), x, dx):
        columns = grouped(part.reshape(-1, maps[0].size), groups)
        dmaps[...] = (grouped(w_flipped, groups) @ columns).reshape(maps.shape)
        dw_flipped += grouped(maps, groups) @ columns.swapaxes(1, 2)
    return dx, turned(dw_flipped.reshape(w_flipped.shape), groups)


def turned(w, groups):
    # Flipped, and with inputs for outputs: (C_out, C_in / G, ...) -> (C_in, C_out / G, ...).
    parts = w.reshape(groups, -1, *w.shape[1:]).swapaxes(1, 2)
    return parts.reshape(-1, *parts.shape[2:])[..., ::-1, ::-1]


def scattered(dout, x_padded, w, stride, padding, dilation, groups):
    dx, dw = np.zeros_like(x_padded), 0
    both = (windows(array, w.shape[2:], stride, dilation) for array in (x_padded, dx))
    for (part, dmaps), (dpart, _) in zip(*(blocks(patches, dout) for patches in both), strict=True):
        columns, dmaps = grouped(part.reshape(-1, dmaps[0].size), groups), grouped(dmaps, groups)
        dw += dmaps @ columns.swapaxes(1, 2)
        dcolumns = (grouped(w, groups).swapaxes(1, 2) @ dmaps).reshape(part.shape)
        for i, j in np.ndindex(w.shape[2:]):  # patches overlap; within one (i, j) no two meet
            dpart[:, i, j] += dcolumns[:, i, j]
    return cropped(dx, padding), dw.reshape(w.shape)


def cropped(x, padding):
    height, width = x.shape[2:]
    return x[:, :, padding : height - padding, padding : width - padding]  # right at 0 too
    ### END SOLUTION


# %% test="conv-backward-db" points=2
check.conv2d.backward(conv_forward, conv_backward, "db", x=(3, 2, 4, 6), w=(4, 2, 3, 2), b=(4,))
### BEGIN HIDDEN TESTS
strided = dict(x=(2, 3, 6, 5), w=(2, 3, 3, 3), b=(2,), stride=2, padding=1)
check.conv2d.backward(conv_forward, conv_backward, "db", **strided, concept="stride and padding")
### END HIDDEN TESTS

# %% test="conv-backward-dw" points=4
check.conv2d.backward(conv_forward, conv_backward, "dw", x=(3, 2, 5, 4), w=(4, 2, 3, 2), b=(4,))
### BEGIN HIDDEN TESTS
rest = dict(x=(2, 3, 7, 10), w=(4, 3, 2, 3), b=(4,), stride=2, padding=1)
check.conv2d.backward(conv_forward, conv_backward, "dw", **rest, concept="a stride with a rest")
three = dict(x=(2, 2, 6, 9), w=(3, 2, 2, 3), b=(3,), stride=3)
check.conv2d.backward(conv_forward, conv_backward, "dw", **three, concept="stride 3, no padding")
large = dict(x=(2, 1, 44, 46), w=(8, 1, 3, 3), b=(8,))
check.conv2d.backward(conv_forward, conv_backward, "dw", **large, concept="larger images")
### END HIDDEN TESTS

# %% test="conv-backward-dx" points=3
check.conv2d.backward(conv_forward, conv_backward, "dx", x=(3, 2, 5, 4), w=(4, 2, 3, 2), b=(4,))
### BEGIN HIDDEN TESTS
square = dict(x=(2, 3, 7, 6), w=(4, 3, 3, 3), b=(4,), padding=1)
check.conv2d.backward(conv_forward, conv_backward, "dx", **square, concept="a square filter")
small = dict(x=(2, 2, 5, 6), w=(3, 2, 2, 2), b=(3,))
check.conv2d.backward(conv_forward, conv_backward, "dx", **small, concept="a small filter")
wide = dict(**small, padding=2)
check.conv2d.backward(conv_forward, conv_backward, "dx", **wide, concept="padding as wide as that")
flat = dict(x=(2, 3, 3, 6), w=(2, 3, 2, 3), b=(2,), padding=2)
check.conv2d.backward(conv_forward, conv_backward, "dx", **flat, concept="wide padding, K_H ≠ K_W")
alone = dict(x=(1, 1, 5, 3), w=(1, 1, 2, 1), b=(1,))
check.conv2d.backward(conv_forward, conv_backward, "dx", **alone, concept="one of everything")
large = dict(x=(2, 1, 44, 46), w=(8, 1, 3, 3), b=(8,))
check.conv2d.backward(conv_forward, conv_backward, "dx", **large, concept="larger images")
### END HIDDEN TESTS

# %% test="conv-backward-dx-stride" points=3
rest = dict(x=(3, 4, 8, 7), w=(5, 4, 3, 2), b=(5,), stride=2, padding=1)
check.conv2d.backward(conv_forward, conv_backward, "dx", **rest)
### BEGIN HIDDEN TESTS
three = dict(x=(2, 2, 10, 9), w=(3, 2, 3, 4), b=(3,), stride=3)
check.conv2d.backward(conv_forward, conv_backward, "dx", **three, concept="stride 3, no padding")
square = dict(x=(2, 3, 7, 6), w=(4, 3, 3, 3), b=(4,), stride=2, padding=1)
check.conv2d.backward(conv_forward, conv_backward, "dx", **square, concept="a square filter")
alone = dict(x=(1, 1, 5, 3), w=(1, 1, 2, 1), b=(1,), stride=2)
check.conv2d.backward(conv_forward, conv_backward, "dx", **alone, concept="one of everything")
large = dict(x=(2, 24, 44, 46), w=(1, 24, 3, 2), b=(1,), stride=2)
for name in ("dx", "dw"):
    check.conv2d.backward(conv_forward, conv_backward, name, **large, concept="larger images")
### END HIDDEN TESTS

# %% [markdown]
# Never trust a gradient that you have not measured. The next check moves `x`, `w` and `b` a little,
# watches how *your own* forward answers, and compares.

# %% test="conv-gradients" points=2
rest = dict(x=(2, 3, 6, 9), w=(4, 3, 3, 2), b=(4,), stride=2, padding=1)
check.conv2d.gradients(conv_forward, conv_backward, **rest)
### BEGIN HIDDEN TESTS
alone = dict(x=(3, 2, 4, 6), w=(4, 2, 2, 3), b=(4,))
check.conv2d.gradients(conv_forward, conv_backward, **alone, concept="no padding, stride 1")
### END HIDDEN TESTS

# %% [markdown]
# ## 7 · Dilation and groups
#
# **Dilation** spreads the taps out: $x_{iS+u}$ becomes $x_{iS+uD}$. The filter sees further and
# costs the same. **Groups** cut the channels into $G$ parts that do not talk to each other, like
# $G$ layers side by side: the first $C_{out}/G$ filters see only the first $C_{in}/G$ channels, and
# so on.
#
# **Task.** Go back to `conv_forward` and `conv_backward`, teach them both, run their checks once
# more, then return here. A slice may take steps, `x[start : start + D * (K - 1) + 1 : D]`; and the
# cache now has two more things to remember.

# %%
show.groups(4, 6, groups=2)

# %% test="conv-dilation" points=3
check.conv2d.forward(conv_forward, x=(2, 3, 9, 8), w=(4, 3, 3, 2), b=(4,), dilation=2)
### BEGIN HIDDEN TESTS
both = dict(x=(2, 2, 11, 9), w=(3, 2, 3, 2), b=(3,), stride=2, padding=2, dilation=3)
check.conv2d.forward(conv_forward, **both, concept="dilation with stride and padding")
### END HIDDEN TESTS

# %% test="conv-groups" points=3
check.conv2d.forward(conv_forward, x=(2, 4, 5, 6), w=(6, 2, 3, 2), b=(6,), groups=2)
### BEGIN HIDDEN TESTS
alone = dict(x=(2, 3, 6, 5), w=(6, 1, 3, 3), b=(6,), stride=2, padding=1, groups=3)
check.conv2d.forward(conv_forward, **alone, concept="one channel in each group")
### END HIDDEN TESTS

# %% test="conv-dilation-groups-backward" points=3
case = dict(x=(2, 4, 9, 8), w=(6, 2, 3, 2), b=(6,), stride=2, padding=1, dilation=3, groups=2)
for gradient in ("dx", "dw", "db"):
    check.conv2d.backward(conv_forward, conv_backward, gradient, **case)
### BEGIN HIDDEN TESTS
both = dict(x=(2, 6, 8, 9), w=(3, 2, 3, 3), b=(3,), padding=1, dilation=2, groups=3)
check.conv2d.gradients(conv_forward, conv_backward, **both, concept="dilation and groups")
### END HIDDEN TESTS

# %% [markdown]
# ## 8 · im2col: one matrix product
#
# Lay every window out as a column; then the whole layer is one matrix product, which is what
# computers are best at.
#
# **Task.** Write `im2col` for square filters. Column $p$ holds the window at position $p$, counted
# row by row, in the order of `w[f].reshape(-1)`: channel by channel, each from its top left corner
# to its bottom right.


# %% solution="im2col"
def im2col(x, kernel_size, stride=1, padding=0):
    """The windows of x (N, C, H, W) as columns: (N, C * K * K, H' * W')."""
    ### BEGIN SOLUTION
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    view = np.lib.stride_tricks.sliding_window_view(padded, (kernel_size,) * 2, axis=(2, 3))
    view = view[:, :, ::stride, ::stride].transpose(0, 1, 4, 5, 2, 3)
    return view.reshape(len(x), -1, view.shape[4] * view.shape[5])
    ### END SOLUTION


# %% test="im2col-columns" points=3
check.im2col.forward(im2col, x=(2, 3, 5, 6), kernel_size=3)
check.im2col.forward(im2col, x=(1, 2, 5, 4), kernel_size=2, stride=2, padding=1)
### BEGIN HIDDEN TESTS
both = dict(kernel_size=3, stride=3, padding=2)
check.im2col.forward(im2col, x=(2, 2, 8, 6), **both, concept="stride and padding")
check.im2col.forward(im2col, x=(2, 2, 5, 7), kernel_size=4, padding=2, concept="wider padding")
### END HIDDEN TESTS

# %%
x = np.arange(9.0).reshape(1, 1, 3, 3)
show.columns(x[0, 0], im2col(x, 2)[0], kernel_size=2)

# %% [markdown]
# How much is that worth? Time your `conv_forward` against one product with your `im2col`.

# %%
from timeit import timeit


def conv_im2col(x, w, b):
    return w.reshape(len(w), -1) @ im2col(x, 3) + b[:, None]  # a map is a row


x, w, b = np.ones((1, 16, 20, 20)), np.ones((8, 16, 3, 3)), np.zeros(8)
layers = {"conv_forward": conv_forward, "im2col": conv_im2col}
seconds = [timeit(lambda f=f: f(x, w, b), number=3) / 3 for f in layers.values()]
show.bars(list(layers), [1e3 * second for second in seconds], reference="conv_forward")

# %% [markdown]
# ## 9 · Relatives
#
# A **1×1 convolution** looks at one pixel at a time: at each, the vector of $C_{in}$ numbers is
# multiplied by a $C_{out} \times C_{in}$ matrix. Stack some of these and you have an MLP that runs
# on every pixel.
#
# **Task.** Write it without `conv_forward` and without a loop over pixels.


# %% solution="conv1x1"
def conv1x1(x, w, b):
    """x: (N, C_in, H, W), w: (C_out, C_in), b: (C_out,). Returns (N, C_out, H, W)."""
    ### BEGIN SOLUTION
    return np.einsum("fc,nchw->nfhw", w, x) + b[:, None, None]
    ### END SOLUTION


# %% test="conv1x1-pixels" points=3
check.conv1x1.forward(conv1x1, x=(2, 5, 3, 4), w=(6, 5), b=(6,))

# %% [markdown]
# In **1-D** (sound, text) the image has one row; in **3-D** (video, medical scans) a filter also
# slides along the depth of a volume.
#
# **Task.** Write `conv1d` by calling your `conv_forward`; return only the output. Then write
# `conv3d` with stride 1 and no padding, with `conv_forward` too: each slice of its output is a *sum
# of 2-D convolutions*, one for each of the filter's $K$ slices. Mind the bias.


# %% solution="conv1d-conv3d"
def conv1d(x, w, b, stride=1):
    """x: (N, C_in, W), w: (C_out, C_in, K), b: (C_out,). Returns (N, C_out, W')."""
    ### BEGIN SOLUTION
    return conv_forward(x[:, :, None], w[:, :, None], b, stride=stride)[0][:, :, 0]
    ### END SOLUTION


def conv3d(x, w, b):
    """x: (N, C_in, T, H, W), w: (C_out, C_in, K, K_H, K_W), b: (C_out,). Returns 5 axes too."""
    ### BEGIN SOLUTION
    slices, depth = [], w.shape[2]
    for d in range(output_size(x.shape[2], depth)):
        maps = [conv_forward(x[:, :, d + k], w[:, :, k], 0 * b)[0] for k in range(depth)]
        slices.append(sum(maps) + b[:, None, None])
    return np.stack(slices, axis=2)
    ### END SOLUTION


# %% test="conv1d" points=2
check.conv1d.forward(conv1d, x=(2, 3, 9), w=(4, 3, 3), b=(4,), stride=2)

# %% test="conv3d" points=3
check.conv3d.forward(conv3d, x=(2, 3, 5, 4, 6), w=(4, 3, 2, 3, 2), b=(4,))
### BEGIN HIDDEN TESTS
long = dict(x=(1, 2, 6, 7, 5), w=(3, 2, 3, 2, 4), b=(3,))
check.conv3d.forward(conv3d, **long, concept="a wide filter of three slices")
### END HIDDEN TESTS

# %% [markdown]
# ## 10 · In your own words
#
# What happens if you stack two convolution layers (stride 1, no padding) with nothing in between?
# Say which single layer does the same, how large its filters are, and what a network needs so that
# depth is worth it.

# %% [markdown] essay="stacking" points=4
# ### BEGIN SOLUTION
# A convolution is linear, so two in a row are linear too, and they are again a convolution: filters
# of size $K_1$ and $K_2$ act like one of size $K_1 + K_2 - 1$ (its receptive field). As with
# $y = W_2 W_1 x$, nothing is gained until a nonlinearity such as ReLU stands between them.
# ### END SOLUTION

# %% [markdown]
# Compare the lecture's layer (3×32×32 in, 10×32×32 out, 760 parameters) with a fully-connected
# layer from the same input to the same output. How many parameters would that have? What does the
# convolution assume about images that lets it do with so few?

# %% [markdown] essay="sharing" points=4
# ### BEGIN SOLUTION
# $3072 \cdot 10240$ weights and $10240$ biases: 31,467,520. The convolution assumes that what
# matters is local (a small window is enough) and the same everywhere (one filter for all places).
# ### END SOLUTION

# %% [markdown]
# ## What you have built
#
# The layer that gives convolutional networks their name, with its gradients, its arithmetic and its
# fast form; here is all of it in one picture. Three layers go forward over a piece of the
# photograph. Then a single number of the last map is asked, layer by layer backward, which pixels
# it depends on: none outside the box, which is as large as `receptive_field` says, the middle more
# than the rim, and the left against the right, as the third layer is a filter for edges.

# %%
x, blur = show.photograph(gray=True)[None, None, 80:140, 90:150], np.full((1, 1, 3, 3), 1 / 9)
layers = [(blur, 2), (blur, 2), (filters["vertical edges"][None, None], 1)]
out, caches = x, []
for w, stride in layers:
    out, cache = conv_forward(out, w, np.zeros(1), stride=stride)
    caches.append(cache)
i, j = np.array(out.shape[2:]) // 2
gradient = np.zeros(out.shape)
gradient[0, 0, i, j] = 1
for cache in reversed(caches):
    gradient = conv_backward(gradient, cache)[0]
size = receptive_field([(len(w[0, 0]), stride, 1) for w, stride in layers])
box = (4 * i, 4 * j, size, size)  # the strides multiply to 4
show.images(
    [x[0, 0], out[0, 0], gradient[0, 0]],
    ["forward: an image", "its feature map", "backward: what one number saw"],
    boxes=[box, (i, j, 1, 1), box],
)

# %% [markdown]
# Next come pooling and normalization, and then you train a network made of nothing but your own
# code. To read on: Dumoulin and Visin, *A guide to convolution arithmetic for deep learning*
# (arXiv:1603.07285), for pictures of every stride and padding; and *Dive into Deep Learning*,
# chapter 7.

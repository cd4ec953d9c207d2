# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 7 · Localization
#
# So far a net said *what* is in an image. Now it also says *where*, with a **box**. You write what
# every detector is built from: boxes and their units, the overlap of two boxes, windows that slide
# over an image and the trick that makes them cheap, and a net with two heads, one for the class and
# one for the box, trained by one loss.
#
# **How to work.** As before: fill in `YOUR CODE HERE`, run the check below. Cells whose first line
# is the comment *at your desk* are for you to watch and are skipped when your notebook is graded.
# You need about three hours; the longest training takes about a minute on a CPU.

# %% locked="setup"
from importlib.util import find_spec

if not (find_spec("autograder") and find_spec("torch")):  # a new machine, such as one of Colab's
    print("Installing what this course needs ...")
    # %pip install --quiet "receptive-field[torch] @ {{package}}"

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from autograder import check, here, show
from autograder.places import scenes

here.report()

# %% [markdown]
# ## 1 · Four numbers
#
# We look at *scenes*, drawn places of 64×64 pixels. Each is defined by one object, and because they
# are drawn we know exactly where it is:

# %%
some = scenes.dataset("val", 12, classes=scenes.TASK, progress=False)
names = [name.split("/")[2] for name in scenes.TASK]
show.boxed(some.images, some.boxes, titles=[names[label] for label in some.labels])

# %% [markdown]
# A box is written down in one of two ways, and half of all bugs mix them up.
#
# - **Corners in pixels**, $(x_0, y_0, x_1, y_1)$: the object is `image[y0:y1, x0:x1]`. As in any
#   slice the second corner is the first pixel *outside*, so the box is $x_1 - x_0$ pixels wide, and
#   nothing is added. $x$ counts columns, to the right; $y$ counts rows, downwards.
# - **Fractions**, $(x, y, w, h)$: the corner at the top left, width and height, as parts of the
#   image: $x$ and $w$ of its width, $y$ and $h$ of its height. These are the lectures' *normalized*
#   coordinates. They mean the same when the image is resized, and they are all between 0 and 1,
#   which makes them easy to learn.
#
# (Elsewhere you will meet a third: $x$ and $y$ of the *centre*. Read the manual of every data set.)

# %%
show.box_numbers(some.images[7], some.boxes[7])

# %% [markdown]
# **Task.** Write the conversion both ways, for $N$ boxes at once. The lectures' cat, $(509, 128)$
# to $(933, 1024)$ in an image 1697 pixels wide and 1281 high, is at $(0.3, 0.1, 0.25, 0.7)$.


# %% solution="conversions"
def to_fractions(corners, height, width):
    """(N, 4) corners in pixels as (N, 4) x, y, w, h in fractions of the image."""
    ### BEGIN SOLUTION
    x0, y0, x1, y1 = corners.unbind(1)
    return torch.stack([x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height], 1)
    ### END SOLUTION


def to_corners(boxes, height, width):
    """The way back: (N, 4) x, y, w, h in fractions as (N, 4) corners in pixels, unrounded."""
    ### BEGIN SOLUTION
    x, y, w, h = boxes.unbind(1)
    return torch.stack([x * width, y * height, (x + w) * width, (y + h) * height], 1)
    ### END SOLUTION


# %% test="to-fractions" points=3
check.box_fractions(to_fractions, corners=[[509.0, 128.0, 933.0, 1024.0]], height=1281, width=1697)
check.box_fractions(to_fractions, corners=check.pixel_boxes(5, 30, 50), height=30, width=50)
### BEGIN HIDDEN TESTS
check.box_fractions(
    to_fractions, corners=check.pixel_boxes(3, 90, 40), height=90, width=40, concept="a tall image"
)
### END HIDDEN TESTS

# %% test="to-corners" points=3
check.box_corners(to_corners, boxes=check.fraction_boxes(5), height=30, width=50)
### BEGIN HIDDEN TESTS
check.box_corners(
    to_corners, boxes=check.fraction_boxes(3), height=90, width=40, concept="a tall image"
)
### END HIDDEN TESTS

# %% [markdown]
# A net may say a box that reaches beyond the image. **Task.** Write `clip`, which keeps the part
# inside. Of a box that lies outside as a whole an *empty* one remains, at the edge, with
# $x_0 = x_1$ or $y_0 = y_1$; it keeps its row. And `corners` itself stays as it is.


# %% solution="clip"
def clip(corners, height, width):
    """(N, 4) corners in pixels, each moved into an image of that size."""
    ### BEGIN SOLUTION
    x, y = corners[:, 0::2].clamp(0, width), corners[:, 1::2].clamp(0, height)
    return torch.stack([x, y], 2).flatten(1)
    ### END SOLUTION


# %% test="clip-inside" points=3
far = [[-9.0, 4, -2, 8], [3, 31, 20, 40], [40, 5, 57, 30], [5, -3, 9, 6]]
check.box_clip(clip, corners=far, height=30, width=50)
check.box_clip(clip, corners=check.pixel_boxes(8, 30, 50, beyond=9), height=30, width=50)
### BEGIN HIDDEN TESTS
check.box_clip(
    clip, corners=check.pixel_boxes(9, 60, 20, beyond=15), height=60, width=20,
    concept="a tall image",
)  # fmt: skip
check.box_clip(
    clip, corners=[[-5.0, -6.0, -1.0, -2.0], [22.0, 61.0, 30.0, 70.0]], height=60, width=20,
    concept="boxes far outside, at two corners",
)  # fmt: skip
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · Did we get it right?
#
# Two boxes are hardly ever equal. How good a box is, is measured by how much it and the true one
# share: the area of the **intersection** over the area of the **union**, in which every pixel
# counts once. It is 1 for equal boxes, and 0 for boxes that do not touch.
#
# $$\mathrm{IoU} = I / U$$

# %%
pairs = {
    "overlapping": ((0, 0, 5, 4), (2, 1, 7, 5)),
    "nested": ((0, 0, 7, 5), (2, 1, 5, 4)),
    "touching": ((0, 0, 3, 5), (3, 1, 7, 4)),
    "apart in x and in y": ((0, 0, 3, 2), (5, 3, 7, 5)),
}
show.overlaps(pairs)

# %% [markdown]
# **Task.** First `area`, for $N$ boxes. If the second corner does not lie to the right of and below
# the first, the box is empty, whatever the product of its sides may be: its area is 0.


# %% solution="area"
def area(corners):
    """(N, 4) corners to (N,) areas."""
    ### BEGIN SOLUTION
    width, height = (corners[:, 2:] - corners[:, :2]).clamp(min=0).unbind(1)
    return width * height
    ### END SOLUTION


# %% test="area-boxes" points=3
check.box_area(area, corners=check.pixel_boxes(6, 30, 50))
check.box_area(area, corners=[[2.0, 3, 2, 9], [8, 1, 5, 6], [7, 8, 5, 6], [1, 1, 4, 3]])
### BEGIN HIDDEN TESTS
check.box_area(area, corners=(40, 4), concept="corners in any order")
### END HIDDEN TESTS

# %% [markdown]
# **Task.** Then `iou` of *every* box of one set with *every* box of another, without a loop over
# pairs if you can: `a[:, None]` of shape $(N, 1, 4)$ and `b[None]`, $(1, M, 4)$, broadcast to all
# $N \times M$ pairs. The intersection is a box too. Where does it start, where does it end, and
# what are its sides if the two lie apart? Where nothing is divided by nothing, the IoU is 0.


# %% solution="iou"
def iou(a, b):
    """(N, 4) and (M, 4) corners to (N, M) intersections over unions."""
    ### BEGIN SOLUTION
    first = torch.maximum(a[:, None, :2], b[None, :, :2])
    last = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    intersection = (last - first).clamp(min=0).prod(2)
    union = area(a)[:, None] + area(b)[None] - intersection
    return torch.where(union > 0, intersection / union, 0)
    ### END SOLUTION


# %% test="iou-pairs" points=5
check.box_iou(iou, a=check.pixel_boxes(7, 12, 16), b=check.pixel_boxes(7, 12, 16))
check.box_iou(iou, a=check.pixel_boxes(6, 12, 16), b=check.pixel_boxes(4, 12, 16))
### BEGIN HIDDEN TESTS
check.box_iou(iou, a=check.pixel_boxes(1, 9, 7), b=check.pixel_boxes(30, 9, 7), concept="one box")
check.box_iou(
    iou, a=check.pixel_boxes(40, 12, 9), b=check.pixel_boxes(25, 12, 9), concept="many boxes"
)
### END HIDDEN TESTS

# %% test="iou-edges" points=4
box, nested, touching = [2.0, 2, 8, 6], [3.0, 3, 5, 5], [8.0, 2, 11, 6]
corner, below, apart, empty = [8.0, 6, 9, 9], [3.0, 8, 7, 9], [10.0, 9, 12, 11], [4.0, 4, 4, 4]
others = [box, nested, touching, corner, below, apart, empty]
check.box_iou(iou, a=[box, empty], b=others)
### BEGIN HIDDEN TESTS
check.box_iou(iou, a=[apart, nested, [0, 0, 1, 1]], b=[box, corner], concept="boxes that lie apart")
upright, flat = [5.0, 3, 5, 9], [3.0, 4, 9, 4]
lines = [empty, [7, 7, 9, 7], [5, 4, 5, 12], [4, 4, 12, 4]]
check.box_iou(iou, a=[empty, upright, flat], b=lines, concept="nothing but empty")
small, smaller = [0.25, 0.5, 1, 1], [0.5, 0.5, 1, 0.75]
check.box_iou(iou, a=[small, smaller], b=[small, smaller, box], concept="boxes within one pixel")
### END HIDDEN TESTS

# %% [markdown]
# Your areas and your IoU, on the four pairs from above:

# %%
for title, pair in pairs.items():
    a, b = torch.tensor(pair, dtype=torch.float32).split(1)
    print(f"{title:20} {area(a).item():3.0f} and {area(b).item():3.0f}   {iou(a, b).item():.2f}")

# %% [markdown]
# How strict is it? Move a box of 20×20 pixels away from where it should be:

# %%
true = torch.tensor([[0.0, 0, 20, 20]])
steps = torch.arange(21.0)[:, None]
sideways, aslant = true + steps * torch.tensor([1, 0, 1, 0]), true + steps
show.curves(
    {"moved sideways": iou(true, sideways)[0], "moved both ways": iou(true, aslant)[0]},
    xlabel="pixels", ylabel="IoU", start=0,
)  # fmt: skip

# %% [markdown]
# Half of the box covered is an IoU of 1/3 only: after ten pixels sideways, and after six both ways.
# A common rule is: an image is **right if IoU > 0.5 and the class is right**. (An IoU is no loss:
# boxes that do not touch give 0 however far apart they are, so it does not say which way to go.)
#
# **Task.** Write `score`: the mean IoU of each image's box with its true box, and the share of
# images that are right.


# %% solution="score"
def score(boxes, true_boxes, labels, true_labels):
    """(mean IoU, share that is right). Boxes: (N, 4) corners; labels: (N,) numbers of classes."""
    ### BEGIN SOLUTION
    overlaps = iou(boxes, true_boxes).diagonal()
    right = (overlaps > 0.5) & (labels == true_labels)
    return overlaps.mean().item(), right.float().mean().item()
    ### END SOLUTION


# %% test="score-images" points=4
found = [
    [0.0, 0, 8, 8], [0, 0, 4, 8], [2, 2, 9, 9], [0, 0, 9, 7], [1, 1, 3, 9], [5, 5, 9, 8],
    [3, 3, 9, 9], [0, 0, 2, 2], [4, 0, 9, 3],
]  # fmt: skip
truth = [
    [0.0, 0, 8, 9], [0, 0, 8, 8], [2, 3, 9, 9], [0, 1, 9, 7], [0, 0, 9, 3], [5, 5, 9, 9],
    [3, 2, 9, 9], [5, 5, 9, 9], [0, 0, 5, 4],
]  # fmt: skip
said, labels = np.array([3, 1, 2, 0, 1, 2, 0, 3, 1]), np.array([3, 1, 2, 2, 1, 0, 0, 3, 1])
check.box_score(score, boxes=found, true_boxes=truth, labels=said, true_labels=labels)
### BEGIN HIDDEN TESTS
check.box_score(
    score, boxes=check.pixel_boxes(60, 3, 3), true_boxes=check.pixel_boxes(60, 3, 3),
    labels=check.labels(60, 2), true_labels=check.labels(60, 2), concept="sixty images",
)  # fmt: skip
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · Sliding windows
#
# You have a net that classifies images. A first idea: cut the image into windows, *every* window,
# and classify each. Where the score is highest, there it is.
#
# **Task.** Write `windows`. They come row by row, from left to right, and all lie in the image.


# %% solution="windows"
def windows(image, size, stride):
    """(C, H, W) to (n, C, size, size): every window, ``stride`` pixels from one to the next."""
    ### BEGIN SOLUTION
    found = image.unfold(1, size, stride).unfold(2, size, stride)
    return found.permute(1, 2, 0, 3, 4).flatten(0, 1)
    ### END SOLUTION


# %% test="windows-all" points=3
check.image_windows(windows, image=(3, 9, 13), size=5, stride=2)
### BEGIN HIDDEN TESTS
check.image_windows(windows, image=(2, 12, 8), size=3, stride=3, concept="side by side")
check.image_windows(windows, image=(4, 11, 10), size=4, stride=3, concept="some pixels remain")
### END HIDDEN TESTS

# %% [markdown]
# Here is a little classifier for windows of 16×16: 8 filters of 5×5, ReLU, 2×2 max pooling, and a
# fully-connected layer from what is left, $8 \times 6 \times 6$ numbers, to 12 scores. And "every
# window" of one 64×64 image, at a stride of 2, is 625 images to classify. "So, so slow", say the
# lectures.
#
# But neighbours share most of their pixels, and a convolution gives the same for the same pixels,
# in whichever window they lie. So run it *once, over the whole image*, and pool. What the
# fully-connected layer multiplied in a window is now a patch of $8 \times 6 \times 6$ numbers of
# the large map. A layer that multiplies every patch by the same weights: that is a convolution
# again, with 12 filters of 6×6. **All windows come out of one pass**; their stride is that of the
# pooling.
#
# **Task.** Write `window_scores`. The weights of `nn.Linear` lie in rows, one for each score, and a
# row fits maps that were flattened: channel by channel, and each row by row.


# %% solution="window-scores"
def window_scores(maps, weight, bias, height, width):
    """A fully-connected layer for maps (C, height, width), at every place of larger maps.

    maps: (N, C, H, W), weight: (K, C * height * width), bias: (K,).
    Returns the scores, (N, K, H - height + 1, W - width + 1).
    """
    ### BEGIN SOLUTION
    return F.conv2d(maps, weight.reshape(len(weight), -1, height, width), bias)
    ### END SOLUTION


# %% test="window-scores-all" points=5
check.window_scores(
    window_scores, maps=(2, 3, 7, 9), weight=(4, 3 * 3 * 2), bias=(4,), height=3, width=2
)
### BEGIN HIDDEN TESTS
check.window_scores(
    window_scores, maps=(3, 4, 6, 5), weight=(2, 4 * 2 * 4), bias=(2,), height=2, width=4,
    concept="wide windows",
)  # fmt: skip
check.window_scores(
    window_scores, maps=(2, 5, 3, 4), weight=(3, 5 * 3 * 4), bias=(3,), height=3, width=4,
    concept="a single window",
)  # fmt: skip
### END HIDDEN TESTS

# %% [markdown]
# Equal numbers? Once window by window, once in one pass:

# %%
torch.manual_seed(0)
conv, fc = nn.Conv2d(3, 8, 5), nn.Linear(8 * 6 * 6, 12)


def maps_of(x):
    return F.max_pool2d(F.relu(conv(x)), 2)


image = torch.tensor(some.images[7]).permute(2, 0, 1) / 255
with torch.no_grad():
    one_by_one = fc(maps_of(windows(image, 16, 2)).flatten(1))
    at_once = window_scores(maps_of(image[None]), fc.weight, fc.bias, 6, 6)
print("windows:", len(one_by_one), "  shape in one pass:", tuple(at_once.shape))
print("largest difference:", (one_by_one - at_once[0].flatten(1).T).abs().max().item())

# %% [markdown]
# **Task.** Count what it saves. Write `multiply_adds`: those of this net, run in one pass over an
# image of any size, convolution and head together, without biases. A window is just a small image.


# %% solution="multiply-adds"
def multiply_adds(height, width):
    """Of the 5×5 convolution (3 to 8 channels) and the head (6×6 of 8 channels to 12 scores)."""
    ### BEGIN SOLUTION
    rows, columns = height - 4, width - 4
    windows_down, windows_across = rows // 2 - 5, columns // 2 - 5
    return rows * columns * 8 * 3 * 25 + windows_down * windows_across * 12 * 8 * 36
    ### END SOLUTION


# %% test="multiply-adds-count" points=4
hint = (
    "The convolution has (H − 4)(W − 4) places; each pooled side is half, and the head fits 5 less."
)
check.that(multiply_adds, 16, 16).returns(89_856, hint=hint)
check.that(multiply_adds, 64, 64).returns(4_320_000, hint=hint)
### BEGIN HIDDEN TESTS
check.that(multiply_adds, 20, 36).returns(421_248, hint=hint, concept="a wide image")
check.that(multiply_adds, 33, 19).returns(
    29 * 15 * 600 + 9 * 2 * 3456, hint=hint, concept="sides that do not fit the pooling"
)
### END HIDDEN TESTS

# %%
alone, shared = 625 * multiply_adds(16, 16), multiply_adds(64, 64)
print(f"one pass needs {alone / shared:.0f} times less")
show.window_grid(
    some.images[7], 16, 2, {"each window for itself": alone, "all in one pass": shared}
)

# %% [markdown]
# So windows need not be slow. What remains is that they are all of one size and one shape, and
# objects are not: one would need windows of many sizes, and would still only get boxes on a grid.
# Better ask the net itself for the four numbers.
#
# ## 4 · Two heads
#
# Localization as **regression**: a backbone turns the image into maps; on them sit two small
# **heads**. They should not see the same. *What* a thing is does not depend on where it is, so the
# class head sees the mean of each map, as in ResNet. But a mean does not know *where*. The box head
# sees the whole maps, flattened. A sigmoid makes each of its four numbers a fraction.

# %%
show.two_heads(channels=128, height=8, width=8, num_classes=12)

# %% [markdown]
# **Task.** Write `Heads`: two linear layers by the names `class_head` and `box_head`. The scores
# get no softmax; the loss will do that.


# %% solution="heads"
class Heads(nn.Module):
    """From maps (N, channels, height, width) to scores (N, num_classes) and boxes (N, 4)."""

    def __init__(self, channels, height, width, num_classes):
        super().__init__()
        ### BEGIN SOLUTION
        self.class_head = nn.Linear(channels, num_classes)
        self.box_head = nn.Linear(channels * height * width, 4)
        ### END SOLUTION

    def forward(self, maps):
        """Returns (scores, boxes); boxes are x, y, w, h in fractions."""
        ### BEGIN SOLUTION
        scores = self.class_head(maps.mean(dim=(2, 3)))
        return scores, self.box_head(maps.flatten(1)).sigmoid()
        ### END SOLUTION


# %% test="heads-names" points=2
check.heads.names(Heads, 6, 3, 2, 5)
### BEGIN HIDDEN TESTS
check.heads.names(Heads, 4, 2, 5, 4, concept="other sizes")
### END HIDDEN TESTS

# %% test="heads-forward" points=5
check.heads.forward(Heads, 6, 3, 2, 5, x=(4, 6, 3, 2))
### BEGIN HIDDEN TESTS
check.heads.forward(Heads, 3, 4, 5, 7, x=(2, 3, 4, 5), concept="other sizes")
check.heads.gradients(Heads, 4, 2, 3, 3, x=(3, 4, 2, 3), concept="gradients")
### END HIDDEN TESTS

# %% [markdown]
# ## 5 · One loss for two tasks
#
# For the box the lectures take the squared distance of the four numbers,
#
# $$\|box_{pred} - box_{gt}\|_2^2 = (x_{pred} - x_{gt})^2 + (y_{pred} - y_{gt})^2 +
# (w_{pred} - w_{gt})^2 + (h_{pred} - h_{gt})^2 .$$
#
# A single box that is far off then counts more than many that are almost right. The **smooth L1**
# loss (Girshick, 2015) is a parabola only close to 0 and goes on as a straight line. For each of
# the four differences $d$:
#
# $$\ell_\beta(d) = \begin{cases} d^2 / (2\beta) & |d| < \beta \\ |d| - \beta/2 & \text{else}
# \end{cases}$$
#
# **Task.** Write both, for a batch: the *sum* over the four numbers, the *mean* over the images.


# %% solution="box-losses"
def box_loss(predicted, true):
    """(N, 4) and (N, 4) to one number: squared distances."""
    ### BEGIN SOLUTION
    return (predicted - true).square().sum(dim=1).mean()
    ### END SOLUTION


def smooth_l1(predicted, true, beta=1.0):
    """(N, 4) and (N, 4) to one number: parabolas up to beta, lines beyond."""
    ### BEGIN SOLUTION
    d = (predicted - true).abs()
    return torch.where(d < beta, d**2 / (2 * beta), d - beta / 2).sum(dim=1).mean()
    ### END SOLUTION


# %% test="box-loss-squares" points=3
check.box_loss(box_loss, predicted=(5, 4), true=(5, 4))
check.box_loss.backward(box_loss, "dpredicted", predicted=(5, 4), true=(5, 4))
### BEGIN HIDDEN TESTS
check.box_loss(box_loss, predicted=(9, 4), true=(9, 4), concept="another batch size")
### END HIDDEN TESTS

# %% test="smooth-l1-pieces" points=3
check.smooth_l1(smooth_l1, predicted=(6, 4), true=(6, 4), beta=1.0)
check.smooth_l1(smooth_l1, predicted=(6, 4), true=(6, 4), beta=0.5)
### BEGIN HIDDEN TESTS
check.smooth_l1(smooth_l1, predicted=(7, 4), true=(7, 4), beta=1.7, concept="another beta")
check.smooth_l1.backward(
    smooth_l1, "dpredicted", predicted=(3, 4), true=(3, 4), beta=0.6, concept="its gradient"
)
### END HIDDEN TESTS

# %%
d = torch.linspace(-1.5, 1.5, 61)
boxes, none = torch.zeros(61, 4), torch.zeros(61, 4)
boxes[:, 0] = d


def one_by_one(loss, **options):
    return [loss(box[None], none[:1], **options).item() for box in boxes]


show.curves(
    {
        "squared": one_by_one(box_loss),
        "smooth, β = 1": one_by_one(smooth_l1, beta=1.0),
        "smooth, β = 0.2": one_by_one(smooth_l1, beta=0.2),
    },
    xlabel="d, in steps of 0.05", ylabel="loss", start=-30,
)  # fmt: skip

# %% [markdown]
# **Task.** And both tasks in one number, so that one backward pass teaches both heads and the
# backbone below them (take `F.cross_entropy` and your `box_loss`):
#
# $$L = \text{cross-entropy} + \lambda\, \|box_{pred} - box_{gt}\|_2^2$$
#
# The two are of different size: an untrained net has a cross-entropy of $\ln 12 \approx 2.5$ or
# more, and a squared distance of a few tenths. $\lambda$ says how much the box counts.


# %% solution="multitask-loss"
def multitask_loss(scores, boxes, labels, true_boxes, weight=1.0):
    """One number; ``weight`` is λ. scores: (N, K), labels: (N,), both boxes: (N, 4) fractions."""
    ### BEGIN SOLUTION
    return F.cross_entropy(scores, labels) + weight * box_loss(boxes, true_boxes)
    ### END SOLUTION


# %% test="multitask-loss-value" points=4
batch = {"scores": (5, 3), "boxes": check.fraction_boxes(5), "labels": check.labels(5, 3)}
check.multitask_loss(multitask_loss, **batch, true_boxes=check.fraction_boxes(5), weight=3.0)
### BEGIN HIDDEN TESTS
batch = {"scores": (8, 6), "boxes": (8, 4), "labels": check.labels(8, 6)}
check.multitask_loss(
    multitask_loss, **batch, true_boxes=check.fraction_boxes(8), weight=0.3, concept="another λ"
)
### END HIDDEN TESTS

# %% test="multitask-loss-gradients" points=2
for gradient in ("dscores", "dboxes"):
    check.multitask_loss.backward(
        multitask_loss, gradient, scores=(5, 3), boxes=(5, 4), labels=check.labels(5, 3),
        true_boxes=check.fraction_boxes(5), weight=3.0,
    )  # fmt: skip

# %% [markdown]
# ## 6 · Training
#
# Backbone: the small ResNet of the scenes, trained to tell twelve *other* classes apart. Its maps
# are $128 \times 8 \times 8$. On it we put your heads and train everything, on 1,200 scenes of the
# twelve classes of our task.

# %% home="scenes"
# At your desk. Draws 1,440 scenes, about a quarter of a minute.
from autograder.places.scenes.resnet import SmallResNet, load

train_set = scenes.dataset("train", 1200, classes=scenes.TASK, progress=False)
val_set = scenes.dataset("val", 240, classes=scenes.TASK, progress=False)


def as_tensors(found):
    """Images as the backbone takes them, labels, and boxes as fractions."""
    x = torch.tensor(found.images).permute(0, 3, 1, 2) / 255
    x = (x - torch.tensor(scenes.MEAN).view(3, 1, 1)) / torch.tensor(scenes.STD).view(3, 1, 1)
    return x, torch.tensor(found.labels), to_fractions(torch.tensor(found.boxes).float(), 64, 64)


x_train, y_train, b_train = as_tensors(train_set)
x_val, y_val, b_val = as_tensors(val_set)


# %% [markdown]
# What would be a bad result? The same box for every image, the **average box**, asks nothing of
# anybody. Whoever is not better than that has learned nothing about where.

# %% home="average-box"
# At your desk.
true_corners = to_corners(b_val, 64, 64)
average = to_corners(b_train.mean(0, keepdim=True), 64, 64).expand(240, 4)
mean_iou, right = score(average, true_corners, torch.zeros(240), y_val)
print(f"average box: mean IoU {mean_iou:.2f}, right {right:.1%}")


# %% home="network"
# At your desk.
class Localizer(nn.Module):
    """Images (N, 3, 64, 64) to scores (N, 12) and boxes (N, 4)."""

    def __init__(self, heads):
        super().__init__()
        self.backbone, self.heads = SmallResNet(12), heads
        self.backbone.fc = nn.Identity()
        load(self.backbone, scenes.pretrained())

    def forward(self, x):
        return self.heads(self.backbone.features(x))


# %% [markdown]
# One learning rate does not fit all. The box head has 8,192 inputs, none of them negative, so a
# step moves its output much further than that of the class head with its 128. At the same rate its
# sigmoids run into their flat ends within a few steps, where hardly any gradient is left, and the
# mean IoU stays at 0.00. So it gets a rate of its own, a hundredth of the other.


# %% home="train"
# At your desk.
def train(net, epochs, rates, weight):
    """SGD with rising and falling rates, every other image mirrored. The losses of each step."""
    box_head = [*net.heads.box_head.parameters()]
    others = [*net.backbone.parameters(), *net.heads.class_head.parameters()]
    groups = [{"params": others}, {"params": box_head}]
    optimizer = torch.optim.SGD(groups, rates[0], momentum=0.9, weight_decay=5e-4)
    batches = [batch for _ in range(epochs) for batch in torch.randperm(1200).split(40)]
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, len(batches))
    losses = []
    for batch in batches:
        x, y, true = x_train[batch], y_train[batch], b_train[batch].clone()
        x[::2] = x[::2].flip(3)
        true[::2, 0] = 1 - true[::2, 0] - true[::2, 2]  # the left side was the right one
        scores, boxes = net.train()(x)
        loss = multitask_loss(scores, boxes, y, true, weight)
        losses.append([F.cross_entropy(scores, y).item(), box_loss(boxes, true).item()])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
    return np.array(losses)


# %% home="results"
# At your desk. About a minute on a CPU.
def predict(net):
    with torch.no_grad():
        scores, boxes = net.eval()(x_val)
    return scores.argmax(1), clip(to_corners(boxes, 64, 64), 64, 64)


torch.manual_seed(0)
net = Localizer(Heads(128, 8, 8, 12))
losses = train(net, epochs=8, rates=[0.05, 0.0005], weight=5)
said, found = predict(net)
mean_iou, right = score(found, true_corners, said, y_val)
print(f"class {(said == y_val).float().mean():.1%}, mean IoU {mean_iou:.2f}, right {right:.1%}")
show.curves(
    {"cross-entropy": losses[:, 0], "λ · squared distance": 5 * losses[:, 1]},
    xlabel="step", ylabel="loss", log=True,
)  # fmt: skip

# %% [markdown]
# The true boxes in orange, the net's dashed in blue; a green title where class and box are right.
# First some of all, then the worst.

# %% home="hits-and-misses"
# At your desk.
overlaps = iou(found, true_corners).diagonal()
hits = (overlaps > 0.5) & (said == y_val)
worst = overlaps.argsort()[:6]
chosen = torch.cat([torch.arange(12), worst])
titles = [f"{names[said[i]]} {overlaps[i]:.2f}" for i in chosen]
show.boxed(val_set.images[chosen], val_set.boxes[chosen], found[chosen], titles, right=hits[chosen])

# %% [markdown]
# The worst boxes stand between the object and the middle of the image: whoever is unsure, and pays
# for squares, says the mean.
#
# ## 7 · A box without boxes
#
# Drawing boxes around objects is slow work; naming an image is not. Does a net that has learned
# nothing but classes know where things are? In section 3 a head went over larger maps. Let the
# class head do so: not on the means, but at each of the 8×8 places, as a layer for maps of 1×1.
# That gives a map of how much every place looks like the class, a **class activation map** (Zhou
# et al., 2016). Where it is high, there the object should be.
#
# **Task.** What is missing is `box_of`, from a mask to a box.


# %% solution="box-of"
def box_of(mask):
    """(H, W) to (4,): the smallest corners around all that is not 0; four zeros if all is 0."""
    ### BEGIN SOLUTION
    rows, columns = torch.nonzero(mask, as_tuple=True)
    if len(rows) == 0:
        return torch.zeros(4)
    return torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    ### END SOLUTION


# %% test="box-of-mask" points=3
blob = np.zeros((7, 9))
blob[1:4, 2:8], blob[4, 5], blob[2, 4] = 1, 1, 0
check.box_of(box_of, mask=blob)
### BEGIN HIDDEN TESTS
check.box_of(box_of, mask=np.pad([[1.0]], ((6, 0), (0, 4))), concept="one pixel in a corner")
check.box_of(box_of, mask=np.ones((3, 5)), concept="all of the image")
check.box_of(box_of, mask=np.zeros((4, 3)), concept="nothing")
### END HIDDEN TESTS

# %% [markdown]
# The net that follows is told no box at all: $\lambda = 0$. Two numbers say how well its maps
# point: the mean IoU of the box around all that is more than half of the largest value, and the
# **pointing game**, the share of images where the largest value lies on the object itself.

# %% home="class-maps"
# At your desk. About a minute on a CPU.
torch.manual_seed(0)
namer = Localizer(Heads(128, 8, 8, 12))
train(namer, epochs=8, rates=[0.05, 0.0005], weight=0)
with torch.no_grad():
    head, maps = namer.heads.class_head, namer.eval().backbone.features(x_val)
    scores = window_scores(maps, head.weight, torch.zeros(12), 1, 1)
    cams = F.interpolate(scores, size=(64, 64), mode="bilinear")[torch.arange(240), y_val]
highest = cams.flatten(1).argmax(1)
hit = torch.tensor(val_set.masks).flatten(1)[torch.arange(240), highest]
pointed = torch.stack([box_of(cam > 0.5 * cam.max()) for cam in cams]).float()
mean_iou, _ = score(pointed, true_corners, y_val, y_val)
print(f"mean IoU {mean_iou:.2f}, pointing game {hit.float().mean():.1%}")
show.boxed(val_set.images[:12], val_set.boxes[:12], pointed[:12])

# %% [markdown]
# Nobody told it where, and it knows, hardly worse than the net that was shown 1,200 boxes. Its
# boxes are loose, for a place of the map is 8 pixels wide. Where one is the whole image, no place
# at all looked like the class.
#
# And photographs? In miniPlaces people have outlined the objects of a few hundred images, often
# many in one. If you have it (see `data/README.md`), here are six, with the box of the largest
# object, and what your net says, which has never seen a photograph.

# %% home="photographs"
# At your desk, with miniPlaces.
from pathlib import Path

from PIL import Image

from autograder.places import annotations

root, photos, largest = Path("data/miniplaces"), [], []
for path in sorted((root / "objects/val").glob("*.xml"))[:20]:
    things = annotations.read(path).things
    if not things or len(photos) == 6:
        continue
    box = max((thing.box for thing in things), key=lambda box: box.area)
    largest.append([box.x0, box.y0, box.x1, box.y1])
    photos.append(np.array(Image.open(root / f"images/val/{path.stem}.jpg")))
if photos:
    x = torch.tensor(np.stack(photos)).permute(0, 3, 1, 2) / 255
    x = F.avg_pool2d(x, 2) - torch.tensor(scenes.MEAN).view(3, 1, 1)
    with torch.no_grad():
        _, boxes = net.eval()(x / torch.tensor(scenes.STD).view(3, 1, 1))
    display(show.boxed(photos, largest, to_corners(boxes, 128, 128)))
else:
    print("There is no miniPlaces here.")

# %% [markdown]
# ## What you have built
#
# A net that says what and where: boxes in two notations, a measure that cannot be talked round, and
# one loss that teaches two heads. This is one object an image. Detectors find any number: they ask
# the same two heads at *every* place of a map, as in section 3, and then strike out boxes that
# overlap too much, with your `iou`.

# %% home="strictness"
# At your desk. How strict is "right"? The share of images whose IoU is more than so many percent.
net_overlaps, average_overlaps = overlaps, iou(average[:1], true_corners)[0]
show.curves(
    {
        name: [(values > percent / 100).float().mean() for percent in range(101)]
        for name, values in {"your net": net_overlaps, "average box": average_overlaps}.items()
    },
    xlabel="IoU of more than … percent", ylabel="share of images", start=0,
)  # fmt: skip

# %% [markdown]
# To read next: Sermanet et al., *OverFeat* (2014), which turned the fully-connected layers into
# convolutions; Girshick, *Fast R-CNN* (2015), for the loss; Redmon et al., *You Only Look Once*
# (2016), for a box at every place; Carion et al., *DETR* (2020), for boxes without any windows.

"""Misconceptions of residual networks: what they compute, and which names and shapes they have.

Answers take what the oracle takes, ``(state, x, training, **sizes)``; drafts take the sizes.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from autograder.check.mistakes import Mistake
from autograder.check.oracle import resnet as right
from autograder.check.oracle.resnet import Draft, Style


class Bug(NamedTuple):
    """A misconception before it is known of which network."""

    name: str
    says: str
    how: Style | Draft


MODES = (
    Bug(
        "always batch statistics",
        "In eval mode batch norm uses its running statistics, not those of the batch. "
        "nn.BatchNorm2d knows the mode by itself.",
        Style(statistics="batch"),
    ),
    Bug(
        "always running statistics",
        "In train mode batch norm uses the mean and variance of the batch. "
        "nn.BatchNorm2d knows the mode by itself.",
        Style(statistics="running"),
    ),
)

BLOCK_STYLES = (
    Bug(
        "added after ReLU",
        "The shortcut is added after the last ReLU. Add first; the ReLU comes after the sum.",
        Style(add="after"),
    ),
    Bug(
        "no ReLU after the addition",
        "The ReLU after the addition is missing.",
        Style(last_relu=False),
    ),
    Bug(
        "not added",
        "The shortcut is never added: that is the branch alone.",
        Style(add="never"),
    ),
    Bug(
        "ReLU missing",
        "The ReLU after the first batch norm is missing.",
        Style(quiet=(0,)),
    ),
    Bug(
        "no ReLU at all",
        "There is no ReLU in the block.",
        Style(quiet=(0, 1), last_relu=False),
    ),
    Bug(
        "stride on the last convolution",
        "The stride is on the last convolution.",
        Style(stride_on=-1),
    ),
    Bug(
        "shortcut not normalized",
        "The shortcut's convolution is not followed by its batch norm.",
        Style(shortcut_norm=False),
    ),
    Bug(
        "ReLU on the shortcut",
        "The shortcut goes through a ReLU of its own. Nothing but its convolution and batch norm, "
        "if it has them, may stand on it.",
        Style(shortcut_relu=True),
    ),
    Bug(
        "shortcut from the middle",
        "What is added is the output of the first convolution. Keep the block's input before "
        "anything is done to it.",
        Style(shortcut_from="first"),
    ),
    Bug(
        "input overwritten",
        "A ReLU works on the block's input before the convolutions, and on the shortcut as well. "
        "The input goes into both as it is.",
        Style(input_in_place=True),
    ),
    Bug(
        "joined to the channels",
        "The shortcut is joined to the channels. It is added, number by number.",
        Style(add="channels"),
    ),
    Bug(
        "norms swapped",
        "The first two batch norms have changed places.",
        Style(norms_swapped=True),
    ),
    Bug(
        "shortcut detached",
        "No gradient comes back through the shortcut: the way back must stay open, without "
        "detach, .data or torch.no_grad.",
        Style(detached=True),
    ),
    Bug(
        "branch detached",
        "No gradient comes back through the convolutions: the way back must stay open, without "
        "detach, .data or torch.no_grad.",
        Style(frozen=True),
    ),
)

DEEP_STYLES = (
    Bug(
        "second ReLU missing",
        "The ReLU after the second batch norm is missing.",
        Style(quiet=(1,)),
    ),
    Bug(
        "both ReLUs missing",
        "There is no ReLU between the convolutions; without it they are one linear function.",
        Style(quiet=(0, 1)),
    ),
)

FIRST = Bug(
    "stride on the first convolution",
    "The stride is on the first 1×1 convolution, as in the paper of 2016. Here it is on the 3×3, "
    "as in torchvision: nothing is thrown away unseen.",
    Style(stride_on=0),
)

NET_STYLES = (
    Bug(
        "no max pooling",
        "The max pooling after the first convolution is missing.",
        Style(stem_pool=""),
    ),
    Bug(
        "mean pooling first",
        "The first pooling takes the largest number of a window, not the mean.",
        Style(stem_pool="mean"),
    ),
    Bug(
        "no ReLU in the stem",
        "The ReLU between the net's first batch norm and the pooling is missing.",
        Style(stem_relu=False),
    ),
    Bug(
        "max at the end",
        "At the end, each map becomes its mean, not its largest number.",
        Style(head="max"),
    ),
    Bug(
        "sum at the end",
        "At the end, each map becomes its mean, not its sum.",
        Style(head="sum"),
    ),
    Bug(
        "corner at the end",
        "Of each map only the first pixel is used. Average all of them.",
        Style(head="corner"),
    ),
    Bug(
        "no layer is strided",
        "No layer makes the maps smaller: the first block of layers 2, 3 and 4 has stride 2.",
        Style(strides=(1, 1, 1, 1)),
    ),
    Bug(
        "first layer strided",
        "Layer 1 has a stride of 2. After the max pooling its maps are small enough already.",
        Style(strides=(2, 2, 2, 2)),
    ),
    Bug(
        "every block strided",
        "Every block of a layer has its stride: only the first one does.",
        Style(every_block=True),
    ),
    Bug(
        "probabilities",
        "Those are probabilities. Return the scores: the loss applies the softmax itself.",
        Style(probabilities=True),
    ),
)


def _styled(oracle: Callable[..., Any], *bugs: Bug) -> tuple[Mistake, ...]:
    return tuple(Mistake(bug.name, bug.says, partial(oracle, style=bug.how)) for bug in bugs)


BASIC_BLOCK = _styled(right.block, *MODES, *BLOCK_STYLES)
BOTTLENECK = _styled(right.block, *MODES, FIRST, *BLOCK_STYLES, *DEEP_STYLES)
RESNET = _styled(right.resnet, *MODES, *NET_STYLES, FIRST, *BLOCK_STYLES, *DEEP_STYLES)

BIAS = Bug(
    "bias before batch norm",
    "The convolutions have a bias. Batch norm takes the mean away, and any bias with it: "
    "bias=False.",
    Draft(bias=True),
)
SHORTCUTS = (
    Bug(
        "shortcut without batch norm",
        "The shortcut's convolution has no batch norm: downsample is a Sequential of both.",
        Draft(shortcut_norm=False),
    ),
    Bug(
        "always a convolution",
        "Every shortcut has a convolution. Where the shapes are the same, x itself is added.",
        Draft(shortcut="always"),
    ),
    Bug(
        "only where the stride is 2",
        "The shortcut has a convolution only where there is a stride. It needs one as well where "
        "nothing but the number of channels changes.",
        Draft(shortcut="stride"),
    ),
    Bug(
        "only where the channels differ",
        "The shortcut has a convolution only where the number of channels changes. It needs one "
        "as well where there is a stride.",
        Draft(shortcut="channels"),
    ),
    # After those two: where one of them shows, it looks the same.
    Bug(
        "never a convolution",
        "The shortcut is always x itself. Where the stride is not 1 or the number of channels "
        "changes, x does not fit the sum: there it needs a 1×1 convolution and a batch norm.",
        Draft(shortcut="never"),
    ),
    Bug(
        "shortcut of 3×3",
        "The shortcut's convolution is 3×3. It only has to make the shapes fit: 1×1.",
        Draft(shortcut_kernel=3),
    ),
)
EXPANSIONS = (
    Bug(
        "expansion forgotten",
        "The last 1×1 convolution should give four times as many channels as the 3×3 has.",
        Draft(expansion=1),
    ),
    Bug(
        "expansion of 2",
        "The last 1×1 convolution gives four times as many channels as the 3×3 has, not twice.",
        Draft(expansion=2),
    ),
)
NET_DRAFTS = (
    Bug(
        "channels not doubled",
        "The channels double from layer to layer: width, 2·width, 4·width, 8·width.",
        Draft(doubled=False),
    ),
    *(
        Bug(
            f"layers of {depth}",
            f"The layers have the numbers of blocks of ResNet-{depth}. Look at the table.",
            Draft(layers=layers),
        )
        for depth, layers in right.LAYERS.items()
        if depth != right.DEEP  # 50 layers lie in as many blocks as 34
    ),
    Bug(
        "one block too few",
        "Every layer is one block short.",
        Draft(layers=(-1,)),
    ),
    Bug(
        "one block too many",
        "Every layer has one block too many.",
        Draft(layers=(1,)),
    ),
)


def _drafted(shapes: Callable[..., Any], *bugs: Bug) -> tuple[Mistake, ...]:
    return tuple(Mistake(bug.name, bug.says, partial(shapes, draft=bug.how)) for bug in bugs)


def _resnet_shapes(depth: int, draft: Draft, **sizes: int) -> Any:
    if len(draft.layers) == 1:  # as many more in each
        layers = tuple(count + draft.layers[0] for count in right.LAYERS[depth])
        draft = Draft(layers=layers)
    return right.resnet_shapes(depth, draft=draft, **sizes)


BASIC_BLOCK_DRAFTS = _drafted(right.basic_block_shapes, BIAS, *SHORTCUTS)
BOTTLENECK_DRAFTS = _drafted(right.bottleneck_shapes, BIAS, *EXPANSIONS, *SHORTCUTS)
RESNET_DRAFTS = _drafted(_resnet_shapes, BIAS, *SHORTCUTS, *EXPANSIONS, *NET_DRAFTS)

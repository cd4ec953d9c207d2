"""The modules of the fifth lesson."""

from autograder.check.mistakes import resnet as mistakes
from autograder.check.mistakes import same_conv as conv_mistakes
from autograder.check.modules.net import Net
from autograder.check.oracle import resnet as oracle
from autograder.check.oracle import same_conv as conv_oracle

ERRORS = {
    r"size of tensor a .* must match the size of tensor b": (
        "The two sides of the sum have different shapes. In the branch a 3×3 convolution needs "
        "padding=1 and a 1×1 none; the shortcut has the branch's stride and channels."
    ),
    r"mat1 and mat2 shapes cannot be multiplied": (
        "fc is given something else than one number for each channel: at the end every map "
        "becomes its mean, whatever its size."
    ),
    r"expected input\[.*\] to have \d+ channels": (
        "A layer is given another number of channels than it was made for: each takes what the "
        "one before it gives, after a bottleneck 4·channels."
    ),
}

basic_block = Net(
    ("c_in", "channels", "stride", "skip"),
    oracle.block,
    oracle.basic_block_shapes,
    oracle.drawn,
    mistakes.BASIC_BLOCK,
    mistakes.BASIC_BLOCK_DRAFTS,
    ERRORS,
)
bottleneck = Net(
    ("c_in", "channels", "stride"),
    oracle.block,
    oracle.bottleneck_shapes,
    oracle.drawn,
    mistakes.BOTTLENECK,
    mistakes.BOTTLENECK_DRAFTS,
    ERRORS,
)
resnet = Net(
    ("depth", "num_classes", "width"),
    oracle.resnet,
    oracle.resnet_shapes,
    oracle.drawn,
    mistakes.RESNET,
    mistakes.RESNET_DRAFTS,
    ERRORS,
)
same_conv = Net(
    ("c_in", "c_out", "kernel_size", "dilation", "groups"),
    conv_oracle.same_conv,
    conv_oracle.shapes,
    oracle.drawn,
    conv_mistakes.SAME_CONV,
    conv_mistakes.SAME_CONV_DRAFTS,
)

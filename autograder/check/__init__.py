"""What a test cell calls, at the student's desk and when grading alike.

``check.that(f, ...).returns(value)`` checks one answer. The others each know one kind of layer:
``check.conv2d.forward(conv_forward, x=(2, 3, 7, 6), w=(4, 3, 3, 2), b=(4,), stride=2)``.
"""

from autograder.check.boxes.functions import (
    box_area,
    box_clip,
    box_corners,
    box_fractions,
    box_iou,
    box_loss,
    box_of,
    box_score,
    image_windows,
    multitask_loss,
    smooth_l1,
    window_scores,
)
from autograder.check.boxes.heads import heads
from autograder.check.boxes.inputs import fraction_boxes, pixel_boxes
from autograder.check.inputs import labels, positive, spread, ties
from autograder.check.layers.backprop import (
    add_gate,
    affine,
    branch,
    matmul,
    max_gate,
    multiply_gate,
    neuron,
    numerical_gradient,
    relu,
    softmax,
    softmax_loss,
    two_layer_loss,
)
from autograder.check.layers.convolution import (
    conv1d,
    conv1x1,
    conv2d,
    conv3d,
    corr2d,
    filter_matrix,
    im2col,
)
from autograder.check.layers.lenet import lenet
from autograder.check.layers.normalization import (
    batch_norm,
    fold_bias,
    fold_weight,
    group_norm,
    layer_norm,
    spatial_batch_norm,
)
from autograder.check.layers.pooling import avg_pool, max_pool
from autograder.check.learning.accuracy import accuracy
from autograder.check.learning.batches import minibatches
from autograder.check.learning.first_weights import he_initialization
from autograder.check.learning.loop import training
from autograder.check.learning.step import sgd_step
from autograder.check.modules.functions import (
    filter_normalized,
    linear_function,
    multiply_function,
    relu_function,
    torch_running_var,
)
from autograder.check.modules.resnet import basic_block, bottleneck, resnet, same_conv
from autograder.check.modules.use import gradient_norms, net_accuracy, net_training, numpy_resnet
from autograder.check.unwritten import NotWritten
from autograder.check.value import that
from autograder.check.verdict import CheckFailed, GraderBroke

__all__ = [
    "CheckFailed",
    "GraderBroke",
    "NotWritten",
    "accuracy",
    "add_gate",
    "affine",
    "avg_pool",
    "basic_block",
    "batch_norm",
    "bottleneck",
    "box_area",
    "box_clip",
    "box_corners",
    "box_fractions",
    "box_iou",
    "box_loss",
    "box_of",
    "box_score",
    "branch",
    "conv1d",
    "conv1x1",
    "conv2d",
    "conv3d",
    "corr2d",
    "filter_matrix",
    "filter_normalized",
    "fold_bias",
    "fold_weight",
    "fraction_boxes",
    "gradient_norms",
    "group_norm",
    "he_initialization",
    "heads",
    "im2col",
    "image_windows",
    "labels",
    "layer_norm",
    "lenet",
    "linear_function",
    "matmul",
    "max_gate",
    "max_pool",
    "minibatches",
    "multiply_function",
    "multiply_gate",
    "multitask_loss",
    "net_accuracy",
    "net_training",
    "neuron",
    "numerical_gradient",
    "numpy_resnet",
    "pixel_boxes",
    "positive",
    "relu",
    "relu_function",
    "resnet",
    "same_conv",
    "sgd_step",
    "smooth_l1",
    "softmax",
    "softmax_loss",
    "spatial_batch_norm",
    "spread",
    "that",
    "ties",
    "torch_running_var",
    "training",
    "two_layer_loss",
    "window_scores",
]

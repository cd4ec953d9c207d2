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
from autograder.check.finetuning.learning import fine_tuning_optimizer, training_epoch
from autograder.check.finetuning.looking import predicted, predicted_twice, score_gradients
from autograder.check.finetuning.outcome import learned_scenes
from autograder.check.finetuning.resuming import resumed_training
from autograder.check.finetuning.standing import frozen_net, frozen_statistics, pretrained_net
from autograder.check.images.functions import (
    class_maps,
    confusion_counts,
    cropped_images,
    grad_cam,
    mask_iou,
    mirrored_images,
    normalized_images,
    pointing_game,
    smoothed_loss,
    top_k_share,
)
from autograder.check.images.inputs import blobs, pixels
from autograder.check.images.predictions import prediction_file
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
    "blobs",
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
    "class_maps",
    "confusion_counts",
    "conv1d",
    "conv1x1",
    "conv2d",
    "conv3d",
    "corr2d",
    "cropped_images",
    "filter_matrix",
    "filter_normalized",
    "fine_tuning_optimizer",
    "fold_bias",
    "fold_weight",
    "fraction_boxes",
    "frozen_net",
    "frozen_statistics",
    "grad_cam",
    "gradient_norms",
    "group_norm",
    "he_initialization",
    "heads",
    "im2col",
    "image_windows",
    "labels",
    "layer_norm",
    "learned_scenes",
    "lenet",
    "linear_function",
    "mask_iou",
    "matmul",
    "max_gate",
    "max_pool",
    "minibatches",
    "mirrored_images",
    "multiply_function",
    "multiply_gate",
    "multitask_loss",
    "net_accuracy",
    "net_training",
    "neuron",
    "normalized_images",
    "numerical_gradient",
    "numpy_resnet",
    "pixel_boxes",
    "pixels",
    "pointing_game",
    "positive",
    "predicted",
    "predicted_twice",
    "prediction_file",
    "pretrained_net",
    "relu",
    "relu_function",
    "resnet",
    "resumed_training",
    "same_conv",
    "score_gradients",
    "sgd_step",
    "smooth_l1",
    "smoothed_loss",
    "softmax",
    "softmax_loss",
    "spatial_batch_norm",
    "spread",
    "that",
    "ties",
    "top_k_share",
    "torch_running_var",
    "training",
    "training_epoch",
    "two_layer_loss",
    "window_scores",
]

"""The normalizations of the third lesson."""

from autograder.check.layer import Layer
from autograder.check.mistakes import folding, running_statistics
from autograder.check.mistakes import normalization as mistakes
from autograder.check.mistakes import normalization_backward as backward
from autograder.check.oracle import normalization as oracle

ARGUMENTS = ("x", "gamma", "beta")
STATE = ("running_mean", "running_var")
# For numerical slopes: with a handful of numbers in a batch, |μ| is now and then ten times σ.
CONDITIONING = 10.0

batch_norm = Layer(
    ARGUMENTS,
    oracle.batch_norm,
    mistakes.BATCH_NORM,
    backward.BATCH,
    cached=True,
    linear=False,
    conditioning=CONDITIONING,
    state=STATE,
    next_state=oracle.running_statistics,
    state_mistakes=running_statistics.BATCH,
)
spatial_batch_norm = Layer(
    ARGUMENTS,
    oracle.batch_norm,
    mistakes.SPATIAL_BATCH_NORM,
    backward.SPATIAL,
    cached=True,
    linear=False,
    conditioning=CONDITIONING,
    state=STATE,
    next_state=oracle.running_statistics,
    state_mistakes=running_statistics.SPATIAL,
)
layer_norm = Layer(
    ARGUMENTS,
    oracle.layer_norm,
    mistakes.LAYER_NORM,
    backward.LAYER,
    cached=True,
    linear=False,
    conditioning=CONDITIONING,
)
group_norm = Layer(
    ARGUMENTS,
    oracle.group_norm,
    mistakes.GROUP_NORM,
    backward.GROUP,
    cached=True,
    linear=False,
    conditioning=CONDITIONING,
)
fold_weight = Layer(("w", "gamma", "running_var"), oracle.fold_weight, folding.WEIGHT, linear=False)
fold_bias = Layer(
    ("b", "gamma", "beta", "running_mean", "running_var"),
    oracle.fold_bias,
    folding.BIAS,
    linear=False,
)

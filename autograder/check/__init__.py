"""What a test cell calls, at the student's desk and when grading alike.

``check.that(f, ...).returns(value)`` checks one answer. The others each know one kind of layer:
``check.conv2d.forward(conv_forward, x=(2, 3, 7, 6), w=(4, 3, 3, 2), b=(4,), stride=2)``.
"""

from autograder.check import oracle
from autograder.check.layer import Layer
from autograder.check.mistakes import conv_backward, conv_forward
from autograder.check.unwritten import NotWritten
from autograder.check.value import that
from autograder.check.verdict import CheckFailed, GraderBroke

corr2d = Layer(("X", "K"), oracle.corr2d, conv_forward.CORR2D)
conv2d = Layer(
    ("x", "w", "b"), oracle.conv, conv_forward.CONV2D, conv_backward.GRADIENTS, cached=True
)
conv1d = Layer(("x", "w", "b"), oracle.conv, conv_forward.CONV_1D_3D)
conv3d = Layer(("x", "w", "b"), oracle.conv, conv_forward.CONV_1D_3D)
conv1x1 = Layer(("x", "w", "b"), oracle.conv1x1)
im2col = Layer(("x",), oracle.im2col, conv_forward.IM2COL)
filter_matrix = Layer(("w",), oracle.filter_matrix, conv_forward.FILTER_MATRIX)

__all__ = [
    "CheckFailed",
    "GraderBroke",
    "NotWritten",
    "conv1d",
    "conv1x1",
    "conv2d",
    "conv3d",
    "corr2d",
    "filter_matrix",
    "im2col",
    "that",
]

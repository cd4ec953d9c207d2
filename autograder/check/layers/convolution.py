"""The layers of the second lesson."""

from autograder.check import oracle
from autograder.check.layer import Layer
from autograder.check.mistakes import conv_backward, conv_forward

corr2d = Layer(("X", "K"), oracle.corr2d, conv_forward.CORR2D)
conv2d = Layer(
    ("x", "w", "b"), oracle.conv, conv_forward.CONV2D, conv_backward.GRADIENTS, cached=True
)
conv1d = Layer(("x", "w", "b"), oracle.conv, conv_forward.CONV_1D_3D)
conv3d = Layer(("x", "w", "b"), oracle.conv, conv_forward.CONV_1D_3D)
conv1x1 = Layer(("x", "w", "b"), oracle.conv1x1, conv_forward.CONV1X1)
im2col = Layer(("x",), oracle.im2col, conv_forward.IM2COL)
filter_matrix = Layer(("w",), oracle.filter_matrix, conv_forward.FILTER_MATRIX)

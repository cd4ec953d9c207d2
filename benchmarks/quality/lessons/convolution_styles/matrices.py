"""The whole layer as one matrix, and its transpose on the way back."""

# ruff: noqa: D103, N803 - written as students write
# mypy: ignore-errors

import numpy as np


def _matrix(shape, w, stride, padding, dilation, groups):
    """(F·H'·W', C·H·W): what each output number takes from each pixel."""
    C, H, W = shape
    F, D, K_H, K_W = w.shape
    rows = (H + 2 * padding - dilation * (K_H - 1) - 1) // stride + 1
    cols = (W + 2 * padding - dilation * (K_W - 1) - 1) // stride + 1
    matrix = np.zeros((F, rows, cols, C, H, W))
    places = []
    for f, i, j in np.ndindex(F, rows, cols):
        for c, u, v in np.ndindex(D, K_H, K_W):
            y, z = i * stride + u * dilation - padding, j * stride + v * dilation - padding
            if 0 <= y < H and 0 <= z < W:
                channel = f // (F // groups) * D + c
                matrix[f, i, j, channel, y, z] = w[f, c, u, v]
                places.append((f, i, j, channel, y, z, c, u, v))
    return matrix, np.array(places, dtype=int).reshape(-1, 9).T


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    matrix, places = _matrix(x.shape[1:], w, stride, padding, dilation, groups)
    out = np.tensordot(x, matrix, axes=((1, 2, 3), (3, 4, 5)))
    return out + b[:, None, None], (x, w.shape, matrix, places)


def conv_backward(dout, cache):
    x, w_shape, matrix, places = cache
    dx = np.tensordot(dout, matrix, axes=((1, 2, 3), (0, 1, 2)))
    f, i, j, channel, y, z, c, u, v = places
    dw = np.zeros(w_shape)
    np.add.at(dw, (f, c, u, v), (dout[:, f, i, j] * x[:, channel, y, z]).sum(axis=0))
    return dx, dw, np.add.reduce(dout, axis=(0, 2, 3))


def corr2d(X, K):
    matrix, _ = _matrix((1, *X.shape), K[None, None], 1, 0, 1, 1)
    return (matrix[0] * X).sum(axis=(2, 3, 4))


def filter_matrix(w, size):
    middle = len(w) // 2
    columns = [np.convolve(e, w[::-1])[middle : middle + size] for e in np.eye(size)]
    return np.stack(columns, axis=1)


def conv1x1(x, w, b):
    pixels = x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])
    out = pixels @ w.T + b
    return out.reshape(len(x), *x.shape[2:], len(w)).transpose(0, 3, 1, 2)

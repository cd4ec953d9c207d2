"""Output and gradients in the dtype of the inputs, in Fortran order; nothing contiguous."""

# ruff: noqa: D103 - written as students write
# mypy: ignore-errors

import numpy as np


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    N, C, H, W = x.shape
    F, D, K_H, K_W = w.shape
    dtype = np.result_type(x, w, b)
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype, order="F")
    padded[:, :, padding : H + padding, padding : W + padding] = x
    H_out = (H + 2 * padding - dilation * (K_H - 1) - 1) // stride + 1
    W_out = (W + 2 * padding - dilation * (K_W - 1) - 1) // stride + 1
    out = np.empty((N, F, H_out, W_out), dtype, order="F")
    out[...] = b[:, None, None]
    for f in range(F):
        first = f // (F // groups) * D
        for i in range(H_out):
            rows = slice(i * stride, i * stride + dilation * K_H, dilation)
            for j in range(W_out):
                cols = slice(j * stride, j * stride + dilation * K_W, dilation)
                window = padded[:, first : first + D, rows, cols]
                out[:, f, i, j] += np.einsum("ncuv,cuv->n", window[:, :, :K_H, :K_W], w[f])
    return out, (padded, w, (stride, padding, dilation, groups), (H, W))


def conv_backward(dout, cache):
    padded, w, (stride, padding, dilation, groups), (H, W) = cache
    F, D, K_H, K_W = w.shape
    dtype = np.result_type(padded, w, dout)
    dpadded = np.zeros(padded.shape, dtype, order="F")
    dw = np.zeros(w.shape[::-1], dtype).T
    for f in range(F):
        first = f // (F // groups) * D
        for i, j in np.ndindex(dout.shape[2:]):
            rows = range(i * stride, i * stride + dilation * K_H, dilation)
            cols = range(j * stride, j * stride + dilation * K_W, dilation)
            where = np.ix_(range(len(padded)), range(first, first + D), rows, cols)
            upstream = dout[:, f, i, j].reshape(-1, 1, 1, 1)
            dpadded[where] += upstream * w[f]
            dw[f] += (upstream * padded[where]).sum(axis=0)
    db = dout.reshape(len(dout), F, -1).sum(axis=2).sum(axis=0)
    return dpadded[:, :, padding : padding + H, padding : padding + W], dw, db


def input_matrix(x, kernel_size):
    shifts = range(kernel_size // 2, -(kernel_size // 2) - 1, -1)
    eye = (np.eye(len(x), k=-shift) for shift in shifts)
    return np.stack([each @ x for each in eye], axis=1)


def conv1x1(x, w, b):
    return np.stack([w @ image.reshape(len(image), -1) for image in x]).reshape(
        len(x), len(w), *x.shape[2:]
    ) + np.expand_dims(b, (0, 2, 3))

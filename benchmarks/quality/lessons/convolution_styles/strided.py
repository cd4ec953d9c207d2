"""Windows by hand-made strides, one matrix product an image."""

# ruff: noqa: D103, N803 - written as students write
# mypy: ignore-errors

import numpy as np
from numpy.lib.stride_tricks import as_strided


def _windows(x, K_H, K_W, stride, dilation):
    N, C, H, W = x.shape
    H_out = (H - dilation * (K_H - 1) - 1) // stride + 1
    W_out = (W - dilation * (K_W - 1) - 1) // stride + 1
    n, c, h, w = x.strides
    shape = (N, C, K_H, K_W, H_out, W_out)
    return as_strided(x, shape, (n, c, h * dilation, w * dilation, h * stride, w * stride))


def _padded(x, p):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H + 2 * p, W + 2 * p), dtype=x.dtype)
    out[:, :, p : H + p, p : W + p] = x
    return out


def corr2d(X, K):
    h, w = X.strides
    shape = (X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1, *K.shape)
    return (as_strided(X, shape, (h, w, h, w)) * K).sum(axis=(2, 3))


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    windows = _windows(_padded(x, padding), *w.shape[2:], stride, dilation)
    H_out, W_out = windows.shape[4:]
    D, F = w.shape[1], len(w) // groups
    parts = []
    for g in range(groups):
        columns = windows[:, g * D : (g + 1) * D].reshape(len(x), -1, H_out * W_out)
        filters = w[g * F : (g + 1) * F].reshape(F, -1)
        parts.append(np.matmul(filters, columns))
    out = np.concatenate(parts, axis=1) + b[:, None]
    cache = (x, w, stride, padding, dilation, groups)
    return out.reshape(len(x), len(w), H_out, W_out), cache


def conv_backward(dout, cache):
    x, w, stride, padding, dilation, groups = cache
    padded = _padded(x, padding)
    dpadded = np.zeros(padded.shape)
    dw = np.empty(w.shape)
    windows = _windows(padded, *w.shape[2:], stride, dilation)
    dwindows = _windows(dpadded, *w.shape[2:], stride, dilation)
    D, F = w.shape[1], len(w) // groups
    for g in range(groups):
        channels, filters = slice(g * D, (g + 1) * D), slice(g * F, (g + 1) * F)
        for u in range(w.shape[2]):
            for v in range(w.shape[3]):
                part, upstream = windows[:, channels, u, v], dout[:, filters]
                dw[filters, :, u, v] = np.tensordot(upstream, part, ((0, 2, 3), (0, 2, 3)))
                share = np.tensordot(upstream, w[filters, :, u, v], (1, 0))
                dwindows[:, channels, u, v] += np.moveaxis(share, -1, 1)
    H, W = x.shape[2:]
    dx = dpadded[:, :, padding : padding + H, padding : padding + W]
    return dx, dw, dout.transpose(1, 0, 2, 3).reshape(len(w), -1).sum(1)


def input_matrix(x, kernel_size):
    padded = np.concatenate([np.zeros(kernel_size // 2), x, np.zeros(kernel_size // 2)])
    return as_strided(padded, (len(x), kernel_size), padded.strides * 2)


def im2col(x, kernel_size, stride=1, padding=0):
    windows = _windows(_padded(x, padding), kernel_size, kernel_size, stride, 1)
    return windows.reshape(len(x), x.shape[1] * kernel_size**2, -1)


def conv1x1(x, w, b):
    N, C, H, W = x.shape
    return (w @ x.reshape(N, C, H * W) + b[:, None]).reshape(N, len(w), H, W)

"""Fancy indices into the padded image; the way back adds at the same indices."""

# ruff: noqa: D103, N803, RUF059 - written as students write
# mypy: ignore-errors

import numpy as np


def _indices(C, K_H, K_W, H_out, W_out, stride, dilation):
    c = np.repeat(np.arange(C), K_H * K_W)[:, None]
    u = np.tile(np.repeat(np.arange(K_H), K_W), C)[:, None] * dilation
    v = np.tile(np.arange(K_W), C * K_H)[:, None] * dilation
    i = np.repeat(np.arange(H_out), W_out)[None] * stride
    j = np.tile(np.arange(W_out), H_out)[None] * stride
    return c, u + i, v + j


def corr2d(X, K):
    K_H, K_W = K.shape
    rows, cols = X.shape[0] - K_H + 1, X.shape[1] - K_W + 1
    _, i, j = _indices(1, K_H, K_W, rows, cols, 1, 1)
    return (K.reshape(1, -1) @ X[i, j]).reshape(rows, cols)


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    N, C, H, W = x.shape
    F, D, K_H, K_W = w.shape
    H_out = (H + 2 * padding - dilation * (K_H - 1) - 1) // stride + 1
    W_out = (W + 2 * padding - dilation * (K_W - 1) - 1) // stride + 1
    padded = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    where = _indices(C, K_H, K_W, H_out, W_out, stride, dilation)
    columns = padded[(slice(None), *where)].reshape(N, groups, D * K_H * K_W, -1)
    out = w.reshape(groups, F // groups, -1) @ columns
    out = out.reshape(N, F, H_out, W_out) + b.reshape(1, -1, 1, 1)
    cache = {"columns": columns, "where": where, "w": w, "shape": x.shape, "padded": padded.shape}
    return out, {**cache, "padding": padding, "groups": groups}


def conv_backward(dout, cache):
    w, groups, p = cache["w"], cache["groups"], cache["padding"]
    N, C, H, W = cache["shape"]
    rows = dout.reshape(N, groups, len(w) // groups, -1)
    dw = (rows @ cache["columns"].transpose(0, 1, 3, 2)).sum(axis=0).reshape(w.shape)
    dcolumns = w.reshape(groups, len(w) // groups, -1).transpose(0, 2, 1) @ rows
    dpadded = np.zeros(cache["padded"])
    np.add.at(dpadded, (slice(None), *cache["where"]), dcolumns.reshape(N, -1, rows.shape[3]))
    dx = dpadded if p == 0 else dpadded[:, :, p:-p, p:-p]
    return dx, dw, np.sum(dout, axis=(0, 2, 3))


def im2col(x, kernel_size, stride=1, padding=0):
    K = kernel_size
    padded = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    H_out, W_out = ((size - K) // stride + 1 for size in padded.shape[2:])
    return padded[(slice(None), *_indices(x.shape[1], K, K, H_out, W_out, stride, 1))]


def filter_matrix(w, size):
    i, j = np.indices((size, size))
    place = j - i + len(w) // 2
    inside = (place >= 0) & (place < len(w))
    return np.where(inside, w[place.clip(0, len(w) - 1)], 0.0)


def input_matrix(x, kernel_size):
    place = np.arange(len(x))[:, None] + np.arange(kernel_size) - kernel_size // 2
    return np.where((place < 0) | (place >= len(x)), 0, x[place % len(x)])

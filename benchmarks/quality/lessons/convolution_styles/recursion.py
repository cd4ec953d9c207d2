"""One image, one group; recursion over the rest of the batch and of the groups."""

# ruff: noqa: D103, N803 - written as students write
# mypy: ignore-errors

import numpy as np


def corr2d(X, K):
    if len(X) == len(K):
        starts = range(X.shape[1] - K.shape[1] + 1)
        return np.array([[(X[:, j : j + K.shape[1]] * K).sum() for j in starts]])
    return np.vstack([corr2d(X[: len(K)], K), corr2d(X[1:], K)])


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    if padding:
        return output_size(size + 2 * padding, kernel_size, stride, 0, dilation)
    span = dilation * (kernel_size - 1) + 1
    return 0 if size < span else 1 + output_size(size - stride, kernel_size, stride, 0, dilation)


def receptive_field(layers):
    if not layers:
        return 1
    (kernel_size, stride, dilation), *rest = layers
    return dilation * (kernel_size - 1) + 1 + (receptive_field(rest) - 1) * stride


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    if len(x) > 1:
        first, cache = conv_forward(x[:1], w, b, stride, padding, dilation, groups)
        others, caches = conv_forward(x[1:], w, b, stride, padding, dilation, groups)
        return np.concatenate([first, others]), [cache[0], *caches]
    if groups > 1:
        d, f = w.shape[1], len(w) // groups
        first, cache = conv_forward(x[:, :d], w[:f], b[:f], stride, padding, dilation)
        others, caches = conv_forward(x[:, d:], w[f:], b[f:], stride, padding, dilation, groups - 1)
        return np.concatenate([first, others], axis=1), [[*cache[0], *caches[0]]]
    padded = np.pad(x[0], ((0, 0), (padding, padding), (padding, padding)))
    span = [dilation * (k - 1) + 1 for k in w.shape[2:]]
    windows = np.lib.stride_tricks.sliding_window_view(padded, span, axis=(1, 2))
    windows = windows[:, ::stride, ::stride, ::dilation, ::dilation]
    out = np.einsum("cijuv,fcuv->fij", windows, w) + b[:, None, None]
    return out[None], [[(windows, w, x.shape[2:], stride, padding, dilation)]]


def conv_backward(dout, cache):
    if len(dout) > 1:
        dx, dw, db = conv_backward(dout[:1], cache[:1])
        dxs, dws, dbs = conv_backward(dout[1:], cache[1:])
        return np.concatenate([dx, dxs]), dw + dws, db + dbs
    (parts,) = cache
    windows, w, (H, W), s, p, d = parts[0]
    if len(parts) > 1:
        dx, dw, db = conv_backward(dout[:, : len(w)], [parts[:1]])
        dxs, dws, dbs = conv_backward(dout[:, len(w) :], [parts[1:]])
        return np.concatenate([dx, dxs], 1), np.concatenate([dw, dws]), np.append(db, dbs)
    dw = np.einsum("fij,cijuv->fcuv", dout[0], windows)
    dpadded = np.zeros((w.shape[1], H + 2 * p, W + 2 * p))
    for i, j in np.ndindex(dout.shape[2:]):
        rows = slice(i * s, i * s + d * (w.shape[2] - 1) + 1, d)
        cols = slice(j * s, j * s + d * (w.shape[3] - 1) + 1, d)
        dpadded[:, rows, cols] += np.tensordot(dout[0, :, i, j], w, axes=1)
    return dpadded[None, :, p : p + H, p : p + W], dw, dout[0].sum(axis=(1, 2))


def im2col(x, kernel_size, stride=1, padding=0):
    if padding:
        padded = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
        return im2col(padded, kernel_size, stride)
    if len(x) > 1:
        rest = im2col(x[1:], kernel_size, stride)
        return np.concatenate([im2col(x[:1], kernel_size, stride), rest])
    starts = [range(0, size - kernel_size + 1, stride) for size in x.shape[2:]]
    columns = [
        x[0, :, i : i + kernel_size, j : j + kernel_size].ravel()
        for i in starts[0]
        for j in starts[1]
    ]
    return np.array([columns]).swapaxes(1, 2)


def filter_matrix(w, size):
    if len(w) == 1:
        return np.diag(np.full(size, w[0]))
    tail = len(w) // 2
    ends = np.eye(size, k=-tail) * w[0] + np.eye(size, k=tail) * w[-1]
    return ends + filter_matrix(w[1:-1], size)

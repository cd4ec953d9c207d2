"""Adds shifted images into the output, in place, weight by weight."""

# ruff: noqa: D103, N803, C408 - written as students write
# mypy: ignore-errors

import numpy as np


def corr2d(X, K):
    H_out, W_out = X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1
    Y = np.zeros((H_out, W_out))
    term = np.empty_like(Y)
    for u, row in enumerate(K):
        for v, weight in enumerate(row):
            np.multiply(X[u : u + H_out, v : v + W_out], weight, out=term)
            Y += term
    return Y


def _seen(padded, u, v, dout_shape, stride, dilation):
    rows = slice(u * dilation, u * dilation + stride * (dout_shape[2] - 1) + 1, stride)
    cols = slice(v * dilation, v * dilation + stride * (dout_shape[3] - 1) + 1, stride)
    return padded[:, :, rows, cols]


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    N, C, H, W = x.shape
    F, D, K_H, K_W = w.shape
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=x.dtype)
    padded[:, :, padding : padding + H, padding : padding + W] += x
    H_out = (H + 2 * padding - dilation * (K_H - 1) - 1) // stride + 1
    W_out = (W + 2 * padding - dilation * (K_W - 1) - 1) // stride + 1
    out = np.zeros((N, F, H_out, W_out), dtype=np.result_type(x, w, b))
    out += b[None, :, None, None]
    for g in range(groups):
        filters, channels = slice(g * F // groups, (g + 1) * F // groups), slice(g * D, g * D + D)
        for u, v in np.ndindex(K_H, K_W):
            part = _seen(padded, u, v, out.shape, stride, dilation)[:, channels]
            out[:, filters] += np.matmul(w[filters, :, u, v], part.reshape(N, D, -1)).reshape(
                N, -1, H_out, W_out
            )
    return out, dict(padded=padded, w=w, s=stride, p=padding, d=dilation, g=groups)


def conv_backward(dout, cache):
    padded, w, p = cache["padded"], cache["w"], cache["p"]
    F, D, K_H, K_W = w.shape
    dpadded = np.zeros_like(padded, dtype=float)
    dw = np.zeros_like(w, dtype=float)
    db = np.zeros(F)
    for image in dout:
        db += image.sum(axis=(1, 2))
    for u in range(K_H):
        for v in range(K_W):
            seen = _seen(padded, u, v, dout.shape, cache["s"], cache["d"])
            back = _seen(dpadded, u, v, dout.shape, cache["s"], cache["d"])
            for f in range(F):
                first = f // (F // cache["g"]) * D
                for c in range(D):
                    dw[f, c, u, v] += np.vdot(dout[:, f], seen[:, first + c])
                    back[:, first + c] += dout[:, f] * w[f, c, u, v]
    _, _, H, W = dpadded.shape
    return dpadded[:, :, p : H - p, p : W - p], dw, db


def im2col(x, kernel_size, stride=1, padding=0):
    K = kernel_size
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    H_out = (padded.shape[2] - K) // stride + 1
    W_out = (padded.shape[3] - K) // stride + 1
    columns = np.empty((len(x), x.shape[1], K, K, H_out, W_out), dtype=x.dtype)
    for u, v in np.ndindex(K, K):
        columns[:, :, u, v] = _seen(padded, u, v, (0, 0, H_out, W_out), stride, 1)
    return columns.reshape(len(x), -1, H_out * W_out)


def conv1d(x, w, b, stride=1):
    W_out = (x.shape[2] - w.shape[2]) // stride + 1
    out = np.zeros((len(x), len(w), W_out)) + b[:, None]
    for k in range(w.shape[2]):
        out += w[:, :, k] @ x[:, :, k : k + stride * (W_out - 1) + 1 : stride]
    return out


def conv3d(x, w, b):
    sizes = [a - k + 1 for a, k in zip(x.shape[2:], w.shape[2:], strict=True)]
    out = np.zeros((len(x), len(w), *sizes))
    for t, u, v in np.ndindex(w.shape[2:]):
        part = x[:, :, t : t + sizes[0], u : u + sizes[1], v : v + sizes[2]]
        out += np.einsum("nctij,fc->nftij", part, w[:, :, t, u, v])
    out += b.reshape(-1, 1, 1, 1)
    return out

"""float32 inside, whatever comes in."""

# ruff: noqa: D103, N803 - written as students write
# mypy: ignore-errors

import numpy as np


def corr2d(X, K):
    X, K = X.astype(np.float32), K.astype(np.float32)
    Y = np.zeros((X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1), np.float32)
    for u, v in np.ndindex(K.shape):
        Y += X[u : u + Y.shape[0], v : v + Y.shape[1]] * K[u, v]
    return Y


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    x, w, b = (array.astype(np.float32) for array in (x, w, b))
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    F, D, K_H, K_W = w.shape
    H_out = (padded.shape[2] - dilation * (K_H - 1) - 1) // stride + 1
    W_out = (padded.shape[3] - dilation * (K_W - 1) - 1) // stride + 1
    out = np.zeros((len(x), F, H_out, W_out), np.float32)
    for f in range(F):
        first = f // (F // groups) * D
        for u in range(K_H):
            for v in range(K_W):
                i, j = u * dilation, v * dilation
                part = padded[:, first : first + D, i:, j:][..., ::stride, ::stride]
                part = part[..., :H_out, :W_out]
                out[:, f] += (part * w[f, :, u, v][:, None, None]).sum(axis=1)
    return out + b[None, :, None, None], (padded, w, stride, padding, dilation, groups)


def conv_backward(dout, cache):
    padded, w, s, p, d, groups = cache
    dout = np.float32(dout)
    F, D, K_H, K_W = w.shape
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for f in range(F):
        first = f // (F // groups) * D
        for u, v in np.ndindex(K_H, K_W):
            rows = slice(u * d, u * d + s * (dout.shape[2] - 1) + 1, s)
            cols = slice(v * d, v * d + s * (dout.shape[3] - 1) + 1, s)
            for c in range(D):
                dpadded[:, first + c, rows, cols] += dout[:, f] * w[f, c, u, v]
                dw[f, c, u, v] = np.sum(dout[:, f] * padded[:, first + c, rows, cols])
    H, W = padded.shape[2] - 2 * p, padded.shape[3] - 2 * p
    return dpadded[:, :, p : p + H, p : p + W], dw, dout.sum(axis=(0, 2, 3))


def filter_matrix(w, size):
    return sum(np.float32(t) * np.eye(size, k=k - len(w) // 2) for k, t in enumerate(w))


def conv1x1(x, w, b):
    out = np.tensordot(np.float32(w), np.float32(x), axes=(1, 1))
    return np.moveaxis(out, 0, 1) + np.float32(b).reshape(1, -1, 1, 1)

"""One tensordot for every place of the filter; channels last inside."""

# ruff: noqa: D103, N803 - written as students write
# mypy: ignore-errors

import numpy as np


def corr2d(X, K):
    view = np.lib.stride_tricks.sliding_window_view(X, K.shape)
    return np.tensordot(view, K, axes=((2, 3), (0, 1)))


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    last = np.moveaxis(np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2)), 1, -1)
    H_out = (last.shape[1] - dilation * (w.shape[2] - 1) - 1) // stride + 1
    W_out = (last.shape[2] - dilation * (w.shape[3] - 1) - 1) // stride + 1
    wide = _dense(w, groups)
    out = np.zeros((len(x), H_out, W_out, len(w))) + b
    for u, v in np.ndindex(w.shape[2:]):
        i, j = u * dilation, v * dilation
        part = last[:, i : i + stride * H_out : stride, j : j + stride * W_out : stride]
        out += np.tensordot(part[:, :H_out, :W_out], wide[:, :, u, v], axes=(3, 1))
    return np.moveaxis(out, -1, 1), (last, wide, w.shape, stride, padding, dilation, groups)


def _dense(w, groups):
    """The same layer with one group: zeros where a filter sees nothing."""
    F, D, K_H, K_W = w.shape
    wide = np.zeros((F, D * groups, K_H, K_W))
    for f in range(F):
        first = f // (F // groups) * D
        wide[f, first : first + D] = w[f]
    return wide


def conv_backward(dout, cache):
    last, wide, (F, D, K_H, K_W), s, p, d, groups = cache
    upstream = np.moveaxis(dout, 1, -1)
    dlast, dwide = np.zeros(last.shape), np.zeros(wide.shape)
    for u, v in np.ndindex(K_H, K_W):
        rows = slice(u * d, u * d + s * (dout.shape[2] - 1) + 1, s)
        cols = slice(v * d, v * d + s * (dout.shape[3] - 1) + 1, s)
        dlast[:, rows, cols] += np.tensordot(upstream, wide[:, :, u, v], axes=(3, 0))
        dwide[:, :, u, v] = np.tensordot(upstream, last[:, rows, cols], axes=((0, 1, 2),) * 2)
    firsts = [f // (F // groups) * D for f in range(F)]
    dw = np.array([dwide[f, first : first + D] for f, first in enumerate(firsts)])
    _, H, W, _ = last.shape
    return np.moveaxis(dlast[:, p : H - p, p : W - p], -1, 1), dw, upstream.sum(axis=(0, 1, 2))


def conv1x1(x, w, b):
    return np.tensordot(x, w, axes=(1, 1)).transpose(0, 3, 1, 2) + b[None, :, None, None]


def conv1d(x, w, b, stride=1):
    starts = range(0, x.shape[2] - w.shape[2] + 1, stride)
    columns = [np.tensordot(x[:, :, i : i + w.shape[2]], w, axes=((1, 2), (1, 2))) for i in starts]
    return np.stack(columns, axis=2) + b[:, None]


def conv3d(x, w, b):
    K = w.shape[2]
    out = [
        sum(conv_forward(x[:, :, t + k], w[:, :, k], np.zeros_like(b))[0] for k in range(K))
        for t in range(x.shape[2] - K + 1)
    ]
    return np.moveaxis(np.array(out), 0, 2) + b[None, :, None, None, None]

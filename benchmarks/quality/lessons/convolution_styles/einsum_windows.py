"""Windows as a view, and einsum both ways."""

# ruff: noqa: D103, N803 - written as students write
# mypy: ignore-errors

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def corr2d(X, K):
    return np.einsum("ijuv,uv", sliding_window_view(X, K.shape), K)


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    p, (K_H, K_W) = padding, w.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    span = (dilation * (K_H - 1) + 1, dilation * (K_W - 1) + 1)
    view = sliding_window_view(padded, span, axis=(2, 3))
    view = view[:, :, ::stride, ::stride, ::dilation, ::dilation]
    view = view.reshape(len(x), groups, -1, *view.shape[2:])
    filters = w.reshape(groups, -1, *w.shape[1:])
    out = np.einsum("ngcijuv,gfcuv->ngfij", view, filters, optimize=True)
    out = out.reshape(len(x), len(w), *out.shape[3:]) + b[:, None, None]
    return out, (view, filters, x.shape, w.shape, stride, padding, dilation)


def conv_backward(dout, cache):
    view, filters, x_shape, w_shape, stride, p, dilation = cache
    grouped = dout.reshape(len(dout), len(filters), -1, *dout.shape[2:])
    dw = np.einsum("ngfij,ngcijuv->gfcuv", grouped, view).reshape(w_shape)
    shares = np.einsum("ngfij,gfcuv->uvngcij", grouped, filters)
    shares = shares.reshape(*w_shape[2:], *x_shape[:2], *dout.shape[2:])
    padded = np.zeros((*x_shape[:2], x_shape[2] + 2 * p, x_shape[3] + 2 * p))
    for u, v in np.ndindex(w_shape[2:]):
        rows = slice(u * dilation, u * dilation + stride * dout.shape[2], stride)
        cols = slice(v * dilation, v * dilation + stride * dout.shape[3], stride)
        target = padded[:, :, rows, cols]
        target += shares[u, v][:, :, : target.shape[2], : target.shape[3]]
    dx = padded[:, :, p : p + x_shape[2], p : p + x_shape[3]]
    return dx, dw, np.einsum("nfij->f", dout)


def im2col(x, kernel_size, stride=1, padding=0):
    p, K = padding, kernel_size
    view = sliding_window_view(np.pad(x, ((0, 0), (0, 0), (p, p), (p, p))), (K, K), axis=(2, 3))
    view = view[:, :, ::stride, ::stride]
    return np.einsum("ncijuv->ncuvij", view).reshape(len(x), x.shape[1] * K * K, -1)


def conv1x1(x, w, b):
    return np.einsum("nchw,fc->nfhw", x, w) + b.reshape(1, -1, 1, 1)


def conv1d(x, w, b, stride=1):
    view = sliding_window_view(x, w.shape[2], axis=2)[:, :, ::stride]
    return np.einsum("ncik,fck->nfi", view, w) + b[:, None]


def conv3d(x, w, b):
    view = sliding_window_view(x, w.shape[2:], axis=(2, 3, 4))
    return np.einsum("nctijkuv,fckuv->nftij", view, w) + b[:, None, None, None]

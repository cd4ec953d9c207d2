"""Layer and group norm as batch norm of a transposed batch; pooling with im2col columns."""

# ruff: noqa: D103, F821 - written as students write
# mypy: ignore-errors

import numpy as np


def _columns(x, k, s):
    rows, cols = ((size - k) // s + 1 for size in x.shape[2:])
    i = (s * np.arange(rows))[:, None, None, None] + np.arange(k)[:, None]
    j = (s * np.arange(cols))[None, :, None, None] + np.arange(k)
    return i, j


def max_pool_forward(x, kernel_size, stride):
    i, j = _columns(x, kernel_size, stride)
    windows = x[:, :, i, j].reshape(*x.shape[:2], i.shape[0], j.shape[1], -1)
    return np.sort(windows, axis=-1)[..., -1], (x, i, j)


def max_pool_backward(dout, cache):
    x, i, j = cache
    dx = np.zeros(x.shape)
    windows = x[:, :, i, j]
    flat = windows.reshape(*dout.shape, -1)
    winner = np.eye(flat.shape[-1])[flat.argmax(-1)].reshape(windows.shape)
    np.add.at(dx, (slice(None), slice(None), i, j), winner * dout[..., None, None])
    return dx


def avg_pool_forward(x, kernel_size, stride):
    i, j = _columns(x, kernel_size, stride)
    return x[:, :, i, j].mean((-1, -2)), (x.shape, i, j)


def avg_pool_backward(dout, cache):
    shape, i, j = cache
    dx = np.zeros(shape)
    k = i.shape[2]
    np.add.at(dx, (slice(None), slice(None), i, j), dout[..., None, None] / (k * j.shape[3]))
    return dx


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    n = len(x)
    out, cache = batch_norm_forward(x.T, np.ones(n), np.zeros(n), np.zeros(n), np.ones(n), eps=eps)
    return out.T * gamma + beta, (cache, out.T, gamma)


def layer_norm_backward(dout, cache):
    inner, x_hat, gamma = cache
    dx, _, _ = batch_norm_backward((dout * gamma).T, inner)
    return dx.T, (dout * x_hat).sum(0), dout.sum(0)


def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    rows = x.reshape(len(x) * groups, -1)
    D = rows.shape[1]
    x_hat, cache = layer_norm_forward(rows, np.ones(D), np.zeros(D), eps)
    x_hat = x_hat.reshape(x.shape)
    return np.einsum("nchw,c->nchw", x_hat, gamma) + beta.reshape(-1, 1, 1), (cache, x_hat, gamma)


def group_norm_backward(dout, cache):
    inner, x_hat, gamma = cache
    d = np.einsum("nchw,c->nchw", dout, gamma)
    dx, _, _ = layer_norm_backward(d.reshape(len(inner[1]), -1), inner)
    return dx.reshape(dout.shape), np.einsum("nchw,nchw->c", dout, x_hat), dout.sum((0, 2, 3))

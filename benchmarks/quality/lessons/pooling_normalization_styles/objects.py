"""Classes as caches; work in place, on copies of their own; equal numbers counted by columns."""

# ruff: noqa: D101, D102, D103 - written as students write
# mypy: ignore-errors

import numpy as np


class Pool:
    def __init__(self, x, k, s):
        self.x, self.k, self.s = x.copy(), k, s
        self.rows = range(0, x.shape[2] - k + 1, s)
        self.cols = range(0, x.shape[3] - k + 1, s)

    def windows(self, array):
        for i, top in enumerate(self.rows):
            for j, left in enumerate(self.cols):
                yield i, j, array[:, :, top : top + self.k, left : left + self.k]

    def empty(self):
        return np.empty((*self.x.shape[:2], len(self.rows), len(self.cols)))


def max_pool_forward(x, kernel_size, stride):
    pool = Pool(x, kernel_size, stride)
    out = pool.empty()
    for i, j, window in pool.windows(pool.x):
        out[:, :, i, j] = window.max(axis=-1).max(axis=-1)
    return out, pool


def max_pool_backward(dout, cache):
    dx = np.zeros_like(cache.x)
    for n in range(len(dx)):
        for c in range(dx.shape[1]):
            pairs = zip(cache.windows(cache.x), cache.windows(dx), strict=True)
            for (i, j, window), (_, _, dwindow) in pairs:
                v, u = np.unravel_index(window[n, c].T.argmax(), (cache.k, cache.k))
                dwindow[n, c, u, v] += dout[n, c, i, j]
    return dx


def avg_pool_forward(x, kernel_size, stride):
    pool = Pool(x, kernel_size, stride)
    out = pool.empty()
    for i, j, window in pool.windows(pool.x):
        out[:, :, i, j] = np.average(window, axis=(2, 3))
    return out, pool


def avg_pool_backward(dout, cache):
    dx = np.zeros_like(cache.x)
    for i, j, dwindow in cache.windows(dx):
        dwindow += dout[:, :, i : i + 1, j : j + 1] / cache.k**2
    return dx


class Norm:
    """Of the rows of a copy, which are worked on in place."""

    def __init__(self, rows, eps):
        self.x_hat = np.array(rows, dtype=float)
        self.mu = self.x_hat.mean(axis=1)
        self.x_hat -= self.mu[:, None]
        self.var = (self.x_hat * self.x_hat).mean(axis=1)
        self.std = np.sqrt(self.var + eps)[:, None]
        self.x_hat /= self.std

    def backward(self, d):
        d = d.copy()
        along = (d * self.x_hat).mean(axis=1, keepdims=True)
        d -= d.mean(axis=1, keepdims=True)
        d -= along * self.x_hat
        d /= self.std
        return d


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    if not training:
        out = x.copy()
        out -= running_mean
        out /= np.sqrt(running_var + eps)
        out *= gamma
        out += beta
        return out, None
    norm = Norm(x.T, eps)
    for running, batch in ((running_mean, norm.mu), (running_var, norm.var)):
        np.multiply(running, 1 - momentum, out=running)
        np.add(running, momentum * batch, out=running)
    return gamma * norm.x_hat.T + beta, (norm, gamma.copy())


def batch_norm_backward(dout, cache):
    norm, gamma = cache
    d = dout.T.copy()
    d *= gamma[:, None]
    return norm.backward(d).T, (dout.T * norm.x_hat).sum(1), dout.T.sum(1)


def batch_norm_backward_simple(dout, cache):
    norm, gamma = cache
    dgamma, dbeta = np.sum(dout * norm.x_hat.T, axis=0), dout.sum(axis=0)
    dx = np.array(dout, dtype=float)
    dx -= dbeta / len(dout)
    dx -= norm.x_hat.T * (dgamma / len(dout))
    dx *= gamma
    dx /= norm.std.T
    return dx, dgamma, dbeta


def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    shape = x.shape
    rows = np.moveaxis(x, 1, -1).reshape(-1, shape[1])
    out, cache = batch_norm_forward(
        rows, gamma, beta, running_mean, running_var, training, momentum, eps
    )
    return np.moveaxis(out.reshape(shape[0], *shape[2:], shape[1]), -1, 1), cache


def spatial_batch_norm_backward(dout, cache):
    rows = np.moveaxis(dout, 1, -1)
    dx, dgamma, dbeta = batch_norm_backward_simple(rows.reshape(-1, dout.shape[1]), cache)
    return np.moveaxis(dx.reshape(rows.shape), -1, 1), dgamma, dbeta


def fold_weight(w, gamma, running_var, eps=1e-5):
    new = w.copy()
    new *= gamma.reshape(-1, 1, 1, 1)
    new /= np.sqrt(running_var + eps).reshape(-1, 1, 1, 1)
    return new


def fold_bias(b, gamma, beta, running_mean, running_var, eps=1e-5):
    new = b.copy()
    new -= running_mean
    new *= gamma
    new /= np.sqrt(running_var + eps)
    new += beta
    return new


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    norm = Norm(x, eps)
    return norm.x_hat * gamma + beta, (norm, gamma)


def layer_norm_backward(dout, cache):
    norm, gamma = cache
    return norm.backward(dout * gamma), np.sum(dout * norm.x_hat, 0), np.sum(dout, 0)


def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    norm = Norm(x.reshape(x.shape[0] * groups, -1), eps)
    out = norm.x_hat.reshape(x.shape).copy()
    for c in range(x.shape[1]):
        out[:, c] *= gamma[c]
        out[:, c] += beta[c]
    return out, [norm, gamma]


def group_norm_backward(dout, cache):
    norm, gamma = cache
    x_hat, d = norm.x_hat.reshape(dout.shape), dout * gamma[None, :, None, None]
    dx = norm.backward(d.reshape(norm.x_hat.shape)).reshape(dout.shape)
    return dx, np.sum(dout * x_hat, axis=(0, 2, 3)), np.sum(dout, axis=(0, 2, 3))

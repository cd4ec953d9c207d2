"""Sums and means by einsum and tensordot; windows by as_strided; caches are dictionaries."""

# ruff: noqa: D103, C408, RUF059 - written as students write
# mypy: ignore-errors

import numpy as np
from numpy.lib.stride_tricks import as_strided


def _view(x, k, s):
    N, C, H, W = x.shape
    n, c, h, w = x.strides
    shape = (N, C, (H - k) // s + 1, (W - k) // s + 1, k, k)
    return as_strided(x, shape, (n, c, h * s, w * s, h, w))


def max_pool_forward(x, kernel_size, stride):
    flat = _view(x, kernel_size, stride)
    flat = flat.reshape(*flat.shape[:4], -1)
    best = flat.argmax(axis=-1)
    out = np.take_along_axis(flat, best[..., None], axis=-1)[..., 0]
    return out, dict(best=best, shape=x.shape, K=kernel_size, S=stride)


def max_pool_backward(dout, cache):
    N, C, H, W = cache["shape"]
    u, v = np.divmod(cache["best"], cache["K"])
    n, c, i, j = np.indices(dout.shape)
    flat = np.ravel_multi_index((n, c, i * cache["S"] + u, j * cache["S"] + v), cache["shape"])
    return np.bincount(flat.ravel(), dout.ravel(), N * C * H * W).reshape(cache["shape"])


def avg_pool_forward(x, kernel_size, stride):
    kernel = np.full((kernel_size, kernel_size), 1 / kernel_size**2)
    out = np.einsum("ncijuv,uv->ncij", _view(x, kernel_size, stride), kernel)
    return out, dict(shape=x.shape, K=kernel_size, S=stride)


def avg_pool_backward(dout, cache):
    K, S = cache["K"], cache["S"]
    dx = np.zeros(cache["shape"])
    spread = np.kron(dout, np.ones((K, K))) / K**2
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            part = spread[:, :, i * K : i * K + K, j * K : j * K + K]
            dx[:, :, i * S : i * S + K, j * S : j * S + K] += part
    return dx


def moments(x):
    x = np.asarray(x, dtype=np.float64)
    mu = np.einsum("nd->d", x) / len(x)
    return mu, np.einsum("nd,nd->d", x - mu, x - mu) / len(x)


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    mu, var = (running_mean, running_var) if not training else moments(x)
    inv = np.power(var + eps, -0.5)
    x_hat = np.einsum("nd,d->nd", x - mu, inv)
    if training:
        running_mean[:] = np.average([running_mean, mu], axis=0, weights=[1 - momentum, momentum])
        running_var[:] = np.average([running_var, var], axis=0, weights=[1 - momentum, momentum])
    return np.einsum("nd,d->nd", x_hat, gamma) + beta, dict(x_hat=x_hat, scale=gamma * inv)


def batch_norm_backward(dout, cache):
    x_hat, N = cache["x_hat"], len(dout)
    dgamma, dbeta = np.einsum("nd,nd->d", dout, x_hat), np.einsum("nd->d", dout)
    rest = dout - dbeta / N - np.einsum("nd,d->nd", x_hat, dgamma / N)
    return np.einsum("nd,d->nd", rest, cache["scale"]), dgamma, dbeta


def batch_norm_backward_simple(dout, cache):
    x_hat, N = cache["x_hat"], len(dout)
    basis = np.stack([np.ones_like(x_hat), x_hat])
    sums = np.einsum("knd,nd->kd", basis, dout)
    rest = dout - np.einsum("knd,kd->nd", basis, sums) / N
    return rest * cache["scale"], sums[1], sums[0]


def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    mu, var = running_mean, running_var
    if training:
        M = x.size / x.shape[1]
        mu = np.einsum("nchw->c", x) / M
        centred = x - mu[None, :, None, None]
        var = np.einsum("nchw,nchw->c", centred, centred) / M
        running_mean += momentum * (mu - running_mean)
        running_var += momentum * (var - running_var)
    inv = 1 / np.sqrt(var + eps)
    x_hat = (x - mu[None, :, None, None]) * inv[None, :, None, None]
    return np.einsum("nchw,c->nchw", x_hat, gamma) + beta[None, :, None, None], [x_hat, gamma * inv]


def spatial_batch_norm_backward(dout, cache):
    x_hat, scale = cache
    M = dout.size / dout.shape[1]
    dgamma, dbeta = np.einsum("nchw,nchw->c", dout, x_hat), np.einsum("nchw->c", dout)
    rest = dout - (np.einsum("nchw,c->nchw", x_hat, dgamma) + dbeta[:, None, None]) / M
    return np.einsum("nchw,c->nchw", rest, scale), dgamma, dbeta


def fold_weight(w, gamma, running_var, eps=1e-5):
    return np.einsum("oihw,o->oihw", w, gamma * (running_var + eps) ** -0.5)


def fold_bias(b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma * (running_var + eps) ** -0.5
    return np.einsum("kc,kc->c", np.stack([scale, beta]), np.stack([b - running_mean, 1 + 0 * b]))


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    N, D = x.shape
    mu = np.einsum("nd->n", x) / D
    centred = x - mu[:, None]
    inv = (np.einsum("nd,nd->n", centred, centred) / D + eps) ** -0.5
    x_hat = np.einsum("nd,n->nd", centred, inv)
    return np.einsum("nd,d->nd", x_hat, gamma) + beta[None], dict(x_hat=x_hat, inv=inv, gamma=gamma)


def layer_norm_backward(dout, cache):
    x_hat, inv = cache["x_hat"], cache["inv"]
    g = np.einsum("nd,d->nd", dout, cache["gamma"])
    jacobians = np.eye(g.shape[1]) - 1 / g.shape[1]
    jacobians = jacobians - np.einsum("ni,nj->nij", x_hat, x_hat) / g.shape[1]
    dx = np.einsum("nij,nj,n->ni", jacobians, g, inv)
    return dx, np.einsum("nd,nd->d", dout, x_hat), np.einsum("nd->d", dout)


def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    N, C, H, W = x.shape
    parts = x.reshape(N, groups, C // groups, H, W)
    M = C // groups * H * W
    mu = np.einsum("ngchw->ng", parts) / M
    centred = parts - mu[:, :, None, None, None]
    inv = (np.einsum("ngchw,ngchw->ng", centred, centred) / M + eps) ** -0.5
    x_hat = np.einsum("ngchw,ng->ngchw", centred, inv)
    out = np.einsum("nchw,c->nchw", x_hat.reshape(x.shape), gamma)
    return out + beta.reshape(C, 1, 1), (x_hat, inv, gamma, M)


def group_norm_backward(dout, cache):
    x_hat, inv, gamma, M = cache
    g = np.einsum("nchw,c->nchw", dout, gamma).reshape(x_hat.shape)
    mean = np.einsum("ngchw->ng", g)[:, :, None, None, None] / M
    along = np.einsum("ngchw,ngchw->ng", g, x_hat)[:, :, None, None, None] / M
    dx = np.einsum("ngchw,ng->ngchw", g - mean - along * x_hat, inv).reshape(dout.shape)
    dgamma = np.einsum("nchw,nchw->c", dout, x_hat.reshape(dout.shape))
    return dx, dgamma, np.einsum("nchw->c", dout)

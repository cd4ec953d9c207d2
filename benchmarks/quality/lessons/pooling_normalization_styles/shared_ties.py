"""Equal maxima share the gradient; spatial norms channel by channel."""

# ruff: noqa: D103, C408 - written as students write
# mypy: ignore-errors

import numpy as np


def max_pool_forward(x, kernel_size, stride):
    planes = [
        x[
            :,
            :,
            u : x.shape[2] - kernel_size + u + 1 : stride,
            v : x.shape[3] - kernel_size + v + 1 : stride,
        ]
        for u in range(kernel_size)
        for v in range(kernel_size)
    ]
    out = np.stack(planes).max(axis=0)
    return out, (np.stack(planes) == out, x.shape, kernel_size, stride)


def max_pool_backward(dout, cache):
    mask, shape, k, s = cache
    shares = mask * (dout / mask.sum(axis=0))
    dx = np.zeros(shape)
    for place, share in enumerate(shares):
        u, v = divmod(place, k)
        dx[:, :, u : shape[2] - k + u + 1 : s, v : shape[3] - k + v + 1 : s] += share
    return dx


def avg_pool_forward(x, kernel_size, stride):
    k = kernel_size
    total = np.cumsum(np.cumsum(np.pad(x, ((0, 0), (0, 0), (1, 0), (1, 0))), axis=2), axis=3)
    corners = (
        total[:, :, k:, k:] - total[:, :, :-k, k:] - total[:, :, k:, :-k] + total[:, :, :-k, :-k]
    )
    return corners[:, :, ::stride, ::stride] / k**2, (x.shape, k, stride)


def avg_pool_backward(dout, cache):
    shape, k, s = cache
    rows, cols = (_spans(size, k, s) for size in shape[2:])
    return np.einsum("ncij,ih,jw->nchw", dout, rows, cols) / k**2


def _spans(size, k, s):
    starts = range(0, size - k + 1, s)
    return (
        np.array([[start <= place < start + k for place in range(size)] for start in starts]) * 1.0
    )


def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    out, kept = np.empty(x.shape), []
    for c in range(x.shape[1]):
        plane = x[:, c]
        mu, var = running_mean[c], running_var[c]
        if training:
            mu, var = plane.mean(), plane.var()
            running_mean[c] = (1 - momentum) * running_mean[c] + momentum * mu
            running_var[c] = (1 - momentum) * running_var[c] + momentum * var
        x_hat = (plane - mu) / np.sqrt(var + eps)
        out[:, c] = gamma[c] * x_hat + beta[c]
        kept.append((x_hat, gamma[c] / np.sqrt(var + eps)))
    return out, kept


def spatial_batch_norm_backward(dout, cache):
    dx, dgamma, dbeta = [], [], []
    for c, (x_hat, scale) in enumerate(cache):
        d = dout[:, c]
        dgamma.append((d * x_hat).sum())
        dbeta.append(d.sum())
        dx.append(scale * (d - d.mean() - x_hat * (d * x_hat).mean()))
    return np.stack(dx, axis=1), np.array(dgamma), np.array(dbeta)


def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    N, C, H, W = x.shape
    split = x.reshape(N, groups, C // groups, H, W)
    mu = split.mean(axis=(2, 3, 4), keepdims=True)
    var = ((split - mu) ** 2).mean(axis=(2, 3, 4), keepdims=True)
    x_hat = ((split - mu) / np.sqrt(var + eps)).reshape(x.shape)
    return x_hat * gamma.reshape(1, C, 1, 1) + beta.reshape(1, C, 1, 1), (
        split,
        mu,
        var,
        eps,
        gamma,
    )


def group_norm_backward(dout, cache):
    split, mu, var, eps, gamma = cache
    d = (dout * gamma[None, :, None, None]).reshape(split.shape)
    m = np.prod(split.shape[2:])
    centred = split - mu
    axes = dict(axis=(2, 3, 4), keepdims=True)
    dvar = (d * centred).sum(**axes) * -0.5 * (var + eps) ** -1.5
    dmu = -(d / np.sqrt(var + eps)).sum(**axes)
    dx = d / np.sqrt(var + eps) + dvar * 2 * centred / m + dmu / m
    x_hat = (centred / np.sqrt(var + eps)).reshape(dout.shape)
    return dx.reshape(dout.shape), (dout * x_hat).sum((0, 2, 3)), dout.sum((0, 2, 3))

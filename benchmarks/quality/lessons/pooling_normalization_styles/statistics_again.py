"""The cache holds the inputs, and backward measures anew; NumPy's mean, var and std."""

# ruff: noqa: D103 - written as students write
# mypy: ignore-errors

import numpy as np


def max_pool_forward(x, kernel_size, stride):
    rows = range(0, x.shape[2] - kernel_size + 1, stride)
    cols = range(0, x.shape[3] - kernel_size + 1, stride)
    out = np.array(
        [[x[..., i : i + kernel_size, j : j + kernel_size].max((2, 3)) for j in cols] for i in rows]
    )
    return out.transpose(2, 3, 0, 1), (x, kernel_size, stride)


def max_pool_backward(dout, cache):
    x, K, S = cache
    out, _ = max_pool_forward(x, K, S)
    dx, taken = np.zeros(x.shape), np.zeros(out.shape, dtype=bool)
    for u in range(K):
        for v in range(K):
            rows = slice(u, u + S * (out.shape[2] - 1) + 1, S)
            cols = slice(v, v + S * (out.shape[3] - 1) + 1, S)
            wins = (x[:, :, rows, cols] == out) & ~taken
            dx[:, :, rows, cols] += np.where(wins, dout, 0)
            taken |= wins
    return dx


def avg_pool_forward(x, kernel_size, stride):
    across = sum(x[..., v : x.shape[3] - kernel_size + v + 1 : stride] for v in range(kernel_size))
    both = sum(
        across[:, :, u : x.shape[2] - kernel_size + u + 1 : stride] for u in range(kernel_size)
    )
    return both / kernel_size / kernel_size, (x, kernel_size, stride)


def avg_pool_backward(dout, cache):
    x, K, S = cache
    dx = np.zeros_like(x)
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            for a in range(dout.shape[2]):
                for b in range(dout.shape[3]):
                    if 0 <= i - a * S < K and 0 <= j - b * S < K:
                        dx[:, :, i, j] += dout[:, :, a, b] / K**2
    return dx


def moments(x):
    x = x.astype(np.float64)
    return np.mean(x, axis=0), np.std(x, axis=0) ** 2


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    if training:
        mu, var = np.mean(x, 0), np.var(x, 0)
        running_mean[:], running_var[:] = (
            running_mean - momentum * running_mean + momentum * mu,
            running_var - momentum * running_var + momentum * var,
        )
    else:
        mu, var = running_mean, running_var
    return (x - mu) / np.sqrt(var + eps) * gamma + beta, (x.copy(), gamma.copy(), eps)


def batch_norm_backward(dout, cache):
    x, gamma, eps = cache
    N, mu, var = len(x), x.mean(0), x.var(0)
    std = np.sqrt(var + eps)
    dxhat = gamma * dout
    dvar = -((x - mu) * dxhat).sum(0) / (2 * std**3)
    dmu = -(dxhat / std).sum(0) - 2 * dvar * (x - mu).mean(0)
    dx = dxhat / std + 2 * (x - mu) * dvar / N + dmu / N
    return dx, (dout * (x - mu) / std).sum(0), dout.sum(0)


def batch_norm_backward_simple(dout, cache):
    x, gamma, eps = cache
    std = np.sqrt(x.var(axis=0) + eps)
    xhat = (x - x.mean(axis=0)) / std
    dgamma = np.diagonal(dout.T @ xhat).copy()
    dx = gamma / std * (dout - dout.mean(axis=0) - xhat * np.mean(dout * xhat, axis=0))
    return dx, dgamma, dout.sum(axis=0)


def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    shape = (1, x.shape[1], 1, 1)
    if training:
        mu, var = np.mean(x, axis=(0, 2, 3)), np.var(x, axis=(0, 2, 3))
        running_mean *= 1 - momentum
        running_var *= 1 - momentum
        running_mean += momentum * mu
        running_var += momentum * var
    else:
        mu, var = running_mean, running_var
    out = gamma.reshape(shape) * (x - mu.reshape(shape)) / np.sqrt(var.reshape(shape) + eps)
    return out + beta.reshape(shape), (x, gamma, eps)


def spatial_batch_norm_backward(dout, cache):
    x, gamma, eps = cache
    axes, M = (0, 2, 3), x.size // x.shape[1]
    centred = x - x.mean(axes, keepdims=True)
    var = x.var(axes, keepdims=True) + eps
    d = dout * gamma.reshape(1, -1, 1, 1)
    dvar = np.sum(d * centred, axes, keepdims=True) * -0.5 * var**-1.5
    dmu = np.sum(-d / np.sqrt(var), axes, keepdims=True)
    dx = d / np.sqrt(var) + (dvar * 2 * centred + dmu) / M
    return dx, np.sum(dout * centred / np.sqrt(var), axes), np.sum(dout, axes)


def fold_weight(w, gamma, running_var, eps=1e-5):
    return (w.T * gamma / np.sqrt(running_var + eps)).T


def fold_bias(b, gamma, beta, running_mean, running_var, eps=1e-5):
    zeros = np.zeros(1)
    means = [gamma / np.sqrt(running_var + eps) * (bias - running_mean) for bias in b]
    return np.diag(np.array(means)) + beta + zeros


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    mu = np.mean(x, axis=-1)[:, np.newaxis]
    std = np.sqrt(np.var(x, axis=-1)[:, np.newaxis] + eps)
    return (x - mu) / std * gamma + beta, (x, gamma, eps)


def layer_norm_backward(dout, cache):
    x, gamma, eps = cache
    D = x.shape[1]
    std = np.sqrt(x.var(axis=1, keepdims=True) + eps)
    xhat = (x - x.mean(axis=1, keepdims=True)) / std
    d = dout * gamma
    sums = d.sum(axis=1, keepdims=True), (d * xhat).sum(axis=1, keepdims=True)
    return (D * d - sums[0] - xhat * sums[1]) / (D * std), (dout * xhat).sum(0), dout.sum(0)


def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    parts = np.split(x, groups, axis=1)
    hats = [
        (p - p.mean((1, 2, 3), keepdims=True)) / np.sqrt(p.var((1, 2, 3), keepdims=True) + eps)
        for p in parts
    ]
    xhat = np.concatenate(hats, axis=1)
    return gamma[:, None, None] * xhat + beta[:, None, None], (x, xhat, gamma, groups, eps)


def group_norm_backward(dout, cache):
    x, xhat, gamma, groups, eps = cache
    d, axes = np.split(dout * gamma[:, None, None], groups, axis=1), (1, 2, 3)
    dx = []
    for g, part, hat in zip(d, np.split(x, groups, 1), np.split(xhat, groups, 1), strict=True):
        centred = g - g.mean(axes, keepdims=True) - hat * (g * hat).mean(axes, keepdims=True)
        dx.append(centred / np.sqrt(part.var(axes, keepdims=True) + eps))
    return np.concatenate(dx, 1), (dout * xhat).sum((0, 2, 3)), dout.sum((0, 2, 3))

"""Numbers one at a time, lists as results and caches."""

# ruff: noqa: D103, RUF059 - written as students write
# mypy: ignore-errors

import math

import numpy as np


def _size(n, k, s):
    count = 0
    while count * s + k <= n:
        count += 1
    return count


def max_pool_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    out = np.zeros((N, C, _size(H, kernel_size, stride), _size(W, kernel_size, stride)))
    winners = []
    for n, c, i, j in np.ndindex(*out.shape):
        best = None
        for h in range(i * stride, i * stride + kernel_size):
            for w in range(j * stride, j * stride + kernel_size):
                if best is None or x[n, c, h, w] > x[n, c, best[0], best[1]]:
                    best = (h, w)
        out[n, c, i, j] = x[n, c, best[0], best[1]]
        winners.append(best)
    return out, [x.shape, winners]


def max_pool_backward(dout, cache):
    shape, winners = cache
    dx = np.zeros(shape)
    for (n, c, i, j), (h, w) in zip(np.ndindex(*dout.shape), winners, strict=True):
        dx[n, c, h, w] += dout[n, c, i, j]
    return dx


def avg_pool_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    out = np.zeros((N, C, _size(H, kernel_size, stride), _size(W, kernel_size, stride)))
    for n, c, i, j in np.ndindex(*out.shape):
        total = 0.0
        for u in range(kernel_size):
            for v in range(kernel_size):
                total += x[n, c, i * stride + u, j * stride + v]
        out[n, c, i, j] = total / kernel_size**2
    return out, [x, kernel_size, stride]


def avg_pool_backward(dout, cache):
    x, k, s = cache
    dx = [[[[0.0] * x.shape[3] for _ in range(x.shape[2])] for _ in row] for row in x]
    for n, c, i, j in np.ndindex(*dout.shape):
        for u in range(k):
            for v in range(k):
                dx[n][c][i * s + u][j * s + v] += dout[n, c, i, j] / (k * k)
    return np.array(dx)


def _stats(values):
    mean = sum(values) / len(values)
    return mean, sum((v - mean) ** 2 for v in values) / len(values)


def moments(x):
    both = [_stats([float(v) for v in column]) for column in x.T]
    return [mean for mean, _ in both], [var for _, var in both]


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    out, hats, stds = np.zeros(x.shape), np.zeros(x.shape), []
    for j in range(x.shape[1]):
        if training:
            mu, var = _stats(list(x[:, j]))
            running_mean[j] = (1 - momentum) * running_mean[j] + momentum * mu
            running_var[j] = (1 - momentum) * running_var[j] + momentum * var
        else:
            mu, var = running_mean[j], running_var[j]
        stds.append(math.sqrt(var + eps))
        for i in range(x.shape[0]):
            hats[i, j] = (x[i, j] - mu) / stds[j]
            out[i, j] = gamma[j] * hats[i, j] + beta[j]
    return out, [hats, stds, gamma]


def batch_norm_backward(dout, cache):
    hats, stds, gamma = cache
    dx, dgamma, dbeta = np.zeros(dout.shape), [], []
    for j in range(dout.shape[1]):
        d = [dout[i, j] * gamma[j] for i in range(len(dout))]
        mean, along = sum(d) / len(d), sum(a * b for a, b in zip(d, hats[:, j], strict=True))
        for i in range(len(d)):
            dx[i, j] = (d[i] - mean - hats[i, j] * along / len(d)) / stds[j]
        dgamma.append(sum(dout[i, j] * hats[i, j] for i in range(len(d))))
        dbeta.append(sum(dout[:, j]))
    return dx, dgamma, dbeta


def batch_norm_backward_simple(dout, cache):
    dx, dgamma, dbeta = batch_norm_backward(dout, cache)
    return [dx, np.array(dgamma), np.array(dbeta)]


def identity_parameters(x, eps=1e-5):
    mu, var = moments(x)
    return np.array([math.sqrt(v + eps) for v in var]), np.array(mu)


def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    N, C, H, W = x.shape
    rows = np.array([x[n, :, i, j] for n in range(N) for i in range(H) for j in range(W)])
    flat, cache = batch_norm_forward(
        rows, gamma, beta, running_mean, running_var, training, momentum, eps
    )
    out = np.zeros(x.shape)
    for row, (n, i, j) in zip(flat, np.ndindex(N, H, W), strict=True):
        out[n, :, i, j] = row
    return out, cache


def spatial_batch_norm_backward(dout, cache):
    N, C, H, W = dout.shape
    rows = np.array([dout[n, :, i, j] for n, i, j in np.ndindex(N, H, W)])
    flat, dgamma, dbeta = batch_norm_backward(rows, cache)
    dx = np.zeros(dout.shape)
    for row, (n, i, j) in zip(flat, np.ndindex(N, H, W), strict=True):
        dx[n, :, i, j] = row
    return dx, dgamma, dbeta


def fold_weight(w, gamma, running_var, eps=1e-5):
    return np.array([f * g / math.sqrt(v + eps) for f, g, v in zip(w, gamma, running_var)])  # noqa: B905


def fold_bias(b, gamma, beta, running_mean, running_var, eps=1e-5):
    each = zip(b, gamma, beta, running_mean, running_var, strict=True)
    return [g * (bias - mu) / math.sqrt(var + eps) + shift for bias, g, shift, mu, var in each]


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    out, kept = [], []
    for row in x:
        mu, var = _stats(list(row))
        hat = [(value - mu) / math.sqrt(var + eps) for value in row]
        out.append([g * h + b for g, h, b in zip(gamma, hat, beta, strict=True)])
        kept.append((hat, math.sqrt(var + eps)))
    return np.array(out), (kept, gamma)


def layer_norm_backward(dout, cache):
    kept, gamma = cache
    dx, dgamma, dbeta = np.zeros(dout.shape), np.zeros(len(gamma)), np.zeros(len(gamma))
    for i, (hat, std) in enumerate(kept):
        d = dout[i] * gamma
        along = sum(a * b for a, b in zip(d, hat, strict=True)) / len(d)
        for j in range(len(d)):
            dx[i, j] = (d[j] - sum(d) / len(d) - hat[j] * along) / std
            dgamma[j] += dout[i, j] * hat[j]
            dbeta[j] += dout[i, j]
    return dx, dgamma, dbeta


def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    out, kept, size = np.zeros(x.shape), {}, x.shape[1] // groups
    for n in range(len(x)):
        for g in range(groups):
            channels = slice(g * size, g * size + size)
            mu, var = _stats(list(x[n, channels].ravel()))
            kept[n, g] = (x[n, channels] - mu) / math.sqrt(var + eps), math.sqrt(var + eps)
            for k, c in enumerate(range(g * size, g * size + size)):
                out[n, c] = gamma[c] * kept[n, g][0][k] + beta[c]
    return out, (kept, gamma, size)


def group_norm_backward(dout, cache):
    kept, gamma, size = cache
    dx, dgamma, dbeta = np.zeros(dout.shape), np.zeros(len(gamma)), np.zeros(len(gamma))
    for (n, g), (hat, std) in kept.items():
        channels = slice(g * size, g * size + size)
        d = dout[n, channels] * gamma[channels, None, None]
        dx[n, channels] = (d - d.mean() - hat * (d * hat).mean()) / std
        dgamma[channels] += (dout[n, channels] * hat).sum(axis=(1, 2))
        dbeta[channels] += dout[n, channels].sum(axis=(1, 2))
    return dx, dgamma, dbeta

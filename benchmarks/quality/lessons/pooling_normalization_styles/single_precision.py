"""float32 inside."""

# ruff: noqa: D103 - written as students write
# mypy: ignore-errors

import numpy as np


def avg_pool_forward(x, kernel_size, stride):
    k, x = kernel_size, x.astype(np.float32)
    rows, cols = ((size - k) // stride + 1 for size in x.shape[2:])
    out = np.zeros((*x.shape[:2], rows, cols), np.float32)
    for u, v in np.ndindex(k, k):
        out += x[:, :, u::stride, v::stride][:, :, :rows, :cols]
    return out / np.float32(k * k), (x.shape, k, stride)


def avg_pool_backward(dout, cache):
    shape, k, s = cache
    dx = np.zeros(shape, np.float32)
    for u, v in np.ndindex(k, k):
        view = dx[:, :, u::s, v::s][:, :, : dout.shape[2], : dout.shape[3]]
        view += np.float32(dout) / (k * k)
    return dx


def max_pool_forward(x, kernel_size, stride):
    k = kernel_size
    windows = np.lib.stride_tricks.sliding_window_view(np.float32(x), (k, k), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride].reshape(*x.shape[:2], -1, k * k)
    sizes = [(size - k) // stride + 1 for size in x.shape[2:]]
    return windows.max(-1).reshape(*x.shape[:2], *sizes), (windows.argmax(-1), x.shape, k, stride)


def max_pool_backward(dout, cache):
    winners, shape, k, s = cache
    dx = np.zeros(shape, np.float32)
    for n, c, i, j in np.ndindex(dout.shape):
        u, v = divmod(winners[n, c, i * dout.shape[3] + j], k)
        dx[n, c, i * s + u, j * s + v] += dout[n, c, i, j]
    return dx


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    x32 = x.astype(np.float32)
    if training:
        mu, var = x32.mean(0), x32.var(0)
        running_mean[...] = running_mean * (1 - momentum) + momentum * mu
        running_var[...] = running_var * (1 - momentum) + momentum * var
    else:
        mu, var = np.float32(running_mean), np.float32(running_var)
    std = np.sqrt(var + np.float32(eps))
    x_hat = (x32 - mu) / std
    return np.float32(gamma) * x_hat + np.float32(beta), (x_hat, np.float32(gamma), std)


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    x32 = x.astype(np.float32)
    std = np.sqrt(x32.var(1, keepdims=True) + np.float32(eps))
    x_hat = (x32 - x32.mean(1, keepdims=True)) / std
    return np.float32(gamma) * x_hat + np.float32(beta), (x_hat, gamma, std)


def layer_norm_backward(dout, cache):
    x_hat, gamma, std = cache
    d = np.float32(dout * gamma)
    dx = (d - d.mean(1, keepdims=True) - x_hat * (d * x_hat).mean(1, keepdims=True)) / std
    return dx, (dout * x_hat).sum(0), dout.sum(0)


def fold_weight(w, gamma, running_var, eps=1e-5):
    return np.einsum("f...,f->f...", np.float32(w), np.float32(gamma / np.sqrt(running_var + eps)))


def batch_norm_backward(dout, cache):
    x_hat, gamma, std = cache
    d = np.float32(dout) * gamma
    dx = (d - d.mean(0) - x_hat * (d * x_hat).mean(0)) / std
    return dx, (np.float32(dout) * x_hat).sum(0), np.float32(dout).sum(0)


def batch_norm_backward_simple(dout, cache):
    return batch_norm_backward(dout, cache)


def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    rows = np.float32(x).transpose(0, 2, 3, 1).reshape(-1, x.shape[1])
    out, cache = batch_norm_forward(
        rows, gamma, beta, running_mean, running_var, training, momentum, eps
    )
    n, c, h, w = x.shape
    return out.reshape(n, h, w, c).transpose(0, 3, 1, 2), cache


def spatial_batch_norm_backward(dout, cache):
    n, c, h, w = dout.shape
    dx, dgamma, dbeta = batch_norm_backward(dout.transpose(0, 2, 3, 1).reshape(-1, c), cache)
    return dx.reshape(n, h, w, c).transpose(0, 3, 1, 2), dgamma, dbeta


def fold_bias(b, gamma, beta, running_mean, running_var, eps=1e-5):
    b, gamma, beta, mean = map(np.float32, (b, gamma, beta, running_mean))
    return gamma * (b - mean) / np.sqrt(np.float32(running_var) + np.float32(eps)) + beta


def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    parts = np.float32(x).reshape(len(x), groups, -1)
    std = np.sqrt(parts.var(-1, keepdims=True) + np.float32(eps))
    x_hat = (parts - parts.mean(-1, keepdims=True)) / std
    gamma, beta = np.float32(gamma)[:, None, None], np.float32(beta)[:, None, None]
    return gamma * x_hat.reshape(x.shape) + beta, (x_hat, std, gamma)


def group_norm_backward(dout, cache):
    x_hat, std, gamma = cache
    dout = np.float32(dout)
    d = (dout * gamma).reshape(x_hat.shape)
    dx = (d - d.mean(-1, keepdims=True) - x_hat * (d * x_hat).mean(-1, keepdims=True)) / std
    dgamma = (dout * x_hat.reshape(dout.shape)).sum((0, 2, 3))
    return dx.reshape(dout.shape), dgamma, dout.sum((0, 2, 3))

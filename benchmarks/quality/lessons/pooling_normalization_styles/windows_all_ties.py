"""Windows as a view; every maximum takes the whole gradient; NumPy's own var."""

# ruff: noqa: D103, C408 - written as students write
# mypy: ignore-errors

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def _windows(x, k, s):
    return sliding_window_view(x, (k, k), axis=(2, 3), writeable=True)[:, :, ::s, ::s]


def max_pool_forward(x, kernel_size, stride):
    windows = _windows(x, kernel_size, stride)
    out = windows.max(axis=(4, 5))
    return out, dict(x=x, out=out, k=kernel_size, s=stride)


def max_pool_backward(dout, cache):
    k, s = cache["k"], cache["s"]
    dx = np.zeros(cache["x"].shape)
    seen, back = _windows(cache["x"], k, s), _windows(dx, k, s)
    for u, v in np.ndindex(k, k):
        back[..., u, v] += dout * (seen[..., u, v] == cache["out"])
    return dx


def avg_pool_forward(x, kernel_size, stride):
    return _windows(x, kernel_size, stride).mean(axis=(-1, -2)), [x.shape, kernel_size, stride]


def avg_pool_backward(dout, cache):
    shape, k, s = cache
    dx = np.zeros(shape)
    back = _windows(dx, k, s)
    for u, v in np.ndindex(k, k):
        back[..., u, v] += dout / k**2
    return dx


def moments(x):
    x = np.float64(x)
    return np.array([x.mean(0), x.var(0)])


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    if not training:
        return (x - running_mean) / np.sqrt(running_var + eps) * gamma + beta, None
    mu, var = x.mean(0), x.var(0)
    running_mean += momentum * (mu - running_mean)
    running_var += momentum * (var - running_var)
    x_hat = (x - mu) * (var + eps) ** -0.5
    return gamma * x_hat + beta, {"x_hat": x_hat, "inv": (var + eps) ** -0.5, "gamma": gamma}


def batch_norm_backward(dout, cache):
    x_hat = cache["x_hat"]
    d = dout * cache["gamma"]
    dx = cache["inv"] * (d - d.mean(0) - x_hat * (d * x_hat).mean(0))
    return [dx, (dout * x_hat).sum(0), dout.sum(0)]


def batch_norm_backward_simple(dout, cache):
    return batch_norm_backward(dout, cache)


def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    g, b = gamma[:, None, None], beta[:, None, None]
    if training:
        mu, var = x.mean((0, 2, 3)), x.var((0, 2, 3))
        running_mean[:] = running_mean * (1 - momentum) + mu * momentum
        running_var[:] = running_var * (1 - momentum) + var * momentum
    else:
        mu, var = running_mean.copy(), running_var.copy()
    inv = 1 / np.sqrt(var + eps)[:, None, None]
    x_hat = (x - mu[:, None, None]) * inv
    return g * x_hat + b, (x_hat, inv, g)


def spatial_batch_norm_backward(dout, cache):
    x_hat, inv, g = cache
    d, axes = dout * g, (0, 2, 3)
    centred = d - d.mean(axes, keepdims=True) - x_hat * (d * x_hat).mean(axes, keepdims=True)
    return inv * centred, (dout * x_hat).sum(axes), dout.sum(axes)


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    inv = 1 / np.sqrt(x.var(1, keepdims=True) + eps)
    x_hat = (x - x.mean(1, keepdims=True)) * inv
    return gamma * x_hat + beta, (x_hat, inv, gamma)


def layer_norm_backward(dout, cache):
    x_hat, inv, gamma = cache
    d = dout * gamma
    dx = d - d.mean(1, keepdims=True) - x_hat * (d * x_hat).mean(1, keepdims=True)
    return inv * dx, (dout * x_hat).sum(0), dout.sum(0)


def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    parts = x.reshape(len(x), groups, -1)
    inv = 1 / np.sqrt(parts.var(-1, keepdims=True) + eps)
    x_hat = (parts - parts.mean(-1, keepdims=True)) * inv
    out = gamma[:, None, None] * x_hat.reshape(x.shape) + beta[:, None, None]
    return out, (x_hat, inv, gamma)


def group_norm_backward(dout, cache):
    x_hat, inv, gamma = cache
    d = (dout * gamma[:, None, None]).reshape(x_hat.shape)
    dx = inv * (d - d.mean(-1, keepdims=True) - x_hat * (d * x_hat).mean(-1, keepdims=True))
    dgamma = (dout * x_hat.reshape(dout.shape)).sum((0, 2, 3))
    return dx.reshape(dout.shape), dgamma, dout.sum((0, 2, 3))

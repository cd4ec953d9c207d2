"""The last maximum of a window takes the gradient; a step of the graph at a time."""

# ruff: noqa: D103 - written as students write
# mypy: ignore-errors

import numpy as np


def _corners(shape, k, s):
    for i in range((shape[2] - k) // s + 1):
        for j in range((shape[3] - k) // s + 1):
            yield i, j, slice(i * s, i * s + k), slice(j * s, j * s + k)


def max_pool_forward(x, kernel_size, stride):
    sizes = [(size - kernel_size) // stride + 1 for size in x.shape[2:]]
    out = np.full((*x.shape[:2], *sizes), -np.inf)
    for i, j, rows, cols in _corners(x.shape, kernel_size, stride):
        out[:, :, i, j] = x[:, :, rows, cols].reshape(*x.shape[:2], -1).max(axis=2)
    return out, (x, kernel_size, stride)


def max_pool_backward(dout, cache):
    x, k, s = cache
    dx = np.zeros_like(x)
    n, c = np.ogrid[: len(x), : x.shape[1]]
    for i, j, rows, cols in _corners(x.shape, k, s):
        flat = x[:, :, rows, cols].reshape(*x.shape[:2], -1)
        last = flat.shape[2] - 1 - flat[:, :, ::-1].argmax(axis=2)
        dx[n, c, i * s + last // k, j * s + last % k] += dout[:, :, i, j]
    return (dx,)


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    N = x.shape[0]
    if training:
        mean = np.sum(x, axis=0) / N
        centred = x - mean
        square = centred**2
        var = np.sum(square, axis=0) / N
        np.copyto(running_mean, (1 - momentum) * running_mean + momentum * mean)
        np.copyto(running_var, (1 - momentum) * running_var + momentum * var)
    else:
        centred, var = x - running_mean, running_var
    root = np.sqrt(var + eps)
    inverse = 1 / root
    x_hat = centred * inverse
    return gamma * x_hat + beta, (N, centred, root, inverse, x_hat, gamma)


def batch_norm_backward(dout, cache):
    N, centred, root, inverse, x_hat, gamma = cache
    dbeta = dout.sum(axis=0)
    dgamma = np.einsum("nd,nd->d", dout, x_hat)
    dx_hat = dout * gamma
    dinverse = np.einsum("nd,nd->d", dx_hat, centred)
    dcentred = dx_hat * inverse
    droot = -dinverse / root**2
    dvar = droot / (2 * root)
    dsquare = np.broadcast_to(dvar / N, centred.shape)
    dcentred = dcentred + 2 * centred * dsquare
    dmean = -dcentred.sum(axis=0)
    return dcentred + np.ones((N, 1)) * dmean / N, dgamma, dbeta


def moments(x):
    return np.average(x, axis=0), np.square(x - np.average(x, axis=0)).sum(axis=0) / len(x)


def batch_norm_backward_simple(dout, cache):
    N, _, _, inverse, x_hat, gamma = cache
    dgamma, dbeta = (x_hat * dout).sum(axis=0), dout.sum(axis=0)
    return gamma * inverse * (dout - dbeta / N - x_hat * dgamma / N), dgamma, dbeta

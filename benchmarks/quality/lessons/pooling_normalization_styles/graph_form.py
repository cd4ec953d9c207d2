"""One gate of the graph at a time; caches are tuples; running statistics by slice or operators."""

# ruff: noqa: D103, RUF059 - written as students write
# mypy: ignore-errors

import numpy as np


def max_pool_forward(x, kernel_size, stride):
    (N, C, H, W), K, S = x.shape, kernel_size, stride
    H_out, W_out = 1 + (H - K) // S, 1 + (W - K) // S
    out = np.zeros((N, C, H_out, W_out))
    for i in range(H_out):
        for j in range(W_out):
            out[:, :, i, j] = np.max(x[:, :, i * S : i * S + K, j * S : j * S + K], axis=(2, 3))
    return out, (x, {"K": K, "S": S})


def max_pool_backward(dout, cache):
    x, param = cache
    K, S = param["K"], param["S"]
    dx = np.zeros_like(x)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, cols = slice(i * S, i * S + K), slice(j * S, j * S + K)
            window = x[:, :, rows, cols]
            mask = window == np.max(window, axis=(2, 3))[:, :, None, None]
            dx[:, :, rows, cols] += mask * dout[:, :, i, j][:, :, None, None]
    return dx


def avg_pool_forward(x, kernel_size, stride):
    (N, C, H, W), K, S = x.shape, kernel_size, stride
    out = np.zeros((N, C, 1 + (H - K) // S, 1 + (W - K) // S))
    for n in range(N):
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                window = x[n, :, i * S : i * S + K, j * S : j * S + K]
                out[n, :, i, j] = np.sum(window.reshape(C, -1), axis=1) / (K * K)
    return out, (x, K, S)


def avg_pool_backward(dout, cache):
    x, K, S = cache
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(*dout.shape):
        share = np.ones((K, K)) * dout[n, c, i, j] / (K * K)
        dx[n, c, i * S : i * S + K, j * S : j * S + K] += share
    return dx


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    if not training:
        xhat = (x - running_mean) / np.sqrt(running_var + eps)
        return gamma * xhat + beta, None
    N, D = x.shape
    mu = 1.0 / N * np.sum(x, axis=0)
    xmu = x - mu
    sq = xmu**2
    var = 1.0 / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    running_mean *= 1 - momentum
    running_mean += momentum * mu
    running_var[:] = (1 - momentum) * running_var + momentum * var
    return out, (xhat, gamma, xmu, ivar, sqrtvar, var, eps)


def batch_norm_backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgammax = dout
    dgamma = np.sum(dgammax * xhat, axis=0)
    dxhat = dgammax * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar
    dsq = 1.0 / N * np.ones((N, D)) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1.0 / N * np.ones((N, D)) * dmu
    return dx1 + dx2, dgamma, dbeta


def batch_norm_backward_simple(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N = dout.shape[0]
    dxhat = dout * gamma
    total = N * dxhat - np.sum(dxhat, axis=0) - xhat * np.sum(dxhat * xhat, axis=0)
    return 1.0 / N * ivar * total, np.sum(dout * xhat, axis=0), np.sum(dout, axis=0)


def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    N, C, H, W = x.shape
    flat = np.transpose(x, (0, 2, 3, 1)).reshape(-1, C)
    args = (running_mean, running_var, training, momentum, eps)
    out, cache = batch_norm_forward(flat, gamma, beta, *args)
    return np.transpose(out.reshape(N, H, W, C), (0, 3, 1, 2)), cache


def spatial_batch_norm_backward(dout, cache):
    N, C, H, W = dout.shape
    flat = np.transpose(dout, (0, 2, 3, 1)).reshape(-1, C)
    dx, dgamma, dbeta = batch_norm_backward(flat, cache)
    return np.transpose(dx.reshape(N, H, W, C), (0, 3, 1, 2)), dgamma, dbeta


def fold_weight(w, gamma, running_var, eps=1e-5):
    C_out = w.shape[0]
    diagonal = np.diag(gamma / np.sqrt(running_var + eps))
    return (diagonal @ w.reshape(C_out, -1)).reshape(w.shape)


def fold_bias(b, gamma, beta, running_mean, running_var, eps=1e-5):
    return (
        beta
        - gamma * running_mean / np.sqrt(eps + running_var)
        + gamma * b / np.sqrt(eps + running_var)
    )


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    xT = x.T
    mu = np.mean(xT, axis=0)
    var = np.var(xT, axis=0)
    std = np.sqrt(var + eps)
    xhat = ((xT - mu) / std).T
    return gamma * xhat + beta, (xhat, gamma, xT, mu, var, std)


def layer_norm_backward(dout, cache):
    xhat, gamma, xT, mu, var, std = cache
    D = dout.shape[1]
    dxhat = (dout * gamma).T
    dvar = np.sum(dxhat * (xT - mu) * (-0.5) * std ** (-3), axis=0)
    dmu = np.sum(-dxhat / std, axis=0) + dvar * np.mean(-2 * (xT - mu), axis=0)
    dx = dxhat / std + dvar * 2 * (xT - mu) / D + dmu / D
    return dx.T, np.sum(dout * xhat, axis=0), np.sum(dout, axis=0)


def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    N, C, H, W = x.shape
    xg = x.reshape(N * groups, -1).T
    mu, var = xg.mean(axis=0), xg.var(axis=0)
    xhat = ((xg - mu) / np.sqrt(var + eps)).T.reshape(N, C, H, W)
    out = gamma.reshape(1, C, 1, 1) * xhat + beta.reshape(1, C, 1, 1)
    return out, (groups, gamma, xhat, xg, mu, var, eps)


def group_norm_backward(dout, cache):
    groups, gamma, xhat, xg, mu, var, eps = cache
    N, C, H, W = dout.shape
    m = xg.shape[0]
    dxhat = (dout * gamma[np.newaxis, :, np.newaxis, np.newaxis]).reshape(N * groups, -1).T
    std = np.sqrt(var + eps)
    z = (xg - mu) / std
    dx = (m * dxhat - np.sum(dxhat, axis=0) - z * np.sum(dxhat * z, axis=0)) / (m * std)
    dgamma = np.sum(dout * xhat, axis=(0, 2, 3))
    return dx.T.reshape(N, C, H, W), dgamma, np.sum(dout, axis=(0, 2, 3))

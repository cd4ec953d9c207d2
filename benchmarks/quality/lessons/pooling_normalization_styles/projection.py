"""dx by the centring matrix; classes that keep what they need."""

# ruff: noqa: D103 - written as students write
# mypy: ignore-errors

import numpy as np


class _Norm:
    def __init__(self, rows, mu, var, eps):
        self.std = np.sqrt(var + eps)
        self.x_hat = (rows - mu) / self.std

    def back(self, d):
        m = len(d)
        centring = np.eye(m) - 1 / m
        along = np.einsum("nd,md->nmd", self.x_hat, self.x_hat) / m
        return (centring @ d - np.einsum("nmd,md->nd", along, d)) / self.std


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    if training:
        mu, var = x.mean(axis=0), np.diag(np.atleast_2d(np.cov(x.T, bias=True)))
        for old, new in ((running_mean, mu), (running_var, var)):
            old -= momentum * (old - new)
    else:
        mu, var = running_mean, running_var
    norm = _Norm(x, mu, var, eps)
    return norm.x_hat * gamma + beta, (norm, gamma)


def batch_norm_backward(dout, cache):
    norm, gamma = cache
    return norm.back(dout * gamma), np.diag(dout.T @ norm.x_hat), np.ones(len(dout)) @ dout


def batch_norm_backward_simple(dout, cache):
    norm, gamma = cache
    dgamma, dbeta = (dout * norm.x_hat).sum(0), dout.sum(0)
    dx = gamma * (dout - (dbeta + norm.x_hat * dgamma) / len(dout)) / norm.std
    return dx, dgamma, dbeta


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    norm = _Norm(x.T, x.mean(axis=1), x.var(axis=1), eps)
    return gamma * norm.x_hat.T + beta, (norm, gamma)


def layer_norm_backward(dout, cache):
    norm, gamma = cache
    return norm.back((dout * gamma).T).T, (dout * norm.x_hat.T).sum(0), dout.sum(0)


def fold_bias(b, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / (running_var + eps) ** 0.5
    return b * scale + (beta - running_mean * scale)

"""Loops over rows, columns and classes; one number at a time."""

# ruff: noqa: D103 - written as students write
# mypy: ignore-errors

import math

import numpy as np


def neuron(w0, x0, w1, x1, w2):
    score = w0 * x0 + w1 * x1 + w2
    L = 1 / (1 + math.exp(-score))
    slope = math.exp(-score) / (1 + math.exp(-score)) ** 2
    return L, (slope * x0, slope * w0, slope * x1, slope * w1, slope)


def max_forward(x, y):
    if x > y:
        return x, "x"
    return y, "y"


def max_backward(dout, cache):
    dx = 0.0
    dy = 0.0
    if cache == "x":
        dx += dout
    else:
        dy += dout
    return dx, dy


def branch(x, y):
    s = x + y
    m = max(x, y)
    dx = m
    dy = m
    if x > y:
        dx = dx + s
    else:
        dy = dy + s
    return s * m, (dx, dy)


def relu_forward(x):
    out = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        if x[place] > 0:
            out[place] = x[place]
    return out, out


def relu_backward(dout, cache):
    dx = np.zeros(dout.shape)
    for place in np.ndindex(dout.shape):
        if cache[place] > 0:
            dx[place] = dout[place]
    return dx


def matmul_forward(x, w):
    N, D = x.shape
    D, M = w.shape
    y = np.zeros((N, M))
    for n in range(N):
        for m in range(M):
            for d in range(D):
                y[n, m] += x[n, d] * w[d, m]
    return y, (x, w)


def matmul_backward(dout, cache):
    x, w = cache
    N, M = dout.shape
    D = len(w)
    dx = np.zeros((N, D))
    dw = np.zeros((D, M))
    for n in range(N):
        for m in range(M):
            for d in range(D):
                dx[n, d] += dout[n, m] * w[d, m]
                dw[d, m] += dout[n, m] * x[n, d]
    return dx, dw


def numerical_gradient(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        above = x.copy()
        below = x.copy()
        above[place] += h
        below[place] -= h
        gradient[place] = (f(above) - f(below)) / (2 * h)
    return gradient


def affine_forward(x, w, b):
    N = x.shape[0]
    M = w.shape[1]
    out = np.zeros((N, M))
    for n in range(N):
        for m in range(M):
            out[n, m] = np.sum(x[n].flatten() * w[:, m]) + b[m]
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx = np.zeros(x.shape)
    dw = np.zeros(w.shape)
    db = np.zeros(b.shape)
    for n in range(dout.shape[0]):
        for m in range(dout.shape[1]):
            dx[n] += (dout[n, m] * w[:, m]).reshape(x[n].shape)
            dw[:, m] += dout[n, m] * x[n].flatten()
            db[m] += dout[n, m]
    return dx, dw, db


def softmax(scores):
    p = np.zeros(scores.shape)
    for n in range(len(scores)):
        e = np.exp(scores[n] - np.max(scores[n]))
        p[n] = e / np.sum(e)
    return p


def softmax_loss_forward(scores, y):
    N = len(y)
    loss = 0.0
    p = softmax(scores)
    for n in range(N):
        top = np.max(scores[n])
        loss += np.log(np.sum(np.exp(scores[n] - top))) + top - scores[n, y[n]]
    return loss / N, (p, y)


def softmax_loss_backward(dout, cache):
    p, y = cache
    N, C = p.shape
    dscores = np.zeros((N, C))
    for n in range(N):
        for c in range(C):
            dscores[n, c] = p[n, c] * dout / N
            if c == y[n]:
                dscores[n, c] -= dout / N
    return dscores

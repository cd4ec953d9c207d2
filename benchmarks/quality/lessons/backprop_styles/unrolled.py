"""A line for each step, as in many published answers; a copy of x is moved and moved back."""

# ruff: noqa: D103 - written as students write
# mypy: ignore-errors

import numpy as np


def sigmoid(s):
    return 1.0 / (1.0 + np.exp(-s))


def neuron(w0, x0, w1, x1, w2):
    dot = w0 * x0 + w1 * x1 + w2
    f = sigmoid(dot)
    ddot = (1 - f) * f
    dx = [w0 * ddot, w1 * ddot]
    dw = [x0 * ddot, x1 * ddot, 1.0 * ddot]
    return f, (dw[0], dx[0], dw[1], dx[1], dw[2])


def max_forward(x, y):
    out = x if x >= y else y
    cache = (x, y, out)
    return out, cache


def max_backward(dout, cache):
    x, y, out = cache
    dx = dout if x == out else 0.0
    dy = dout if y == out else 0.0
    return dx, dy


def relu_forward(x):
    out = None
    out = np.maximum(np.zeros_like(x), x)
    cache = x
    return out, cache


def relu_backward(dout, cache):
    dx, x = None, cache
    dx = np.array(dout, copy=True)
    dx[x <= 0] = 0
    return dx


def matmul_forward(x, w):
    y = np.dot(x, w)
    cache = (x, w)
    return y, cache


def matmul_backward(dout, cache):
    x, w = cache
    dx = np.dot(dout, np.transpose(w))
    dw = np.dot(np.transpose(x), dout)
    return dx, dw


def affine_forward(x, w, b):
    out = None
    N = x.shape[0]
    D = np.prod(x.shape[1:])
    x2 = np.reshape(x, (N, D))
    out = np.dot(x2, w) + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, _ = cache
    dx, dw, db = None, None, None
    db = np.sum(dout, axis=0)
    xx = x.reshape(x.shape[0], w.shape[0])
    dw = np.dot(xx.T, dout)
    dx = np.dot(dout, w.T)
    dx = np.reshape(dx, x.shape)
    return dx, dw, db


def softmax(scores):
    num_train = scores.shape[0]
    probs = np.exp(scores - np.max(scores, axis=1).reshape(num_train, 1))
    probs /= np.sum(probs, axis=1).reshape(num_train, 1)
    return probs


def softmax_loss_forward(scores, y):
    shifted_logits = scores - np.max(scores, axis=1, keepdims=True)
    Z = np.sum(np.exp(shifted_logits), axis=1, keepdims=True)
    log_probs = shifted_logits - np.log(Z)
    probs = np.exp(log_probs)
    N = scores.shape[0]
    loss = -np.sum(log_probs[np.arange(N), y]) / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx


def softmax_loss_backward(dout, cache):
    dx = cache
    return dout * dx


def two_layer_flat(w1, b1, w2, b2, x, y):
    N = x.shape[0]
    hidden = np.maximum(0, np.dot(x, w1) + b1)
    scores = np.dot(hidden, w2) + b2
    scores -= np.max(scores, axis=1, keepdims=True)
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    loss = np.sum(-np.log(probs[range(N), y])) / N
    dscores = probs
    dscores[range(N), y] -= 1
    dscores /= N
    dW2 = np.dot(hidden.T, dscores)
    db2 = np.sum(dscores, axis=0)
    dhidden = np.dot(dscores, w2.T)
    dhidden[hidden <= 0] = 0
    dW1 = np.dot(x.T, dhidden)
    db1 = np.sum(dhidden, axis=0)
    return loss, (dW1, db1, dW2, db2)


def two_layer_loss(w1, b1, w2, b2, x, y):
    a1, fc1_cache = affine_forward(x, w1, b1)
    h1, relu_cache = relu_forward(a1)
    scores, fc2_cache = affine_forward(h1, w2, b2)
    loss, dscores = softmax_loss_forward(scores, y)
    dh1, dw2, db2 = affine_backward(dscores, fc2_cache)
    da1 = relu_backward(dh1, relu_cache)
    _, dw1, db1 = affine_backward(da1, fc1_cache)
    return loss, (dw1, db1, dw2, db2)


def numerical_gradient(f, x, h=1e-5):
    grad = np.zeros_like(x)
    x = x.copy()
    it = np.nditer(x, flags=["multi_index"], op_flags=["readwrite"])
    while not it.finished:
        ix = it.multi_index
        x[ix] += h
        fxph = f(x)
        x[ix] -= 2 * h
        fxmh = f(x)
        x[ix] += h
        grad[ix] = (fxph - fxmh) / (2 * h)
        it.iternext()
    return grad

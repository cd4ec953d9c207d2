"""The cache is a function that finishes the work; local gradients from logarithms and signs."""

# ruff: noqa: D103 - written as students write
# mypy: ignore-errors

import numpy as np


def neuron(w0, x0, w1, x1, w2):
    s = np.dot([w0, w1], [x0, x1]) + w2
    L = np.tanh(s / 2) / 2 + 0.5
    back = lambda up: [up * v for v in (x0, w0, x1, w1, 1.0)]  # noqa: E731
    return L, tuple(back(1.0 * (1.0 - L) * L))


def add_forward(x, y):
    return np.sum([x, y]), lambda dout: (dout, dout)


def add_backward(dout, cache):
    return cache(dout)


def multiply_forward(x, y):
    return np.prod([x, y]), lambda dout: (y * dout, x * dout)


def multiply_backward(dout, cache):
    return cache(dout)


def max_forward(x, y):
    return (x + y + abs(x - y)) / 2, lambda dout: (
        dout * (1 + np.sign(x - y)) / 2,
        dout * (1 - np.sign(x - y)) / 2,
    )


def max_backward(dout, cache):
    return cache(dout)


def branch(x, y):
    f, back = multiply_forward(x + y, max(x, y))
    ds, dm = back(1.0)
    return f, (ds + dm * (x > y), ds + dm * (y >= x))


def relu_forward(x):
    return np.where(x < 0, 0.0, x), lambda dout: np.where(x < 0, 0.0, dout)


def relu_backward(dout, cache):
    return cache(dout)


def matmul_forward(x, w):
    return np.matmul(x, w), lambda dout: (np.matmul(dout, w.T), np.matmul(dout.T, x).T)


def matmul_backward(dout, cache):
    return cache(dout)


def affine_forward(x, w, b):
    y, back = matmul_forward(np.reshape(x, (len(x), -1)), w)

    def all_three(dout):
        dx, dw = back(dout)
        return np.reshape(dx, x.shape), dw, np.ones(len(x)) @ dout

    return np.add(y, b), all_three


def affine_backward(dout, cache):
    return cache(dout)


def log_softmax(scores):
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def softmax(scores):
    return np.exp(log_softmax(scores))


def softmax_loss_forward(scores, y):
    def back(dout):
        hot = (y[:, None] == np.arange(scores.shape[1])).astype(float)
        return dout * (softmax(scores) - hot) / len(scores)

    return -np.take_along_axis(log_softmax(scores), y[:, None], axis=1).mean(), back


def softmax_loss_backward(dout, cache):
    return cache(dout)


def chained(w1, b1, w2, b2, x, y):
    a, first = affine_forward(x, w1, b1)
    h, middle = relu_forward(a)
    scores, second = affine_forward(h, w2, b2)
    loss, last = softmax_loss_forward(scores, y)
    dh, dw2, db2 = second(last(1))
    return loss, (*first(middle(dh))[1:], dw2, db2)


def two_layer_flat(w1, b1, w2, b2, x, y):
    return chained(w1, b1, w2, b2, x, y)


def two_layer_loss(w1, b1, w2, b2, x, y):
    return chained(w1, b1, w2, b2, x, y)


def numerical_gradient(f, x, h=1e-5):
    def slope(i):
        step = np.zeros(x.size)
        step[i] = h
        return 0.5 * (f(x + step.reshape(x.shape)) - f(x - step.reshape(x.shape))) / h

    return np.vectorize(slope, otypes=[float])(np.arange(x.size)).reshape(x.shape)

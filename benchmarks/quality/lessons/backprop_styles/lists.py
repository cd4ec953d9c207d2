"""Plain Python: lists of floats all the way."""

# ruff: noqa: D103 - written as students write
# mypy: ignore-errors

import math

import numpy as np


def neuron(w0, x0, w1, x1, w2):
    s = float(w0) * float(x0) + float(w1) * float(x1) + float(w2)
    L = 1 / (1 + math.exp(-s))
    ds = 1.0 * L * (1 - L)
    return [L, [ds * float(x0), ds * float(w0), ds * float(x1), ds * float(w1), ds]]


def add_forward(x, y):
    return [x + y, []]


def add_backward(dout, cache):
    return [dout] * 2


def multiply_forward(x, y):
    return [x * y, [y, x]]


def multiply_backward(dout, cache):
    return [local * dout for local in cache]


def max_forward(x, y):
    return [x, [1, 0]] if x > y else [y, [0, 1]]


def max_backward(dout, cache):
    return [won * dout for won in cache]


def branch(x, y):
    s, m = x + y, max(x, y)
    uses_of_x, uses_of_y = [m], [m]
    (uses_of_x if m == x else uses_of_y).append(s)
    return [s * m, [sum(uses_of_x), sum(uses_of_y)]]


def walk(make, *lists):
    if isinstance(lists[0], list):
        return [walk(make, *parts) for parts in zip(*lists, strict=True)]
    return make(*lists)


def relu_forward(x):
    out = walk(lambda v: max(v, 0.0), x.tolist())
    return [out, x.tolist()]


def relu_backward(dout, cache):
    return np.array(walk(lambda d, v: d if v > 0 else 0.0, dout.tolist(), cache))


def product(a, b):
    columns = list(zip(*b, strict=True))
    return [[sum(p * q for p, q in zip(r, c, strict=True)) for c in columns] for r in a]


def turned(a):
    return [list(column) for column in zip(*a, strict=True)]


def matmul_forward(x, w):
    x, w = x.tolist(), w.tolist()
    return [product(x, w), [x, w]]


def matmul_backward(dout, cache):
    x, w = cache
    d = dout.tolist()
    return [product(d, turned(w)), product(turned(x), d)]


def flat(values):
    if not isinstance(values, list):
        return [values]
    return [number for part in values for number in flat(part)]


def affine_forward(x, w, b):
    rows = [flat(image) for image in x.tolist()]
    out = [[v + c for v, c in zip(r, b.tolist(), strict=True)] for r in product(rows, w.tolist())]
    return [out, [rows, w.tolist(), x]]


def affine_backward(dout, cache):
    rows, w, x = cache
    d = dout.tolist()
    numbers = iter(flat(product(d, turned(w))))
    dx = walk(lambda _: next(numbers), x.tolist())
    return [dx, product(turned(rows), d), [sum(column) for column in turned(d)]]


def softmax_row(row):
    top = max(row)
    e = [math.exp(s - top) for s in row]
    return [v / sum(e) for v in e]


def softmax(scores):
    return [softmax_row(row) for row in scores.tolist()]


def softmax_loss_forward(scores, y):
    losses = []
    for row, right in zip(scores.tolist(), y, strict=True):
        top = max(row)
        losses.append(top - row[right] + math.log(math.fsum(math.exp(s - top) for s in row)))
    return [math.fsum(losses) / len(losses), [softmax(scores), y.tolist()]]


def softmax_loss_backward(dout, cache):
    p, y = cache
    rows = []
    for row, right in zip(p, y, strict=True):
        rows.append([dout * (v - (c == right)) / len(y) for c, v in enumerate(row)])
    return np.array(rows)


def numerical_gradient(f, x, h=1e-5):
    slopes = []
    for i in range(x.size):
        above, below = x.flatten(), x.flatten()
        above[i], below[i] = above[i] + h, below[i] - h
        slopes.append((f(above.reshape(x.shape)) - f(below.reshape(x.shape))) / (2 * h))
    numbers = iter(slopes)
    return walk(lambda _: next(numbers), x.tolist())

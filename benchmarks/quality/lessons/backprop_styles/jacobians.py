"""The Jacobian after all, and a product with it."""

# ruff: noqa: D103 - written as students write
# mypy: ignore-errors

import numpy as np


def relu_forward(x):
    return np.clip(x, 0, None), np.diag((x.ravel() > 0) * 1.0)


def relu_backward(dout, cache):
    return (cache @ dout.ravel()).reshape(dout.shape)


def matmul_forward(x, w):
    jacobian = np.einsum("nk,dm->ndkm", np.eye(len(x)), w)
    return np.tensordot(x, w, 1), (jacobian, x)


def matmul_backward(dout, cache):
    jacobian, x = cache
    return np.einsum("ndkm,km->nd", jacobian, dout), np.tensordot(x, dout, ((0,), (0,)))


def softmax(scores):
    p = [np.exp(row - row.max()) / np.exp(row - row.max()).sum() for row in scores]
    return np.array(p)


def softmax_loss_forward(scores, y):
    rows = [row - row.max() - np.log(np.exp(row - row.max()).sum()) for row in scores]
    return -np.mean([row[k] for row, k in zip(rows, y, strict=True)]), (np.array(rows), y)


def softmax_loss_backward(dout, cache):
    rows, y = cache
    dlog = np.zeros(rows.shape)
    dlog[range(len(y)), y] = -dout / len(y)
    p = np.exp(rows)
    return np.stack([(np.eye(len(q)) - q[:, None]) @ d for q, d in zip(p, dlog, strict=True)])

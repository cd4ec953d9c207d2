"""Loops over images, filters, rows and columns, as most people write it first."""

# ruff: noqa: D103, N803, RUF059 - written as students write
# mypy: ignore-errors

import math

import numpy as np


def corr2d(X, K):
    H, W = X.shape
    K_H, K_W = K.shape
    Y = np.zeros((H - K_H + 1, W - K_W + 1))
    for i in range(H - K_H + 1):
        for j in range(W - K_W + 1):
            Y[i, j] = (X[i : i + K_H, j : j + K_W] * K).sum()
    return Y


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    span = dilation * (kernel_size - 1) + 1
    return math.floor((size + 2 * padding - span) / stride + 1)


def num_parameters(c_in, c_out, kernel_size, groups=1):
    weights = c_out * (c_in / groups) * kernel_size**2
    return weights + c_out


def num_multiply_adds(c_in, c_out, kernel_size, height, width, groups=1, **geometry):
    rows = output_size(height, kernel_size, **geometry)
    cols = output_size(width, kernel_size, **geometry)
    return rows * cols * c_out * kernel_size**2 * c_in / groups


def receptive_field(layers):
    field, jump = 1, 1
    for kernel_size, stride, dilation in layers:
        span = dilation * (kernel_size - 1) + 1
        field = field + (span - 1) * jump
        jump = jump * stride
    return field


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    N, C, H, W = x.shape
    F, D, K_H, K_W = w.shape
    span_h = dilation * (K_H - 1) + 1
    span_w = dilation * (K_W - 1) + 1
    H_out = (H + 2 * padding - span_h) // stride + 1
    W_out = (W + 2 * padding - span_w) // stride + 1
    x_pad = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((N, F, H_out, W_out))
    for n in range(N):
        for f in range(F):
            first = f // (F // groups) * D
            for i in range(H_out):
                for j in range(W_out):
                    top = i * stride
                    left = j * stride
                    window = x_pad[
                        n,
                        first : first + D,
                        top : top + span_h : dilation,
                        left : left + span_w : dilation,
                    ]
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    cache = (x, w, b, stride, padding, dilation, groups)
    return out, cache


def conv_backward(dout, cache):
    x, w, b, stride, padding, dilation, groups = cache
    N, C, H, W = x.shape
    F, D, K_H, K_W = w.shape
    span_h = dilation * (K_H - 1) + 1
    span_w = dilation * (K_W - 1) + 1
    x_pad = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dx_pad = np.zeros(x_pad.shape)
    dw = np.zeros(w.shape)
    db = np.zeros(b.shape)
    for n in range(N):
        for f in range(F):
            first = f // (F // groups) * D
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    top = i * stride
                    left = j * stride
                    rows = slice(top, top + span_h, dilation)
                    cols = slice(left, left + span_w, dilation)
                    dx_pad[n, first : first + D, rows, cols] += dout[n, f, i, j] * w[f]
                    dw[f] += dout[n, f, i, j] * x_pad[n, first : first + D, rows, cols]
                    db[f] += dout[n, f, i, j]
    dx = dx_pad[:, :, padding : padding + H, padding : padding + W]
    return dx, dw, db


def filter_matrix(w, size):
    K = len(w)
    W_hat = np.zeros((size, size))
    for i in range(size):
        for k in range(K):
            j = i + k - K // 2
            if j >= 0 and j < size:
                W_hat[i, j] = w[k]
    return W_hat


def input_matrix(x, kernel_size):
    size = len(x)
    X_hat = np.zeros((size, kernel_size))
    for i in range(size):
        for k in range(kernel_size):
            j = i + k - kernel_size // 2
            if 0 <= j < size:
                X_hat[i, k] = x[j]
    return X_hat


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    H_out = output_size(H, kernel_size, stride, padding)
    W_out = output_size(W, kernel_size, stride, padding)
    columns = np.zeros((N, C * kernel_size * kernel_size, H_out * W_out))
    for i in range(H_out):
        for j in range(W_out):
            top = i * stride
            left = j * stride
            window = x_pad[:, :, top : top + kernel_size, left : left + kernel_size]
            columns[:, :, i * W_out + j] = window.reshape(N, -1)
    return columns


def conv1x1(x, w, b):
    out = np.zeros((x.shape[0], w.shape[0], x.shape[2], x.shape[3]))
    for f in range(w.shape[0]):
        for c in range(w.shape[1]):
            out[:, f] += w[f, c] * x[:, c]
        out[:, f] += b[f]
    return out


def conv1d(x, w, b, stride=1):
    out, _ = conv_forward(x[:, :, None], w[:, :, None], b, stride)
    return out[:, :, 0]


def conv3d(x, w, b):
    N, C, T, H, W = x.shape
    F, C, K, K_H, K_W = w.shape
    out = np.zeros((N, F, T - K + 1, H - K_H + 1, W - K_W + 1))
    for t in range(T - K + 1):
        for k in range(K):
            part, _ = conv_forward(x[:, :, t + k], w[:, :, k], np.zeros(F))
            out[:, :, t] += part
        out[:, :, t] += b[None, :, None, None]
    return out

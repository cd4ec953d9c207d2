"""Every number by itself, without any slice; lists as caches."""

# ruff: noqa: D103, N803, RUF059 - written as students write
# mypy: ignore-errors

import numpy as np


def corr2d(X, K):
    Y = []
    for i in range(len(X) - len(K) + 1):
        row = []
        for j in range(len(X[0]) - len(K[0]) + 1):
            total = 0.0
            for u in range(len(K)):
                for v in range(len(K[0])):
                    total = total + X[i + u][j + v] * K[u][v]
            row.append(total)
        Y.append(row)
    return np.array(Y)


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    count, start = 0, -padding
    while start + dilation * (kernel_size - 1) < size + padding:
        count, start = count + 1, start + stride
    return count


def receptive_field(layers):
    field = 1
    for kernel_size, stride, dilation in reversed(layers):
        field = (field - 1) * stride + dilation * (kernel_size - 1) + 1
    return field


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    N, C, H, W = x.shape
    F, D, K_H, K_W = w.shape
    rows = (H + 2 * padding - dilation * (K_H - 1) - 1) // stride + 1
    cols = (W + 2 * padding - dilation * (K_W - 1) - 1) // stride + 1
    out = np.zeros((N, F, rows, cols))
    for n in range(N):
        for f in range(F):
            group = f * groups // F
            for i in range(rows):
                for j in range(cols):
                    total = b[f]
                    for c in range(D):
                        for u in range(K_H):
                            for v in range(K_W):
                                y = i * stride + u * dilation - padding
                                z = j * stride + v * dilation - padding
                                if 0 <= y < H and 0 <= z < W:
                                    total += x[n, group * D + c, y, z] * w[f, c, u, v]
                    out[n, f, i, j] = total
    return [out, [x, w, [stride, padding, dilation, groups]]]


def conv_backward(dout, cache):
    x, w, (stride, padding, dilation, groups) = cache
    N, C, H, W = x.shape
    F, D, K_H, K_W = w.shape
    dx, dw, db = np.zeros((N, C, H, W)), np.zeros(w.shape), np.zeros(F)
    for n, f, i, j in np.ndindex(*dout.shape):
        db[f] += dout[n, f, i, j]
        for c, u, v in np.ndindex(D, K_H, K_W):
            d = f * groups // F * D + c
            y = i * stride + u * dilation - padding
            z = j * stride + v * dilation - padding
            if 0 <= y < H and 0 <= z < W:
                dx[n, d, y, z] += dout[n, f, i, j] * w[f, c, u, v]
                dw[f, c, u, v] += dout[n, f, i, j] * x[n, d, y, z]
    return [dx, dw, db]


def im2col(x, kernel_size, stride=1, padding=0):
    images = []
    for image in x:
        C, H, W = image.shape
        rows = []
        for c in range(C):
            for u in range(kernel_size):
                for v in range(kernel_size):
                    row = []
                    for i in range(-padding, H + padding - kernel_size + 1, stride):
                        for j in range(-padding, W + padding - kernel_size + 1, stride):
                            inside = 0 <= i + u < H and 0 <= j + v < W
                            row.append(image[c, i + u, j + v] if inside else 0)
                    rows.append(row)
        images.append(rows)
    return images


def conv1x1(x, w, b):
    out = []
    for image in x:
        maps = []
        for f in range(len(w)):
            total = b[f]
            for c in range(len(image)):
                total = total + w[f, c] * image[c]
            maps.append(total)
        out.append(maps)
    return out

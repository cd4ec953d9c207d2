"""Lists in lists, no array until the end; a generator of windows."""

# ruff: noqa: D103, N803 - written as students write
# mypy: ignore-errors

import numpy as np


def corr2d(X, K):
    h, w = K.shape
    places = [(i, j) for i in range(X.shape[0] - h + 1) for j in range(X.shape[1] - w + 1)]
    flat = [np.vdot(X[i : i + h, j : j + w], K) for i, j in places]
    return np.reshape(flat, (X.shape[0] - h + 1, -1))


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return len(range(dilation * (kernel_size - 1), size + 2 * padding, stride))


def num_parameters(c_in, c_out, kernel_size, groups=1):
    return sum(1 + sum(kernel_size**2 for _ in range(c_in // groups)) for _ in range(c_out))


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    padded = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)], mode="constant")
    many, depth = len(w) // groups, w.shape[1]

    def starts(axis):
        return range(0, padded.shape[axis] - dilation * (w.shape[axis] - 1), stride)

    def window(n, f, i, j):
        h, v = dilation * w.shape[2], dilation * w.shape[3]
        group = f // many
        return padded[n, group * depth :][:depth, i : i + h : dilation, j : j + v : dilation]

    out = [
        [
            [
                [float((window(n, f, i, j) * w[f]).sum() + b[f]) for j in starts(3)]
                for i in starts(2)
            ]
            for f in range(len(w))
        ]
        for n in range(len(x))
    ]
    return out, (
        x.shape,
        padded.shape,
        w,
        window,
        [starts(2), starts(3)],
        (padding, dilation, many),
    )


def conv_backward(dout, cache):
    shape, padded_shape, w, window, (rows, cols), (padding, dilation, many) = cache
    depth = w.shape[1]
    dpadded = np.zeros(padded_shape)
    dw = [np.zeros(filters.shape) for filters in w]
    for n, f, i, j in np.ndindex(dout.shape):
        share = dout[n, f, i, j]
        dw[f] = dw[f] + share * window(n, f, rows[i], cols[j])
        for c, u, v in np.ndindex(w.shape[1:]):
            place = n, f // many * depth + c, rows[i] + u * dilation, cols[j] + v * dilation
            dpadded[place] += share * w[f, c, u, v]
    dx = [[m[padding:][: shape[2], padding:][:, : shape[3]] for m in image] for image in dpadded]
    return dx, dw, [float(dout[:, f].sum()) for f in range(len(w))]


def im2col(x, kernel_size, stride=1, padding=0):
    border = ((0, 0), (padding, padding), (padding, padding))
    result = []
    for image in x:
        image = np.pad(image, border)
        starts = [range(0, size - kernel_size + 1, stride) for size in image.shape[1:]]
        columns = [
            image[:, i : i + kernel_size, j : j + kernel_size].flatten()
            for i in starts[0]
            for j in starts[1]
        ]
        result.append(np.stack(columns, axis=1))
    return np.stack(result)


def input_matrix(x, kernel_size):
    half = kernel_size // 2
    padded = [0.0] * half + list(x) + [0.0] * half
    return [padded[i : i + kernel_size] for i in range(len(x))]


def conv1d(x, w, b, stride=1):
    starts = range(0, x.shape[2] - w.shape[2] + 1, stride)
    return [
        [
            [(n[:, i : i + w.shape[2]] * f).sum() + c for i in starts]
            for f, c in zip(w, b, strict=True)
        ]
        for n in x
    ]


def conv3d(x, w, b):
    depths = range(w.shape[2])
    slices = [
        sum(np.array(conv_forward(x[:, :, t + k], w[:, :, k], 0 * b)[0]) for k in depths)
        for t in range(x.shape[2] - w.shape[2] + 1)
    ]
    return (np.array(slices) + b[:, None, None]).transpose(1, 2, 0, 3, 4)

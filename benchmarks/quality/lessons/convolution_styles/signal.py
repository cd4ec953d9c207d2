"""scipy.signal, a pair of channels at a time."""

# ruff: noqa: D103, N803 - written as students write
# mypy: ignore-errors

import numpy as np
from scipy.signal import convolve, convolve2d, correlate, correlate2d


def corr2d(X, K):
    return correlate2d(X, K, mode="valid")


def _spread(a, step):
    wide = np.zeros((step * (a.shape[0] - 1) + 1, step * (a.shape[1] - 1) + 1))
    wide[::step, ::step] = a
    return wide


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    padded = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
    depth, many = w.shape[1], len(w) // groups
    out = [
        [
            b[f]
            + sum(
                correlate2d(image[f // many * depth + c], _spread(w[f, c], dilation), "valid")
                for c in range(depth)
            )[::stride, ::stride]
            for f in range(len(w))
        ]
        for image in padded
    ]
    return np.array(out), (padded, w, stride, padding, dilation, groups)


def conv_backward(dout, cache):
    padded, w, stride, p, dilation, groups = cache
    depth, many = w.shape[1], len(w) // groups
    dpadded, dw = np.zeros(padded.shape), np.zeros(w.shape)
    for n, f, c in np.ndindex(len(dout), len(w), depth):
        d, upstream = f // many * depth + c, _spread(dout[n, f], stride)
        back = convolve2d(upstream, _spread(w[f, c], dilation))
        dpadded[n, d, : back.shape[0], : back.shape[1]] += back
        seen = padded[n, d, : back.shape[0], : back.shape[1]]
        dw[f, c] += correlate2d(seen, upstream, "valid")[::dilation, ::dilation]
    dx = dpadded[:, :, p : dpadded.shape[2] - p, p : dpadded.shape[3] - p]
    return dx, dw, dout.sum((0, 2, 3))


def conv1d(x, w, b, stride=1):
    out = [[sum(map(_row, image, taps)) for taps in w] for image in x]
    return (np.array(out) + b[:, None])[:, :, ::stride]


def _row(x, taps):
    return np.correlate(x, taps, "valid")


def conv3d(x, w, b):
    return np.stack([[correlate(i, f, "valid")[0] for f in w] for i in x]) + b[:, None, None, None]


def filter_matrix(w, size):
    basis = np.eye(size)
    middle = len(w) // 2
    return np.stack([convolve(e, w[::-1])[middle : middle + size] for e in basis], axis=1)

"""Products of Fourier transforms."""

# ruff: noqa: D103, N803 - written as students write
# mypy: ignore-errors

import numpy as np


def _correlated(a, b):
    """Every "valid" position of b on a, over the last two axes."""
    shape = a.shape[-2:]
    product = np.fft.rfft2(a) * np.conj(np.fft.rfft2(b, shape))
    full = np.fft.irfft2(product, shape)
    return full[..., : shape[0] - b.shape[-2] + 1, : shape[1] - b.shape[-1] + 1]


def _spread(a, step):
    wide = np.zeros((*a.shape[:-2], *(step * (size - 1) + 1 for size in a.shape[-2:])))
    wide[..., ::step, ::step] = a
    return wide


def corr2d(X, K):
    return _correlated(X, K)


def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    N, C = x.shape[:2]
    images = padded.reshape(N, groups, 1, C // groups, *padded.shape[2:])
    filters = _spread(w, dilation).reshape(
        1, groups, len(w) // groups, C // groups, *_span(w, dilation)
    )
    out = _correlated(images, filters).sum(axis=3)
    out = out.reshape(N, len(w), *out.shape[3:])[:, :, ::stride, ::stride]
    return out + b[:, None, None], (x, w, stride, padding, dilation, groups)


def _span(w, dilation):
    return tuple(dilation * (size - 1) + 1 for size in w.shape[2:])


def conv_backward(dout, cache):
    x, w, stride, padding, dilation, groups = cache
    N, C = x.shape[:2]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    spread = _spread(dout, stride)
    shape, span = padded.shape[2:], _span(w, dilation)
    # What the last windows did not reach has no gradient; zeros stand for it.
    rest = [size - s + 1 - d for size, s, d in zip(shape, span, spread.shape[2:], strict=True)]
    spread = np.pad(spread, ((0, 0), (0, 0), (0, rest[0]), (0, rest[1])))
    spread = spread.reshape(N, groups, len(w) // groups, 1, *spread.shape[2:])
    images = padded.reshape(N, groups, 1, C // groups, *shape)
    dw = _correlated(images, spread).sum(axis=0)[..., ::dilation, ::dilation].reshape(w.shape)
    filters = _spread(w, dilation).reshape(groups, len(w) // groups, C // groups, *span)
    product = np.fft.rfft2(spread, shape) * np.fft.rfft2(filters, shape)
    dpadded = np.fft.irfft2(product.sum(axis=2), shape).reshape(padded.shape)
    H, W = x.shape[2:]
    return dpadded[:, :, padding : H + padding, padding : W + padding], dw, dout.sum((0, 2, 3))


def conv1d(x, w, b, stride=1):
    out = np.fft.irfft(
        np.fft.rfft(x)[:, None] * np.conj(np.fft.rfft(w, x.shape[2])), x.shape[2]
    ).sum(axis=2)
    return out[:, :, : x.shape[2] - w.shape[2] + 1 : stride] + b[:, None]

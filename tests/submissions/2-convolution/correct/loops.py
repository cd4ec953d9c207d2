# Everything with loops, the way most people write it first.

# %% solution="corr2d"
def corr2d(X, K):
    H, W = X.shape
    K_H, K_W = K.shape
    Y = np.zeros((H - K_H + 1, W - K_W + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = np.sum(X[i : i + K_H, j : j + K_W] * K)
    return Y


# %% solution="output-size"
import math


def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return math.floor((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1)


# %% solution="counts"
def num_parameters(c_in, c_out, kernel_size, groups=1):
    per_filter = kernel_size * kernel_size * (c_in / groups) + 1
    return c_out * per_filter


def num_multiply_adds(c_in, c_out, kernel_size, height, width, groups=1, **geometry):
    h = output_size(height, kernel_size, **geometry)
    w = output_size(width, kernel_size, **geometry)
    return kernel_size * kernel_size * (c_in / groups) * h * w * c_out


# %% solution="receptive-field"
def receptive_field(layers):
    r = 1
    for k, s, d in reversed(layers):
        r = (r - 1) * s + d * (k - 1) + 1
    return r


# %% solution="conv-forward"
def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    N, C, H, W = x.shape
    F, CG, KH, KW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    span_h = dilation * (KH - 1) + 1
    span_w = dilation * (KW - 1) + 1
    H_out = (H + 2 * padding - span_h) // stride + 1
    W_out = (W + 2 * padding - span_w) // stride + 1
    out = np.zeros((N, F, H_out, W_out))
    for n in range(N):
        for f in range(F):
            first = f // (F // groups) * CG
            for i in range(H_out):
                for j in range(W_out):
                    rows = slice(i * stride, i * stride + span_h, dilation)
                    cols = slice(j * stride, j * stride + span_w, dilation)
                    out[n, f, i, j] = np.sum(xp[n, first : first + CG, rows, cols] * w[f]) + b[f]
    return out, (x, w, b, stride, padding, dilation, groups)


# %% solution="filter-matrix"
def filter_matrix(w, size):
    K = len(w)
    W = np.zeros((size, size))
    for i in range(size):
        for k in range(K):
            j = i + k - K // 2
            if 0 <= j < size:
                W[i, j] = w[k]
    return W


# %% solution="input-matrix"
def input_matrix(x, kernel_size):
    rows = []
    for i in range(len(x)):
        row = []
        for k in range(kernel_size):
            j = i + k - kernel_size // 2
            row.append(x[j] if 0 <= j < len(x) else 0)
        rows.append(row)
    return np.array(rows)


# %% solution="conv-backward"
def conv_backward(dout, cache):
    x, w, b, stride, padding, dilation, groups = cache
    N, C, H, W = x.shape
    F, CG, KH, KW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dxp = np.zeros_like(xp)
    dw = np.zeros_like(w)
    db = np.zeros_like(b)
    for n in range(N):
        for f in range(F):
            channels = slice(f // (F // groups) * CG, (f // (F // groups) + 1) * CG)
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    rows = slice(i * stride, i * stride + dilation * (KH - 1) + 1, dilation)
                    cols = slice(j * stride, j * stride + dilation * (KW - 1) + 1, dilation)
                    dxp[n, channels, rows, cols] += dout[n, f, i, j] * w[f]
                    dw[f] += dout[n, f, i, j] * xp[n, channels, rows, cols]
                    db[f] += dout[n, f, i, j]
    return dxp[:, :, padding : padding + H, padding : padding + W], dw, db


# %% solution="im2col"
def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    K = kernel_size
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    columns = []
    for i in range(0, xp.shape[2] - K + 1, stride):
        for j in range(0, xp.shape[3] - K + 1, stride):
            columns.append(xp[:, :, i : i + K, j : j + K].reshape(N, -1))
    return np.stack(columns, axis=-1)


# %% solution="conv1x1"
def conv1x1(x, w, b):
    return (w @ x.reshape(x.shape[0], x.shape[1], -1)).reshape(
        x.shape[0], -1, *x.shape[2:]
    ) + b.reshape(-1, 1, 1)


# %% solution="conv1d-conv3d"
def conv1d(x, w, b, stride=1):
    out, _ = conv_forward(x[:, :, :, None], w[:, :, :, None], b, stride)
    return out[:, :, :, 0]


def conv3d(x, w, b):
    N, C, D, H, W = x.shape
    F, C, K, KH, KW = w.shape
    out = np.zeros((N, F, D - K + 1, H - KH + 1, W - KW + 1))
    for d in range(D - K + 1):
        for k in range(K):
            out[:, :, d] += conv_forward(x[:, :, d + k], w[:, :, k], np.zeros(F))[0]
        out[:, :, d] += b[None, :, None, None]
    return out


# %% [markdown] essay="stacking"
# Two linear maps are one linear map, so it is a single convolution whose filters are as large as
# the receptive field of the two. Only a nonlinearity in between makes the second one worth it.

# %% [markdown] essay="sharing"
# 3072 · 10240 + 10240 parameters. It assumes that patterns are local and can be anywhere.

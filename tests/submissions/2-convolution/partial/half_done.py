# Got as far as the forward pass, with loops.

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

# Loops over every number, the way most people write it first; x is moved in place and back.

# %% solution="neuron"
import math


def neuron(w0, x0, w1, x1, w2):
    s = w0 * x0 + w1 * x1 + w2
    L = 1 / (1 + math.exp(-s))
    slope = math.exp(-s) / (1 + math.exp(-s)) ** 2
    return L, (slope * x0, slope * w0, slope * x1, slope * w1, slope)


# %% solution="max-gate"
def max_forward(x, y):
    if x > y:
        return x, "x"
    return y, "y"


def max_backward(dout, cache):
    if cache == "x":
        return dout, 0
    return 0, dout


# %% solution="relu"
def relu_forward(x):
    out = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        if x[place] > 0:
            out[place] = x[place]
    return out, x


def relu_backward(dout, cache):
    dx = np.zeros(dout.shape)
    for place in np.ndindex(dout.shape):
        if cache[place] >= 0:
            dx[place] = dout[place]
    return dx


# %% solution="matmul"
def matmul_forward(x, w):
    N, D = x.shape
    M = w.shape[1]
    y = np.zeros((N, M))
    for n in range(N):
        for m in range(M):
            for d in range(D):
                y[n, m] += x[n, d] * w[d, m]
    return y, (x, w)


def matmul_backward(dout, cache):
    x, w = cache
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for n in range(dout.shape[0]):
        for m in range(dout.shape[1]):
            for d in range(w.shape[0]):
                dx[n, d] += dout[n, m] * w[d, m]
                dw[d, m] += dout[n, m] * x[n, d]
    return dx, dw


# %% solution="numerical-gradient"
def numerical_gradient(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        x[place] += h
        above = f(x)
        x[place] -= 2 * h
        below = f(x)
        x[place] += h
        gradient[place] = (above - below) / (2 * h)
    return gradient


# %% solution="affine"
def affine_forward(x, w, b):
    out = np.zeros((x.shape[0], w.shape[1]))
    for n in range(x.shape[0]):
        for m in range(w.shape[1]):
            out[n, m] = np.sum(x[n].flatten() * w[:, m]) + b[m]
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(b.shape)
    for n in range(dout.shape[0]):
        for m in range(dout.shape[1]):
            dx[n] += (dout[n, m] * w[:, m]).reshape(x[n].shape)
            dw[:, m] += dout[n, m] * x[n].flatten()
            db[m] += dout[n, m]
    return dx, dw, db


# %% solution="softmax"
def softmax(scores):
    p = np.zeros(scores.shape)
    for n in range(len(scores)):
        e = np.exp(scores[n] - np.max(scores[n]))
        p[n] = e / np.sum(e)
    return p


# %% solution="softmax-loss"
def softmax_loss_forward(scores, y):
    loss = 0.0
    for n in range(len(y)):
        top = np.max(scores[n])
        loss += np.log(np.sum(np.exp(scores[n] - top))) + top - scores[n, y[n]]
    return loss / len(y), (softmax(scores), y)


def softmax_loss_backward(dout, cache):
    p, y = cache
    dscores = np.zeros(p.shape)
    for n in range(p.shape[0]):
        for c in range(p.shape[1]):
            dscores[n, c] = p[n, c] - (c == y[n])
    return dout * dscores / len(y)

# One slip in each of these parts.
# Every row of the batch has its own bias gradient: db is (N, M).
# What comes back through the max gate replaces what came back through the add gate.
# Measures the slope from one side only, (f(x + h) - f(x)) / h.
# Takes the exponential of the scores as they are: nan at 1000.

# %% solution="affine"
def affine_forward(x, w, b):
    return x.reshape(x.shape[0], -1).dot(w) + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = dout
    return dx, dw, db


# %% solution="branch"
def branch(x, y):
    s, s_cache = add_forward(x, y)
    m, m_cache = max_forward(x, y)
    f, f_cache = multiply_forward(s, m)
    ds, dm = multiply_backward(1.0, f_cache)
    dx, dy = add_backward(ds, s_cache)
    dx, dy = max_backward(dm, m_cache)
    return f, (dx, dy)


# %% solution="numerical-gradient"
def numerical_gradient(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    here = f(x)
    for place in np.ndindex(x.shape):
        moved = x.copy()
        moved[place] += h
        gradient[place] = (f(moved) - here) / h
    return gradient


# %% solution="softmax"
def softmax(scores):
    exponentials = np.exp(scores)
    return exponentials / np.sum(exponentials, axis=1, keepdims=True)

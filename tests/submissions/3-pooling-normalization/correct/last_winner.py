# Of equal numbers the last one wins; caches are tuples, and objects of classes.

# %% solution="max-pool-forward"
def _corners(shape, k, s):
    for i in range((shape[2] - k) // s + 1):
        for j in range((shape[3] - k) // s + 1):
            yield i, j, slice(i * s, i * s + k), slice(j * s, j * s + k)


def max_pool_forward(x, kernel_size, stride):
    sizes = [(size - kernel_size) // stride + 1 for size in x.shape[2:]]
    out = np.full((*x.shape[:2], *sizes), -np.inf)
    for i, j, rows, cols in _corners(x.shape, kernel_size, stride):
        out[:, :, i, j] = x[:, :, rows, cols].reshape(*x.shape[:2], -1).max(axis=2)
    return out, (x, kernel_size, stride)


# %% solution="max-pool-backward"
def max_pool_backward(dout, cache):
    x, k, s = cache
    dx = np.zeros_like(x)
    n, c = np.ogrid[: len(x), : x.shape[1]]
    for i, j, rows, cols in _corners(x.shape, k, s):
        flat = x[:, :, rows, cols].reshape(*x.shape[:2], -1)
        last = flat.shape[2] - 1 - flat[:, :, ::-1].argmax(axis=2)
        dx[n, c, i * s + last // k, j * s + last % k] += dout[:, :, i, j]
    return (dx,)


# %% solution="avg-pool"
class Pool:
    def __init__(self, x, k, s):
        self.x, self.k, self.s = x.copy(), k, s
        self.rows = range(0, x.shape[2] - k + 1, s)
        self.cols = range(0, x.shape[3] - k + 1, s)

    def windows(self, array):
        for i, top in enumerate(self.rows):
            for j, left in enumerate(self.cols):
                yield i, j, array[:, :, top : top + self.k, left : left + self.k]

    def empty(self):
        return np.empty((*self.x.shape[:2], len(self.rows), len(self.cols)))


def avg_pool_forward(x, kernel_size, stride):
    pool = Pool(x, kernel_size, stride)
    out = pool.empty()
    for i, j, window in pool.windows(pool.x):
        out[:, :, i, j] = np.average(window, axis=(2, 3))
    return out, pool


def avg_pool_backward(dout, cache):
    dx = np.zeros_like(cache.x)
    for i, j, dwindow in cache.windows(dx):
        dwindow += dout[:, :, i : i + 1, j : j + 1] / cache.k**2
    return dx


# %% solution="moments"
def moments(x):
    return np.average(x, axis=0), np.square(x - np.average(x, axis=0)).sum(axis=0) / len(x)


# %% solution="batch-norm-forward"
def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    N = x.shape[0]
    if training:
        mean = np.sum(x, axis=0) / N
        centred = x - mean
        square = centred**2
        var = np.sum(square, axis=0) / N
        np.copyto(running_mean, (1 - momentum) * running_mean + momentum * mean)
        np.copyto(running_var, (1 - momentum) * running_var + momentum * var)
    else:
        centred, var = x - running_mean, running_var
    root = np.sqrt(var + eps)
    inverse = 1 / root
    x_hat = centred * inverse
    return gamma * x_hat + beta, (N, centred, root, inverse, x_hat, gamma)


# %% solution="batch-norm-backward"
def batch_norm_backward(dout, cache):
    N, centred, root, inverse, x_hat, gamma = cache
    dbeta = dout.sum(axis=0)
    dgamma = np.einsum("nd,nd->d", dout, x_hat)
    dx_hat = dout * gamma
    dinverse = np.einsum("nd,nd->d", dx_hat, centred)
    dcentred = dx_hat * inverse
    droot = -dinverse / root**2
    dvar = droot / (2 * root)
    dsquare = np.broadcast_to(dvar / N, centred.shape)
    dcentred = dcentred + 2 * centred * dsquare
    dmean = -dcentred.sum(axis=0)
    return dcentred + np.ones((N, 1)) * dmean / N, dgamma, dbeta


# %% solution="batch-norm-backward-simple"
def batch_norm_backward_simple(dout, cache):
    N, _, _, inverse, x_hat, gamma = cache
    dgamma, dbeta = (x_hat * dout).sum(axis=0), dout.sum(axis=0)
    return gamma * inverse * (dout - dbeta / N - x_hat * dgamma / N), dgamma, dbeta


# %% solution="spatial-batch-norm"
def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    shape = x.shape
    rows = np.moveaxis(x, 1, -1).reshape(-1, shape[1])
    out, cache = batch_norm_forward(
        rows, gamma, beta, running_mean, running_var, training, momentum, eps
    )
    return np.moveaxis(out.reshape(shape[0], *shape[2:], shape[1]), -1, 1), cache


def spatial_batch_norm_backward(dout, cache):
    rows = np.moveaxis(dout, 1, -1)
    dx, dgamma, dbeta = batch_norm_backward_simple(rows.reshape(-1, dout.shape[1]), cache)
    return np.moveaxis(dx.reshape(rows.shape), -1, 1), dgamma, dbeta


# %% solution="fold"
def fold_weight(w, gamma, running_var, eps=1e-5):
    new = w.copy()
    new *= gamma.reshape(-1, 1, 1, 1)
    new /= np.sqrt(running_var + eps).reshape(-1, 1, 1, 1)
    return new


def fold_bias(b, gamma, beta, running_mean, running_var, eps=1e-5):
    new = b.copy()
    new -= running_mean
    new *= gamma
    new /= np.sqrt(running_var + eps)
    new += beta
    return new


# %% solution="layer-norm"
class Norm:
    """Of the rows of a copy, which are worked on in place."""

    def __init__(self, rows, eps):
        self.x_hat = np.array(rows, dtype=float)
        self.mu = self.x_hat.mean(axis=1)
        self.x_hat -= self.mu[:, None]
        self.var = (self.x_hat * self.x_hat).mean(axis=1)
        self.std = np.sqrt(self.var + eps)[:, None]
        self.x_hat /= self.std

    def backward(self, d):
        d = d.copy()
        along = (d * self.x_hat).mean(axis=1, keepdims=True)
        d -= d.mean(axis=1, keepdims=True)
        d -= along * self.x_hat
        d /= self.std
        return d


def layer_norm_forward(x, gamma, beta, eps=1e-5):
    norm = Norm(x, eps)
    return norm.x_hat * gamma + beta, (norm, gamma)


def layer_norm_backward(dout, cache):
    norm, gamma = cache
    return norm.backward(dout * gamma), np.sum(dout * norm.x_hat, 0), np.sum(dout, 0)


# %% solution="group-norm"
def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    norm = Norm(x.reshape(x.shape[0] * groups, -1), eps)
    out = norm.x_hat.reshape(x.shape).copy()
    for c in range(x.shape[1]):
        out[:, c] *= gamma[c]
        out[:, c] += beta[c]
    return out, [norm, gamma]


def group_norm_backward(dout, cache):
    norm, gamma = cache
    x_hat, d = norm.x_hat.reshape(dout.shape), dout * gamma[None, :, None, None]
    dx = norm.backward(d.reshape(norm.x_hat.shape)).reshape(dout.shape)
    return dx, np.sum(dout * x_hat, axis=(0, 2, 3)), np.sum(dout, axis=(0, 2, 3))

# One slip in each of these parts.
# Assigns the running statistics to names: the caller's arrays stay as they are.
# Averages over the batch in layer norm, too.
# Takes the output to be as wide as it is high.

# %% solution="batch-norm-forward"
def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    if training:
        mu = x.mean(axis=0)
        var = x.var(axis=0)
        running_mean = (1 - momentum) * running_mean + momentum * mu
        running_var = (1 - momentum) * running_var + momentum * var
    else:
        mu, var = running_mean, running_var
    std = np.sqrt(var + eps)
    x_hat = (x - mu) / std
    return gamma * x_hat + beta, (x_hat, gamma, std)


# %% solution="layer-norm"
def layer_norm_forward(x, gamma, beta, eps=1e-5):
    mu = x.mean(axis=0)
    std = np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - mu) / std
    return gamma * x_hat + beta, (x_hat, gamma, std)


def layer_norm_backward(dout, cache):
    x_hat, gamma, std = cache
    d = dout * gamma
    dx = (d - d.mean(axis=0) - x_hat * (d * x_hat).mean(axis=0)) / std
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)


# %% solution="group-norm"
def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    parts = x.reshape(len(x), groups, -1)
    std = np.sqrt(parts.var(axis=2, keepdims=True) + eps)
    x_hat = (parts - parts.mean(axis=2, keepdims=True)) / std
    out = gamma[:, None, None] * x_hat.reshape(x.shape) + beta[:, None, None]
    return out, (x_hat, gamma, std)


def group_norm_backward(dout, cache):
    x_hat, gamma, std = cache
    d = (dout * gamma[:, None, None]).reshape(x_hat.shape)
    dx = d - d.mean(axis=2, keepdims=True) - x_hat * (d * x_hat).mean(axis=2, keepdims=True)
    dgamma = (dout * x_hat.reshape(dout.shape)).sum(axis=(0, 2, 3))
    return (dx / std).reshape(dout.shape), dgamma, dout.sum(axis=(0, 2, 3))


# %% solution="avg-pool"
def avg_pool_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    size = (H - kernel_size) // stride + 1
    out = np.zeros((N, C, size, size))
    for i in range(size):
        for j in range(size):
            top, left = i * stride, j * stride
            window = x[:, :, top : top + kernel_size, left : left + kernel_size]
            out[:, :, i, j] = window.mean(axis=(2, 3))
    return out, (x.shape, kernel_size, stride)


def avg_pool_backward(dout, cache):
    shape, kernel_size, stride = cache
    dx = np.zeros(shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top, left = i * stride, j * stride
            share = dout[:, :, i, j] / kernel_size**2
            dx[:, :, top : top + kernel_size, left : left + kernel_size] += share[:, :, None, None]
    return dx

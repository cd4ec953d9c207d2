# Averages over the batch in layer norm, too.

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

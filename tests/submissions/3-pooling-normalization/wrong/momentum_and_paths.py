# One slip in each of these parts.
# Has the momentum the other way round.
# Forgets the path through the variance.
# Assigns to dx where windows overlap, instead of adding.

# %% solution="batch-norm-forward"
def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    if training:
        mu = x.mean(axis=0)
        var = x.var(axis=0)
        running_mean[:] = momentum * running_mean + (1 - momentum) * mu
        running_var[:] = momentum * running_var + (1 - momentum) * var
    else:
        mu, var = running_mean, running_var
    std = np.sqrt(var + eps)
    x_hat = (x - mu) / std
    return gamma * x_hat + beta, (x_hat, gamma, std)


# %% solution="batch-norm-backward"
def batch_norm_backward(dout, cache):
    x_hat, gamma, std = cache
    dx_hat = dout * gamma
    dcentred = dx_hat / std
    dmu = -dcentred.sum(axis=0)
    dx = dcentred + dmu / len(dout)
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)


# %% solution="max-pool-backward"
def max_pool_backward(dout, cache):
    x, out, K, S = cache
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        window = x[n, c, i * S : i * S + K, j * S : j * S + K]
        dx[n, c, i * S : i * S + K, j * S : j * S + K] = dout[n, c, i, j] * (window == window.max())
    return dx

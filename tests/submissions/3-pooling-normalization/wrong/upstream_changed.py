# Multiplies the caller's dout by gamma in place.

# %% solution="batch-norm-backward-simple"
def batch_norm_backward_simple(dout, cache):
    x_hat, gamma, std = cache
    dgamma, dbeta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    dout *= gamma
    dx = (dout - dout.mean(axis=0) - x_hat * (dout * x_hat).mean(axis=0)) / std
    return dx, dgamma, dbeta


# %% solution="spatial-batch-norm"
def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    rows = x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])
    out, cache = batch_norm_forward(
        rows, gamma, beta, running_mean, running_var, training, momentum, eps
    )
    n, c, height, width = x.shape
    return out.reshape(n, height, width, c).transpose(0, 3, 1, 2), cache


def spatial_batch_norm_backward(dout, cache):
    n, c, height, width = dout.shape
    rows = dout.transpose(0, 2, 3, 1).reshape(-1, c)
    dx, dgamma, dbeta = batch_norm_backward(rows, cache)
    return dx.reshape(n, height, width, c).transpose(0, 3, 1, 2), dgamma, dbeta

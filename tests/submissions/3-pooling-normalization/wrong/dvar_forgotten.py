# Forgets the path through the variance.

# %% solution="batch-norm-backward"
def batch_norm_backward(dout, cache):
    x_hat, gamma, std = cache
    dx_hat = dout * gamma
    dcentred = dx_hat / std
    dmu = -dcentred.sum(axis=0)
    dx = dcentred + dmu / len(dout)
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)

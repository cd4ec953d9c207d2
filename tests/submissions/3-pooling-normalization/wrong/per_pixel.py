# Gives each pixel of a channel a mean of its own.

# %% solution="spatial-batch-norm"
def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    out, caches = np.zeros(x.shape), []
    for c in range(x.shape[1]):
        rows = x[:, c].reshape(len(x), -1)
        ones = np.ones(rows.shape[1])
        y, cache = batch_norm_forward(
            rows,
            gamma[c] * ones,
            beta[c] * ones,
            running_mean[c] * ones,
            running_var[c] * ones,
            training,
            momentum,
            eps,
        )
        if training:
            mu, var = x[:, c].mean(), x[:, c].var()
            running_mean[c] = (1 - momentum) * running_mean[c] + momentum * mu
            running_var[c] = (1 - momentum) * running_var[c] + momentum * var
        out[:, c] = y.reshape(x[:, c].shape)
        caches.append(cache)
    return out, caches


def spatial_batch_norm_backward(dout, cache):
    dx, dgamma, dbeta = np.zeros(dout.shape), [], []
    for c in range(dout.shape[1]):
        rows = dout[:, c].reshape(len(dout), -1)
        d, each_gamma, each_beta = batch_norm_backward(rows, cache[c])
        dx[:, c] = d.reshape(dout[:, c].shape)
        dgamma.append(each_gamma.sum())
        dbeta.append(each_beta.sum())
    return dx, np.array(dgamma), np.array(dbeta)

# Returns the normalized numbers themselves in test mode, without gamma and beta.

# %% solution="batch-norm-forward"
def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    if training:
        mu = x.mean(axis=0)
        var = x.var(axis=0)
        running_mean[:] = (1 - momentum) * running_mean + momentum * mu
        running_var[:] = (1 - momentum) * running_var + momentum * var
    else:
        mu, var = running_mean, running_var
    std = np.sqrt(var + eps)
    x_hat = (x - mu) / std
    if not training:
        return x_hat, None
    return gamma * x_hat + beta, (x_hat, gamma, std)

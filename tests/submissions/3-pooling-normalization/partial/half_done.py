# Got as far as batch norm, forward; average pooling was left for later.

# %% solution="max-pool-forward"
def max_pool_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    H_out = (H - kernel_size) // stride + 1
    W_out = (W - kernel_size) // stride + 1
    out = np.zeros((N, C, H_out, W_out))
    for n in range(N):
        for c in range(C):
            for i in range(H_out):
                for j in range(W_out):
                    top = i * stride
                    left = j * stride
                    window = x[n, c, top : top + kernel_size, left : left + kernel_size]
                    out[n, c, i, j] = np.max(window)
    return out, (x, kernel_size, stride)


# %% solution="max-pool-backward"
def max_pool_backward(dout, cache):
    x, kernel_size, stride = cache
    dx = np.zeros(x.shape)
    for n in range(dout.shape[0]):
        for c in range(dout.shape[1]):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    top = i * stride
                    left = j * stride
                    window = x[n, c, top : top + kernel_size, left : left + kernel_size]
                    u, v = np.unravel_index(np.argmax(window), window.shape)
                    dx[n, c, top + u, left + v] += dout[n, c, i, j]
    return dx


# %% solution="moments"
def moments(x):
    N, D = x.shape
    mu = np.zeros(D)
    var = np.zeros(D)
    for j in range(D):
        mu[j] = x[:, j].astype(float).sum() / N
        for i in range(N):
            var[j] += (x[i, j] - mu[j]) ** 2
        var[j] /= N
    return mu, var


# %% solution="batch-norm-forward"
def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    if training:
        mu = np.mean(x, axis=0)
        var = np.mean((x - mu) ** 2, axis=0)
        running_mean *= 1 - momentum
        running_mean += momentum * mu
        running_var *= 1 - momentum
        running_var += momentum * var
    else:
        mu = running_mean
        var = running_var
    std = np.sqrt(var + eps)
    x_hat = (x - mu) / std
    out = gamma * x_hat + beta
    return out, (x, x_hat, mu, var, std, gamma, eps)

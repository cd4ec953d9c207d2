# Loops over images, channels and windows.

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


# %% solution="avg-pool"
def avg_pool_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    H_out = (H - kernel_size) // stride + 1
    W_out = (W - kernel_size) // stride + 1
    out = np.zeros((N, C, H_out, W_out))
    for i in range(H_out):
        for j in range(W_out):
            top = i * stride
            left = j * stride
            window = x[:, :, top : top + kernel_size, left : left + kernel_size]
            out[:, :, i, j] = window.mean(axis=(2, 3))
    return out, (x, kernel_size, stride)


def avg_pool_backward(dout, cache):
    x, kernel_size, stride = cache
    dx = np.zeros(x.shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top = i * stride
            left = j * stride
            share = dout[:, :, i, j] / (kernel_size * kernel_size)
            dx[:, :, top : top + kernel_size, left : left + kernel_size] += share[:, :, None, None]
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


# %% solution="identity"
def identity_parameters(x, eps=1e-5):
    mu, var = moments(x)
    return (var + eps) ** 0.5, mu


# %% solution="batch-norm-backward"
def batch_norm_backward(dout, cache):
    x, x_hat, mu, var, std, gamma, eps = cache
    N = len(x)
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * x_hat, axis=0)
    dx_hat = dout * gamma
    dvar = np.sum(dx_hat * (x - mu) * -0.5 * (var + eps) ** -1.5, axis=0)
    dmu = np.sum(-dx_hat / std, axis=0) + dvar * np.sum(-2 * (x - mu), axis=0) / N
    dx = dx_hat / std + dvar * 2 * (x - mu) / N + dmu / N
    return dx, dgamma, dbeta


# %% solution="batch-norm-backward-simple"
def batch_norm_backward_simple(dout, cache):
    x, x_hat, mu, var, std, gamma, eps = cache
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * x_hat, axis=0)
    dx = gamma / std / len(x) * (len(x) * dout - dbeta - x_hat * dgamma)
    return dx, dgamma, dbeta


# %% solution="spatial-batch-norm"
def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    N, C, H, W = x.shape
    rows = x.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    out, cache = batch_norm_forward(
        rows, gamma, beta, running_mean, running_var, training, momentum, eps
    )
    return out.reshape(N, H, W, C).transpose(0, 3, 1, 2), cache


def spatial_batch_norm_backward(dout, cache):
    N, C, H, W = dout.shape
    rows = dout.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    dx, dgamma, dbeta = batch_norm_backward(rows, cache)
    return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta


# %% solution="fold"
def fold_weight(w, gamma, running_var, eps=1e-5):
    new = np.zeros(w.shape)
    for f in range(len(w)):
        new[f] = w[f] * gamma[f] / np.sqrt(running_var[f] + eps)
    return new


def fold_bias(b, gamma, beta, running_mean, running_var, eps=1e-5):
    new = np.zeros(b.shape)
    for f in range(len(b)):
        new[f] = gamma[f] * (b[f] - running_mean[f]) / np.sqrt(running_var[f] + eps) + beta[f]
    return new


# %% solution="layer-norm"
def layer_norm_forward(x, gamma, beta, eps=1e-5):
    x_hat = np.zeros(x.shape)
    stds = []
    for i in range(len(x)):
        mu = np.mean(x[i])
        var = np.mean((x[i] - mu) ** 2)
        std = np.sqrt(var + eps)
        x_hat[i] = (x[i] - mu) / std
        stds.append(std)
    return gamma * x_hat + beta, (x_hat, stds, gamma)


def layer_norm_backward(dout, cache):
    x_hat, stds, gamma = cache
    dx = np.zeros(dout.shape)
    for i in range(len(dout)):
        dx_hat = dout[i] * gamma
        centred = dx_hat - np.mean(dx_hat) - x_hat[i] * np.mean(dx_hat * x_hat[i])
        dx[i] = centred / stds[i]
    return dx, np.sum(dout * x_hat, axis=0), np.sum(dout, axis=0)


# %% solution="group-norm"
def group_norm_forward(x, gamma, beta, groups, eps=1e-5):
    N, C, H, W = x.shape
    size = C // groups
    x_hat = np.zeros(x.shape)
    std = np.zeros((N, groups))
    for n in range(N):
        for g in range(groups):
            part = x[n, g * size : (g + 1) * size]
            std[n, g] = np.sqrt(np.var(part) + eps)
            x_hat[n, g * size : (g + 1) * size] = (part - np.mean(part)) / std[n, g]
    out = gamma[None, :, None, None] * x_hat + beta[None, :, None, None]
    return out, (x_hat, std, gamma, groups)


def group_norm_backward(dout, cache):
    x_hat, std, gamma, groups = cache
    N, C, H, W = dout.shape
    size = C // groups
    dx = np.zeros(dout.shape)
    for n in range(N):
        for g in range(groups):
            channels = slice(g * size, (g + 1) * size)
            dx_hat = dout[n, channels] * gamma[channels, None, None]
            part = x_hat[n, channels]
            dx[n, channels] = dx_hat - np.mean(dx_hat) - part * np.mean(dx_hat * part)
            dx[n, channels] /= std[n, g]
    return dx, np.sum(dout * x_hat, axis=(0, 2, 3)), np.sum(dout, axis=(0, 2, 3))

# Takes the output to be as wide as it is high.

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

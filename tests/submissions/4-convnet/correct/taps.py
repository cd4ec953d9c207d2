# Layers with one loop over the taps of a window, in double precision.

# %% solution="convolution"
def conv_forward(x, w, b, stride=1, padding=0):
    p, s, k = padding, stride, w.shape[2]
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    h, v = (x.shape[2] - k) // s + 1, (x.shape[3] - k) // s + 1
    out = np.zeros((len(x), len(w), h, v)) + b[None, :, None, None]
    for i in range(k):
        for j in range(k):
            part = x[:, :, i : i + s * h : s, j : j + s * v : s][:, :, :h, :v]
            out += np.einsum("nchw,fc->nfhw", part, w[:, :, i, j])
    return out, [x, w, s, p]


def conv_backward(dout, cache):
    x, w, s, p = cache
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    h, v = dout.shape[2:]
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            rows, columns = i + s * np.arange(h)[:, None], j + s * np.arange(v)
            dw[:, :, i, j] = np.einsum("nfhw,nchw->fc", dout, x[:, :, rows, columns])
            dx[:, :, rows, columns] += np.einsum("nfhw,fc->nchw", dout, w[:, :, i, j])
    return dx[:, :, p : x.shape[2] - p, p : x.shape[3] - p], dw, dout.sum((0, 2, 3))


# %% solution="relu-pool"
def relu_forward(x):
    return np.where(x > 0, x, 0), x > 0


def relu_backward(dout, cache):
    return np.where(cache, dout, 0)


def max_pool_forward(x, kernel_size, stride):
    k, s = kernel_size, stride
    h, v = (x.shape[2] - k) // s + 1, (x.shape[3] - k) // s + 1
    rows, columns = s * np.arange(h)[:, None], s * np.arange(v)
    taps = [x[:, :, rows + i, columns + j] for i in range(k) for j in range(k)]
    return np.max(taps, axis=0), (np.argmax(taps, axis=0), x.shape, k, s)


def max_pool_backward(dout, cache):
    place, shape, k, s = cache
    dx = np.zeros(shape)
    n, c, h, v = np.indices(dout.shape)
    np.add.at(dx, (n, c, s * h + place // k, s * v + place % k), dout)
    return dx


# %% solution="affine-loss"
def affine_forward(x, w, b):
    return np.dot(x, w) + b, {"x": x, "w": w}


def affine_backward(dout, cache):
    x, w = cache["x"], cache["w"]
    return np.dot(dout, w.T), np.einsum("ni,no->io", x, dout), np.ones(len(dout)) @ dout


def softmax_loss_forward(scores, y):
    top = scores.max(1)
    total = top + np.log(np.exp(scores - top[:, None]).sum(1))
    p = np.exp(scores - total[:, None])
    picked = np.take_along_axis(scores, y[:, None], 1)[:, 0]
    return np.mean(total - picked), (p - np.eye(scores.shape[1])[y]) / len(y)


def softmax_loss_backward(dout, cache):
    return dout * cache


# %% solution="init-lenet"
def init_lenet(rng, channels=(20, 50), hidden=500, classes=10, input_shape=(1, 28, 28)):
    fan_ins = [25 * input_shape[0], 25 * channels[0]]
    fan_ins += [channels[1] * input_shape[1] * input_shape[2] // 16, hidden]
    outputs = [*channels, hidden, classes]
    params = {}
    for name, fan_in, out in zip(["conv1", "conv2", "fc1", "fc2"], fan_ins, outputs, strict=True):
        w = rng.normal(scale=np.sqrt(2 / fan_in), size=(fan_in, out))
        if name.startswith("conv"):
            w = w.T.reshape(out, fan_in // 25, 5, 5)
        params |= {name + "_w": w, name + "_b": np.full(out, 0.0)}
    return params


# %% solution="lenet-forward"
def lenet_forward(x, params):
    p, kept = dict(params), []
    for layer in ("conv1", "conv2"):
        x, a = conv_forward(x, p[layer + "_w"], p[layer + "_b"], padding=2)
        x, b = relu_forward(x)
        x, c = max_pool_forward(x, 2, 2)
        kept += [a, b, c]
    h, d = affine_forward(x.reshape(len(x), -1), p["fc1_w"], p["fc1_b"])
    h, e = relu_forward(h)
    out, f = affine_forward(h, p["fc2_w"], p["fc2_b"])
    return out, [*kept, x.shape, d, e, f]


# %% solution="lenet-backward"
def lenet_backward(dscores, cache):
    a1, b1, c1, a2, b2, c2, shape, d, e, f = cache
    dh, w4, b4 = affine_backward(dscores, f)
    dx, w3, b3 = affine_backward(relu_backward(dh, e), d)
    dx, w2, b2_ = conv_backward(relu_backward(max_pool_backward(dx.reshape(shape), c2), b2), a2)
    _, w1, b1_ = conv_backward(relu_backward(max_pool_backward(dx, c1), b1), a1)
    names = ["conv1_w", "conv1_b", "conv2_w", "conv2_b", "fc1_w", "fc1_b", "fc2_w", "fc2_b"]
    return dict(zip(names, [w1, b1_, w2, b2_, w3, b3, w4, b4], strict=True))


# %% solution="minibatches"
def minibatches(count, batch_size, rng):
    shuffled = rng.choice(count, count, replace=False)
    return list(np.array_split(shuffled, np.arange(batch_size, count, batch_size)))


# %% solution="sgd-step"
def sgd_step(params, grads, velocity, learning_rate, momentum=0.9):
    for p, g, v in ((params[k], grads[k], velocity[k]) for k in params):
        v[...] = v * momentum + g
        p[...] = p - v * learning_rate


# %% solution="accuracy"
def accuracy(forward, params, x, y, batch_size=100):
    predictions = np.empty(len(x), int)
    for i in range(0, len(x), batch_size):
        predictions[i : i + batch_size] = np.argmax(forward(x[i : i + batch_size], params)[0], 1)
    return float(np.mean(predictions == y))


# %% solution="train"
def train(network, params, data, schedule, learning_rate, momentum=0.9):
    forward, backward = network
    velocity = {name: np.zeros_like(p) for name, p in params.items()}
    loss, shares = [], []
    for batches in schedule:
        for batch in batches:
            scores, cache = forward(data[0][batch], params)
            value, kept = softmax_loss_forward(scores, data[1][batch])
            loss.append(value)
            sgd_step(
                params,
                backward(softmax_loss_backward(1.0, kept), cache),
                velocity,
                momentum=momentum,
                learning_rate=learning_rate,
            )
        shares.append(accuracy(forward, params, data[2], data[3], batch_size=2))
    return {"accuracy": shares, "loss": loss}


# %% [markdown] essay="where-it-costs"
# fc1 has the parameters, because each of its 500 outputs sees all 2450 numbers. conv2 has
# the work, because its weights are used at every position. Less memory: a mean over each map
# before fc1. Faster: fewer channels in conv2.


# %% [markdown] essay="stuck-loss"
# The first weights are all 0 (init check); the step changes a copy (step check); the labels
# were not shuffled with the images (loop check, or twenty images by heart).

# The network keeps a list of its steps and walks it backward.

# %% solution="shapes"
def output_shape(layer, shape):
    def out(size, k, p, s):
        return int(np.floor((size + 2 * p - k) / s)) + 1

    kind, *rest = layer
    if kind == "conv":
        return (rest[0], *[out(size, *rest[1:]) for size in shape[1:]])
    if kind == "pool":
        return tuple([shape[0]] + [out(size, rest[0], 0, rest[1]) for size in shape[1:]])
    return {"relu": shape, "flatten": (np.prod(shape),), "linear": tuple(rest)}[kind]


def weight_shape(layer, shape):
    return {
        "conv": lambda: (layer[1], shape[0]) + 2 * (layer[2],),
        "linear": lambda: shape + layer[1:],
    }.get(layer[0], tuple)()


# %% solution="cost"
def cost(layer, shape):
    weights = weight_shape(layer, shape)
    if weights == ():
        return (0, 0)
    out = output_shape(layer, shape)
    fan_in = weights[0] if layer[0] == "linear" else np.prod(weights[1:])
    return np.prod(weights) + out[0], np.prod(out) * fan_in


# %% solution="init-lenet"
def init_lenet(rng, channels=(20, 50), hidden=500, classes=10, input_shape=(1, 28, 28)):
    sizes = [input_shape[0], *channels]
    params = {}
    for i in (0, 1):
        bound = np.sqrt(6 / (25 * sizes[i]))
        params[f"conv{i + 1}_w"] = rng.uniform(-bound, bound, (sizes[i + 1], sizes[i], 5, 5))
        params[f"conv{i + 1}_b"] = np.zeros((sizes[i + 1],))
    sizes = [channels[-1] * input_shape[1] * input_shape[2] // 16, hidden, classes]
    for i in (0, 1):
        bound = np.sqrt(6 / sizes[i])
        params[f"fc{i + 1}_w"] = rng.uniform(-bound, bound, (sizes[i], sizes[i + 1]))
        params[f"fc{i + 1}_b"] = np.zeros((sizes[i + 1],))
    return params


# %% solution="lenet-forward"
def lenet_forward(x, params):
    stack = []

    def push(name, back, pair):
        stack.append((name, back, pair[1]))
        return pair[0]

    for n in "12":
        x = push(
            "conv" + n,
            conv_backward,
            conv_forward(x, params[f"conv{n}_w"], params[f"conv{n}_b"], padding=2),
        )
        x = push("", relu_backward, relu_forward(x))
        x = push("", max_pool_backward, max_pool_forward(x, 2, 2))
    x = push("", np.reshape, (x.reshape(len(x), -1), x.shape))
    x = push("fc1", affine_backward, affine_forward(x, params["fc1_w"], params["fc1_b"]))
    x = push("", relu_backward, relu_forward(x))
    x = push("fc2", affine_backward, affine_forward(x, params["fc2_w"], params["fc2_b"]))
    return x, stack


# %% solution="lenet-backward"
def lenet_backward(dscores, cache):
    grads, d = {}, dscores
    for name, back, kept in reversed(cache):
        d = back(d, kept)
        if name:
            d, grads[name + "_w"], grads[name + "_b"] = d
    return grads


# %% solution="minibatches"
def minibatches(count, batch_size, rng):
    return np.split(rng.permutation(count), range(batch_size, count, batch_size))


# %% solution="sgd-step"
def sgd_step(params, grads, velocity, learning_rate, momentum=0.9):
    for name, v in velocity.items():
        v *= momentum
        v += grads[name]
        params[name] -= learning_rate * v


# %% solution="accuracy"
def accuracy(forward, params, x, y, batch_size=100):
    starts = range(0, len(x), batch_size)
    scores = [forward(x[i : i + batch_size], params)[0] for i in starts]
    return (np.concatenate(scores).argmax(1) == y).mean()


# %% solution="train"
def train(network, params, data, schedule, learning_rate, momentum=0.9):
    forward, backward = network
    velocity = {name: 0 * p for name, p in params.items()}

    def step(batch):
        scores, cache = forward(data[0][batch], params)
        loss, kept = softmax_loss_forward(scores, data[1][batch])
        sgd_step(
            params,
            backward(softmax_loss_backward(1.0, kept), cache),
            velocity,
            learning_rate,
            momentum,
        )
        return loss

    history = {"loss": [], "accuracy": []}
    for batches in schedule:
        history["loss"] += [step(batch) for batch in batches]
        history["accuracy"] += [accuracy(forward, params, *data[2:])]
    return history


# %% [markdown] essay="where-it-costs"
# fc1 has the parameters, because each of its 500 outputs sees all 2450 numbers. conv2 has
# the work, because its weights are used at every position. Less memory: a mean over each map
# before fc1. Faster: fewer channels in conv2.


# %% [markdown] essay="stuck-loss"
# The first weights are all 0 (init check); the step changes a copy (step check); the labels
# were not shuffled with the images (loop check, or twenty images by heart).

# Loops and long lines of names, the way most people write it first.

# %% solution="shapes"
def output_shape(layer, shape):
    kind = layer[0]
    if kind == "conv":
        h = (shape[1] + 2 * layer[3] - layer[2]) // layer[4] + 1
        w = (shape[2] + 2 * layer[3] - layer[2]) // layer[4] + 1
        return (layer[1], h, w)
    if kind == "pool":
        return (
            shape[0],
            (shape[1] - layer[1]) // layer[2] + 1,
            (shape[2] - layer[1]) // layer[2] + 1,
        )
    if kind == "flatten":
        total = 1
        for size in shape:
            total *= size
        return (total,)
    if kind == "linear":
        return (layer[1],)
    return shape


def weight_shape(layer, shape):
    if layer[0] == "conv":
        return (layer[1], shape[0], layer[2], layer[2])
    if layer[0] == "linear":
        return (shape[0], layer[1])
    return ()


# %% solution="cost"
def cost(layer, shape):
    if layer[0] == "conv":
        weights = layer[1] * shape[0] * layer[2] * layer[2]
        out = output_shape(layer, shape)
        return weights + layer[1], weights * out[1] * out[2]
    if layer[0] == "linear":
        return shape[0] * layer[1] + layer[1], shape[0] * layer[1]
    return 0, 0


# %% solution="init-lenet"
def init_lenet(rng, channels=(20, 50), hidden=500, classes=10, input_shape=(1, 28, 28)):
    c, h, w = input_shape
    first, second = channels
    flat = second * (h // 4) * (w // 4)
    params = {}
    params["conv1_w"] = rng.normal(0, np.sqrt(2 / (c * 25)), (first, c, 5, 5))
    params["conv1_b"] = np.zeros(first)
    params["conv2_w"] = rng.normal(0, np.sqrt(2 / (first * 25)), (second, first, 5, 5))
    params["conv2_b"] = np.zeros(second)
    params["fc1_w"] = rng.normal(0, np.sqrt(2 / flat), (flat, hidden))
    params["fc1_b"] = np.zeros(hidden)
    params["fc2_w"] = rng.normal(0, np.sqrt(2 / hidden), (hidden, classes))
    params["fc2_b"] = np.zeros(classes)
    return params


# %% solution="lenet-forward"
def lenet_forward(x, params):
    a, conv1 = conv_forward(x, params["conv1_w"], params["conv1_b"], 1, 2)
    a, relu1 = relu_forward(a)
    a, pool1 = max_pool_forward(a, 2, 2)
    a, conv2 = conv_forward(a, params["conv2_w"], params["conv2_b"], 1, 2)
    a, relu2 = relu_forward(a)
    a, pool2 = max_pool_forward(a, 2, 2)
    shape = a.shape
    a = a.reshape(shape[0], shape[1] * shape[2] * shape[3])
    a, fc1 = affine_forward(a, params["fc1_w"], params["fc1_b"])
    a, relu3 = relu_forward(a)
    a, fc2 = affine_forward(a, params["fc2_w"], params["fc2_b"])
    return a, (conv1, relu1, pool1, conv2, relu2, pool2, shape, fc1, relu3, fc2)


# %% solution="lenet-backward"
def lenet_backward(dscores, cache):
    conv1, relu1, pool1, conv2, relu2, pool2, shape, fc1, relu3, fc2 = cache
    da, dw4, db4 = affine_backward(dscores, fc2)
    da = relu_backward(da, relu3)
    da, dw3, db3 = affine_backward(da, fc1)
    da = da.reshape(shape)
    da = max_pool_backward(da, pool2)
    da = relu_backward(da, relu2)
    da, dw2, db2 = conv_backward(da, conv2)
    da = max_pool_backward(da, pool1)
    da = relu_backward(da, relu1)
    da, dw1, db1 = conv_backward(da, conv1)
    grads = {"conv1_w": dw1, "conv1_b": db1, "conv2_w": dw2, "conv2_b": db2}
    grads["fc1_w"] = dw3
    grads["fc1_b"] = db3
    grads["fc2_w"] = dw4
    grads["fc2_b"] = db4
    return grads


# %% solution="minibatches"
def minibatches(count, batch_size, rng):
    order = np.arange(count)
    rng.shuffle(order)
    batches = []
    i = 0
    while i < count:
        batches.append(order[i : i + batch_size])
        i = i + batch_size
    return batches


# %% solution="sgd-step"
def sgd_step(params, grads, velocity, learning_rate, momentum=0.9):
    for name in params:
        velocity[name] = momentum * velocity[name] + grads[name]
        params[name] = params[name] - learning_rate * velocity[name]


# %% solution="accuracy"
def accuracy(forward, params, x, y, batch_size=100):
    right = 0
    for start in range(0, len(x), batch_size):
        scores = forward(x[start : start + batch_size], params)[0]
        for row, label in zip(scores, y[start : start + batch_size], strict=False):
            if np.argmax(row) == label:
                right = right + 1
    return right / len(y)


# %% solution="train"
def train(network, params, data, schedule, learning_rate, momentum=0.9):
    x_train, y_train, x_val, y_val = data
    velocity = {}
    for name in params:
        velocity[name] = np.zeros(params[name].shape)
    losses = []
    accuracies = []
    for epoch in schedule:
        for batch in epoch:
            x = x_train[batch]
            y = y_train[batch]
            scores, cache = network[0](x, params)
            loss, softmax_cache = softmax_loss_forward(scores, y)
            losses.append(loss)
            dscores = softmax_loss_backward(1, softmax_cache)
            grads = network[1](dscores, cache)
            sgd_step(params, grads, velocity, learning_rate, momentum)
        accuracies.append(accuracy(network[0], params, x_val, y_val))
    return {"loss": losses, "accuracy": accuracies}


# %% [markdown] essay="where-it-costs"
# fc1 has the parameters, because each of its 500 outputs sees all 2450 numbers. conv2 has
# the work, because its weights are used at every position. Less memory: a mean over each map
# before fc1. Faster: fewer channels in conv2.


# %% [markdown] essay="stuck-loss"
# The first weights are all 0 (init check); the step changes a copy (step check); the labels
# were not shuffled with the images (loop check, or twenty images by heart).

"""Written out, with a dict for every pass and its own names for everything."""

# ruff: noqa: D103, F821 - written as students write, after the layers of the lesson
# mypy: ignore-errors

import numpy as np


def output_shape(layer, shape):
    name = layer[0]
    assert name in ["conv", "relu", "pool", "flatten", "linear"]
    if name == "conv":
        _, filters, k, p, s = layer
        _, height, width = shape
        new_height = int((height - k + 2 * p) / s + 1)
        new_width = int((width - k + 2 * p) / s + 1)
        return filters, new_height, new_width
    if name == "pool":
        _, k, s = layer
        channels, height, width = shape
        return channels, int((height - k) / s) + 1, int((width - k) / s) + 1
    if name == "flatten":
        size = shape[0] * shape[1] * shape[2] if len(shape) == 3 else shape[0]
        return (size,)
    if name == "linear":
        return (layer[1],)
    return shape


def weight_shape(layer, shape):
    if layer[0] == "conv":
        c_out, c_in, kernel = layer[1], shape[0], layer[2]
        return c_out, c_in, kernel, kernel
    if layer[0] == "linear":
        (d_in,) = shape
        return d_in, layer[1]
    return ()


def cost(layer, shape):
    weights = weight_shape(layer, shape)
    parameters, work = 0, 0
    if len(weights) == 4:
        c_out, c_in, k, _ = weights
        _, height, width = output_shape(layer, shape)
        parameters = c_out * (c_in * k * k + 1)
        work = c_out * height * width * c_in * k * k
    if len(weights) == 2:
        parameters = (weights[0] + 1) * weights[1]
        work = weights[0] * weights[1]
    return np.array([parameters, work])


def init_lenet(rng, channels=(20, 50), hidden=500, classes=10, input_shape=(1, 28, 28)):
    C, H, W = input_shape
    C1, C2 = channels
    D = C2 * (H // 2 // 2) * (W // 2 // 2)
    p = {}
    p["conv1_w"] = rng.standard_normal(size=(C1, C, 5, 5))
    p["conv1_w"] *= np.sqrt(2.0 / (C * 5 * 5))
    p["conv2_w"] = rng.standard_normal(size=(C2, C1, 5, 5))
    p["conv2_w"] *= np.sqrt(2.0 / (C1 * 5 * 5))
    p["fc1_w"] = rng.standard_normal(size=(D, hidden))
    p["fc1_w"] *= np.sqrt(2.0 / D)
    p["fc2_w"] = rng.standard_normal(size=(hidden, classes))
    p["fc2_w"] *= np.sqrt(2.0 / hidden)
    for name, size in zip(
        ["conv1", "conv2", "fc1", "fc2"], [C1, C2, hidden, classes], strict=False
    ):
        p[name + "_b"] = np.zeros(size)
    for name in p:
        p[name] = p[name].astype(np.float32)
    return p


def lenet_forward(x, params):
    out, cache = {"x": x}, {}
    out["c1"], cache["c1"] = conv_forward(
        out["x"], params["conv1_w"], params["conv1_b"], stride=1, padding=(5 - 1) // 2
    )
    out["r1"], cache["r1"] = relu_forward(out["c1"])
    out["p1"], cache["p1"] = max_pool_forward(out["r1"], kernel_size=2, stride=2)
    out["c2"], cache["c2"] = conv_forward(
        out["p1"], params["conv2_w"], params["conv2_b"], stride=1, padding=(5 - 1) // 2
    )
    out["r2"], cache["r2"] = relu_forward(out["c2"])
    out["p2"], cache["p2"] = max_pool_forward(out["r2"], kernel_size=2, stride=2)
    out["flat"] = np.reshape(out["p2"], (x.shape[0], -1))
    out["h"], cache["fc1"] = affine_forward(out["flat"], params["fc1_w"], params["fc1_b"])
    out["r3"], cache["r3"] = relu_forward(out["h"])
    out["s"], cache["fc2"] = affine_forward(out["r3"], params["fc2_w"], params["fc2_b"])
    return out["s"], {"shape": out["p2"].shape, **cache}


def lenet_backward(dscores, cache):
    d, grads = {"s": dscores}, {}
    d["r3"], grads["fc2_w"], grads["fc2_b"] = affine_backward(d["s"], cache["fc2"])
    d["h"] = relu_backward(d["r3"], cache["r3"])
    d["flat"], grads["fc1_w"], grads["fc1_b"] = affine_backward(d["h"], cache["fc1"])
    d["p2"] = np.reshape(d["flat"], cache["shape"])
    d["r2"] = max_pool_backward(d["p2"], cache["p2"])
    d["c2"] = relu_backward(d["r2"], cache["r2"])
    d["p1"], grads["conv2_w"], grads["conv2_b"] = conv_backward(d["c2"], cache["c2"])
    d["r1"] = max_pool_backward(d["p1"], cache["p1"])
    d["c1"] = relu_backward(d["r1"], cache["r1"])
    d["x"], grads["conv1_w"], grads["conv1_b"] = conv_backward(d["c1"], cache["c1"])
    grads["x"] = d["x"]
    return grads


def minibatches(count, batch_size, rng):
    order = rng.permutation(count)
    full = count // batch_size
    batches = [order[i * batch_size : (i + 1) * batch_size] for i in range(full)]
    if count % batch_size != 0:
        batches.append(order[full * batch_size :])
    return batches


def sgd_step(params, grads, velocity, learning_rate, momentum=0.9):
    for name in params:
        new_velocity = velocity[name] * momentum
        new_velocity = new_velocity + grads[name]
        velocity[name] = new_velocity
        params[name] = params[name] - new_velocity * learning_rate


def accuracy(forward, params, x, y, batch_size=100):
    total, start = 0.0, 0
    while start < len(x):
        stop = min(start + batch_size, len(x))
        scores, _ = forward(x[start:stop], params)
        share = (scores.argmax(axis=1) == y[start:stop]).mean()
        total += share * (stop - start) / len(x)
        start = stop
    return total


def train(network, params, data, schedule, learning_rate, momentum=0.9):
    forward = network[0]
    backward = network[1]
    x_train, y_train, x_val, y_val = data
    velocity = dict.fromkeys(params, 0.0)
    loss_history, accuracy_history = [], []
    for epoch, batches in enumerate(schedule, start=1):
        for batch in batches:
            scores, cache = forward(x_train[batch], params)
            loss, loss_cache = softmax_loss_forward(scores, y_train[batch])
            dscores = softmax_loss_backward(1.0, loss_cache)
            grads = backward(dscores, cache)
            sgd_step(params, grads, velocity, learning_rate, momentum)
            loss_history.append(loss.item())
        accuracy_history.append(accuracy(forward, params, x_val, y_val))
        assert len(accuracy_history) == epoch
    history = {}
    history["loss"] = loss_history
    history["accuracy"] = accuracy_history
    return history

"""Everything in single precision, on whatever comes in."""

# ruff: noqa: D103, F821 - written as students write, after the layers of the lesson
# mypy: ignore-errors

import numpy as np

F = np.float32


def conv_forward(x, w, b, stride=1, padding=0):
    x, w, b = x.astype(F), w.astype(F), b.astype(F)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    view = np.lib.stride_tricks.sliding_window_view(xp, w.shape[2:], (2, 3))
    view = view[:, :, ::stride, ::stride]
    out = np.tensordot(view, w, ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)
    return out + b[:, None, None], (xp.shape, view, w, stride, padding)


def conv_backward(dout, cache):
    shape, view, w, stride, p = cache
    dout = dout.astype(F)
    dw = np.tensordot(dout, view, ((0, 2, 3), (0, 2, 3)))
    dx = np.zeros(shape, F)
    height, width = dout.shape[2:]
    for i, j in np.ndindex(*w.shape[2:]):
        part = np.tensordot(dout, w[:, :, i, j], (1, 0)).transpose(0, 3, 1, 2)
        dx[:, :, i : i + stride * height : stride, j : j + stride * width : stride][
            :, :, :height, :width
        ] += part
    return dx[:, :, p : shape[2] - p, p : shape[3] - p], dw, dout.sum((0, 2, 3))


def affine_forward(x, w, b):
    x, w, b = x.astype(F), w.astype(F), b.astype(F)
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    dout = dout.astype(F)
    return dout @ w.T, x.T @ dout, dout.sum(0)


def init_lenet(rng, channels=(20, 50), hidden=500, classes=10, input_shape=(1, 28, 28)):
    c, h, w = input_shape
    params = {}
    for name, shape in (
        ("conv1", (channels[0], c, 5, 5)),
        ("conv2", (channels[1], channels[0], 5, 5)),
        ("fc1", (channels[1] * h * w // 16, hidden)),
        ("fc2", (hidden, classes)),
    ):
        convolution = name[0] == "c"
        n = shape[1] * 25 if convolution else shape[0]
        params[name + "_w"] = (rng.standard_normal(shape) / np.sqrt(n / 2)).astype(F)
        params[name + "_b"] = np.zeros(shape[0] if convolution else shape[1], F)
    return params


def lenet_forward(x, params):
    x, cache = x.astype(F), {}
    for i in "12":
        x, cache["conv" + i] = conv_forward(x, params[f"conv{i}_w"], params[f"conv{i}_b"], 1, 2)
        cache["mask" + i] = x > 0
        x = x * cache["mask" + i]
        x, cache["pool" + i] = max_pool_forward(x, 2, 2)
    cache["shape"] = x.shape
    x, cache["fc1"] = affine_forward(x.reshape(len(x), -1), params["fc1_w"], params["fc1_b"])
    cache["mask3"] = x > 0
    scores, cache["fc2"] = affine_forward(x * cache["mask3"], params["fc2_w"], params["fc2_b"])
    return scores, cache


def lenet_backward(dscores, cache):
    grads = {}

    def back(layer, function, d):
        d, grads[layer + "_w"], grads[layer + "_b"] = function(d, cache[layer])
        return d

    d = back("fc2", affine_backward, dscores.astype(F)) * cache["mask3"]
    d = back("fc1", affine_backward, d).reshape(cache["shape"])
    for i in "21":
        d = max_pool_backward(d, cache["pool" + i]) * cache["mask" + i]
        d = back("conv" + i, conv_backward, d)
    return grads


def sgd_step(params, grads, velocity, learning_rate, momentum=0.9):
    for name, g in grads.items():
        velocity[name] = F(momentum) * velocity[name].astype(F) + g.astype(F)
        params[name] = params[name].astype(F) - F(learning_rate) * velocity[name]


def accuracy(forward, params, x, y, batch_size=100):
    right = [
        np.argmax(forward(x[i : i + batch_size].astype(F), params)[0], 1) == y[i : i + batch_size]
        for i in range(0, len(x), batch_size)
    ]
    return np.hstack(right).astype(F).mean()


def train(network, params, data, schedule, learning_rate, momentum=0.9):
    forward, backward = network
    x, y, x_val, y_val = data
    velocity = {name: np.zeros_like(p, dtype=F) for name, p in params.items()}
    history = {"loss": [], "accuracy": []}
    for epoch in schedule:
        for batch in epoch:
            scores, cache = forward(x[batch].astype(F), params)
            loss, kept = softmax_loss_forward(scores.astype(F), y[batch])
            history["loss"] += [F(loss)]
            grads = backward(softmax_loss_backward(1.0, kept).astype(F), cache)
            sgd_step(params, grads, velocity, learning_rate, momentum)
        history["accuracy"] += [accuracy(forward, params, x_val, y_val)]
    return history

"""The network without layers: einsum, masks and closures; accuracy in one go."""

# ruff: noqa: D103 - written as students write, after the layers of the lesson
# mypy: ignore-errors

import numpy as np


def output_shape(layer, shape):
    if layer[0] in ("conv", "pool"):
        k, p, s = layer[2:] if layer[0] == "conv" else (layer[1], 0, layer[2])
        sizes = (np.array(shape[1:]) + 2 * p - k) // s + 1
        return (layer[1] if layer[0] == "conv" else shape[0], *map(int, sizes))
    if layer[0] == "linear":
        return layer[1:]
    return (int(np.multiply.reduce(shape)),) if layer[0] == "flatten" else tuple(shape)


def weight_shape(layer, shape):
    return {"c": (*layer[1:2], shape[0], *2 * layer[2:3]), "l": (shape[0], *layer[1:])}.get(
        layer[0][0], ()
    )


def cost(layer, shape):
    if layer[0] not in ("conv", "linear"):
        return [0, 0]
    weights = np.zeros(weight_shape(layer, shape)).size
    out = output_shape(layer, shape)
    positions = 1 if layer[0] == "linear" else out[1] * out[2]
    return [weights + out[0], weights * positions]


def init_lenet(rng, channels=(20, 50), hidden=500, classes=10, input_shape=(1, 28, 28)):
    def filters(out, c):
        return rng.standard_normal((out, c, 5, 5)) * (2 / c) ** 0.5 / 5, np.zeros(out)

    def matrix(n, out):
        return rng.standard_normal((n, out)) * (2 / n) ** 0.5, np.zeros(out)

    quarter = [size // 4 for size in input_shape[1:]]
    parts = {
        "conv1": filters(channels[0], input_shape[0]),
        "conv2": filters(channels[1], channels[0]),
        "fc1": matrix(channels[1] * quarter[0] * quarter[1], hidden),
        "fc2": matrix(hidden, classes),
    }
    return {
        f"{name}_{k}": a for name, both in parts.items() for k, a in zip("wb", both, strict=False)
    }


def windows_of(x):
    padded = np.pad(x, [(0, 0), (0, 0), (2, 2), (2, 2)])
    return np.lib.stride_tricks.sliding_window_view(padded, (5, 5), (2, 3))


def block(x, w, b):
    view = windows_of(x)
    h = np.einsum("nchwij,fcij->nfhw", view, w, optimize=True) + b.reshape(1, -1, 1, 1)
    n, c, height, width = h.shape
    quads = np.maximum(h, 0).reshape(n, c, height // 2, 2, width // 2, 2)
    out = quads.max(axis=(3, 5))

    def back(d):
        largest = (quads == out[:, :, :, None, :, None]) & (quads > 0)
        d = (largest * d[:, :, :, None, :, None]).reshape(h.shape)
        dw = np.einsum("nchwij,nfhw->fcij", view, d, optimize=True)
        flipped = w[:, :, ::-1, ::-1]
        dx = np.einsum("nfhwij,fcij->nchw", windows_of(d), flipped, optimize=True)
        return dx, dw, np.einsum("nfhw->f", d)

    return out, back


def lenet_forward(x, params):
    w1, b1, w2, b2, w3, b3, w4, b4 = (
        params[f"{name}_{k}"] for name in ("conv1", "conv2", "fc1", "fc2") for k in "wb"
    )
    first, back1 = block(x, w1, b1)
    second, back2 = block(first, w2, b2)
    flat = second.reshape(len(x), -1)
    before = flat @ w3 + b3
    h = np.maximum(before, 0)

    def back(d):
        dh = (d @ w4.T) * (before > 0)
        d2, dw2, db2 = back2((dh @ w3.T).reshape(second.shape))
        _, dw1, db1 = back1(d2)
        return {
            "conv1_w": dw1,
            "conv1_b": db1,
            "conv2_w": dw2,
            "conv2_b": db2,
            "fc1_w": flat.T @ dh,
            "fc1_b": dh.sum(0),
            "fc2_w": h.T @ d,
            "fc2_b": d.sum(0),
        }

    return h @ w4 + b4, back


def lenet_backward(dscores, cache):
    return cache(dscores)


def minibatches(count, batch_size, rng):
    order = np.argsort(rng.random(count))
    return [order[k * batch_size :][:batch_size] for k in range(int(np.ceil(count / batch_size)))]


def sgd_step(params, grads, velocity, learning_rate, momentum=0.9):
    for name in sorted(params):
        np.multiply(velocity[name], momentum, out=velocity[name])
        np.add(velocity[name], grads[name], out=velocity[name])
        params[name] += velocity[name] * -learning_rate


def accuracy(forward, params, x, y, batch_size=100):
    return np.average(forward(x, params)[0].argmax(1) == y)


def train(network, params, data, schedule, learning_rate, momentum=0.9):
    (forward, backward), (x, y, *others) = network, data
    velocity = {name: np.zeros_like(p) for name, p in params.items()}
    history = {"loss": [], "accuracy": []}
    for k in range(len(schedule)):
        for indices in schedule[k]:
            scores, cache = forward(x[indices], params)
            e = np.exp(scores - scores.max(1, keepdims=True))
            p = e / e.sum(1, keepdims=True)
            rows = np.arange(len(indices))
            history["loss"].append(-np.log(p[rows, y[indices]]).sum() / len(rows))
            p[rows, y[indices]] -= 1
            sgd_step(params, backward(p / len(rows), cache), velocity, learning_rate, momentum)
        history["accuracy"].append(accuracy(forward, params, *others))
    return history

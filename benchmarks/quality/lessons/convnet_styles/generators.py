"""Generators, comprehensions, and batches as plain lists."""

# ruff: noqa: D103, F821 - written as students write, after the layers of the lesson
# mypy: ignore-errors

from functools import reduce
from math import prod, sqrt

import numpy as np


def output_shape(layer, shape):
    options = dict(
        zip(
            {"conv": "cKPS", "pool": "KS", "linear": "d"}.get(layer[0], ""), layer[1:], strict=False
        )
    )
    if "K" in options:
        k, p, s = options["K"], options.get("P", 0), options["S"]
        return tuple([options.get("c", shape[0])] + [1 + (n - k + 2 * p) // s for n in shape[1:]])
    return (options["d"],) if options else (prod(shape),) if layer == ("flatten",) else shape


def weight_shape(layer, shape):
    return tuple(
        [layer[1], shape[0], layer[2], layer[2]]
        if layer[0] == "conv"
        else [*shape, layer[1]]
        if layer[0] == "linear"
        else []
    )


def cost(layer, shape):
    weights, out = weight_shape(layer, shape), output_shape(layer, shape)
    count = reduce(lambda a, b: a * b, weights, bool(weights))
    return count + bool(weights) * out[0], count * prod(out[1:])


def init_lenet(rng, channels=(20, 50), hidden=500, classes=10, input_shape=(1, 28, 28)):
    c, h, w = input_shape
    a, b = channels
    shapes = {
        "conv1": ((a, c, 5, 5), 25 * c, a),
        "conv2": ((b, a, 5, 5), 25 * a, b),
        "fc1": ((h * w * b // 16, hidden), h * w * b / 16, hidden),
        "fc2": ((hidden, classes), hidden, classes),
    }
    weights = {f"{n}_w": sqrt(2 / m) * rng.standard_normal(s) for n, (s, m, _) in shapes.items()}
    return weights | {f"{n}_b": np.zeros(out) for n, (_, _, out) in shapes.items()}


def lenet_forward(x, params):
    cache = {}

    def block(x, n):
        out, conv = conv_forward(x, *(params[f"conv{n}_{k}"] for k in "wb"), padding=2)
        out, pool = max_pool_forward(out, 2, 2)  # largest first: ReLU keeps the order
        out, relu = relu_forward(out)
        cache[n] = conv, pool, relu
        return out

    maps = block(block(x, 1), 2)
    h, fc1 = affine_forward(np.stack([m.ravel() for m in maps]), params["fc1_w"], params["fc1_b"])
    h, relu = relu_forward(h)
    scores, fc2 = affine_forward(h, params["fc2_w"], params["fc2_b"])
    return scores, (cache, maps.shape, fc1, relu, fc2)


def lenet_backward(dscores, cache):
    blocks, shape, fc1, relu, fc2 = cache
    d, w4, b4 = affine_backward(dscores, fc2)
    d, w3, b3 = affine_backward(relu_backward(d, relu), fc1)
    d = d.reshape(shape)
    grads = {"fc1_w": w3, "fc2_w": w4, "fc1_b": b3, "fc2_b": b4}
    for n in sorted(blocks, reverse=True):
        conv, pool, relu = blocks[n]
        d, *both = conv_backward(max_pool_backward(relu_backward(d, relu), pool), conv)
        grads |= {f"conv{n}_{k}": g for k, g in zip("wb", both, strict=True)}
    return grads


def minibatches(count, batch_size, rng):
    order = rng.permutation(count).tolist()
    while order:
        yield order[:batch_size]
        order = order[batch_size:]


def sgd_step(params, grads, velocity, learning_rate, momentum=0.9):
    velocity.update({k: momentum * v + grads[k] for k, v in velocity.items()})
    params.update({k: p - learning_rate * velocity[k] for k, p in params.items()})
    return params


def accuracy(forward, params, x, y, batch_size=100):
    parts = ((x[i : i + batch_size], y[i : i + batch_size]) for i in range(0, len(y), batch_size))
    return sum((forward(a, params)[0].argmax(axis=1) == b).sum() for a, b in parts) / len(y)


def train(network, params, data, schedule, learning_rate, momentum=0.9):
    x, y, *validation = data
    velocity = {k: np.zeros(p.shape) for k, p in params.items()}

    def losses():
        for epoch in tqdm(schedule):
            for batch in epoch:
                scores, cache = network[0](x[batch], params)
                loss, kept = softmax_loss_forward(scores, y[batch])
                d = softmax_loss_backward(np.float64(1), kept)
                sgd_step(params, network[1](d, cache), velocity, learning_rate, momentum)
                yield loss
            shares.append(accuracy(network[0], params, *validation))

    shares = []
    return {"loss": np.array(list(losses())), "accuracy": np.array(shares)}

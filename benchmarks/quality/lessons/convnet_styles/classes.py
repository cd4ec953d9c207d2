"""Objects: a layer knows its way back, a network its layers, a trainer its velocity."""

# ruff: noqa: D101, D102, D103, F821 - written as students write, after the layers of the lesson
# mypy: ignore-errors

import numpy as np


class Layer:
    def __init__(self, forward, backward, names=(), **options):
        self.f, self.b, self.names, self.options = forward, backward, names, options

    def __call__(self, x, params):
        given = [params[name] for name in self.names]
        return self.f(x, *given, **self.options)


def flatten(x):
    return x.reshape(x.shape[0], -1), x.shape


def layers():
    yield Layer(conv_forward, conv_backward, ("conv1_w", "conv1_b"), stride=1, padding=2)
    yield Layer(relu_forward, relu_backward)
    yield Layer(max_pool_forward, max_pool_backward, kernel_size=2, stride=2)
    yield Layer(conv_forward, conv_backward, ("conv2_w", "conv2_b"), stride=1, padding=2)
    yield Layer(relu_forward, relu_backward)
    yield Layer(max_pool_forward, max_pool_backward, kernel_size=2, stride=2)
    yield Layer(flatten, lambda d, shape: d.reshape(shape))
    yield Layer(affine_forward, affine_backward, ("fc1_w", "fc1_b"))
    yield Layer(relu_forward, relu_backward)
    yield Layer(affine_forward, affine_backward, ("fc2_w", "fc2_b"))


class Network:
    def __init__(self):
        self.layers = list(layers())

    def forward(self, x, params):
        self.caches = []
        for layer in self.layers:
            x, cache = layer(x, params)
            self.caches.append(cache)
        return x

    def backward(self, d):
        grads = {}
        for layer, cache in zip(self.layers[::-1], self.caches[::-1], strict=True):
            d = layer.b(d, cache)
            if layer.names:
                grads.update(zip(layer.names, d[1:], strict=True))
                d = d[0]
        return grads


def lenet_forward(x, params):
    net = Network()
    return net.forward(x, params), net


def lenet_backward(dscores, cache):
    return cache.backward(dscores)


class He:
    def __init__(self, rng):
        self.rng = rng

    def __call__(self, *shape):
        n = np.prod(shape[1:]) if len(shape) > 2 else shape[0]
        return self.rng.standard_normal(shape, dtype=np.float32) * np.float32((2 / n) ** 0.5)


def init_lenet(rng, channels=(20, 50), hidden=500, classes=10, input_shape=(1, 28, 28)):
    he, zeros = He(rng), np.zeros
    features = channels[1] * input_shape[1] // 4 * input_shape[2] // 4
    return {
        "fc2_w": he(hidden, classes),
        "fc2_b": zeros(classes),
        "fc1_w": he(features, hidden),
        "fc1_b": zeros(hidden),
        "conv2_w": he(channels[1], channels[0], 5, 5),
        "conv2_b": zeros(channels[1]),
        "conv1_w": he(channels[0], input_shape[0], 5, 5),
        "conv1_b": zeros(channels[0]),
    }


class Batches:
    def __init__(self, count, size, rng):
        self.order, self.size = rng.permutation(count), size

    def __len__(self):
        return -(-len(self.order) // self.size)

    def __getitem__(self, i):
        if i >= len(self):
            raise IndexError
        return self.order[i * self.size : (i + 1) * self.size]


def minibatches(count, batch_size, rng):
    return Batches(count, batch_size, rng)


class Optimizer:
    def __init__(self, params, velocity, learning_rate, momentum):
        self.params, self.velocity = params, velocity
        self.learning_rate, self.momentum = learning_rate, momentum

    def step(self, grads):
        for name, g in grads.items():
            v = self.velocity.get(name, np.zeros_like(g))
            self.velocity[name] = self.momentum * v + g
            self.params[name] += -self.learning_rate * self.velocity[name]


def sgd_step(params, grads, velocity, learning_rate, momentum=0.9):
    Optimizer(params, velocity, learning_rate, momentum).step(grads)


def accuracy(forward, params, x, y, batch_size=100):
    wrong = 0
    for n in range(-(-len(x) // batch_size)):
        part = slice(n * batch_size, (n + 1) * batch_size)
        wrong += np.count_nonzero(forward(x[part], params)[0].argmax(-1) - y[part])
    return 1 - wrong / len(x)


def train(network, params, data, schedule, learning_rate, momentum=0.9):
    forward, backward = network
    optimizer = Optimizer(params, {}, learning_rate, momentum)
    history = {"loss": [], "accuracy": [], "steps": 0}
    for batches in schedule:
        for batch in batches:
            scores, cache = forward(np.take(data[0], batch, axis=0), params)
            loss, kept = softmax_loss_forward(scores, np.take(data[1], batch))
            optimizer.step(backward(softmax_loss_backward(1.0, kept), cache))
            history["loss"].append(loss)
            history["steps"] += 1
        history["accuracy"].append(accuracy(forward, params, data[2], data[3]))
    return history

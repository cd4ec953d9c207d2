# Layers are objects; what forward returns as a cache is the layer itself.

# %% solution="gates"
class Gate:
    def __init__(self, forward, *locals_):
        self.forward, self.locals = forward, locals_

    def __call__(self, x, y):
        return self.forward(x, y), (self, x, y)

    def backward(self, dout, x, y):
        return tuple(dout * local(x, y) for local in self.locals)


def back(dout, cache):
    gate, *inputs = cache
    return gate.backward(dout, *inputs)


add_forward = Gate(lambda x, y: x + y, lambda x, y: 1, lambda x, y: 1)
multiply_forward = Gate(lambda x, y: x * y, lambda x, y: y, lambda x, y: x)
add_backward = multiply_backward = back


# %% solution="max-gate"
max_forward = Gate(max, lambda x, y: x > y, lambda x, y: y >= x)
max_backward = back


# %% solution="relu"
class ReLU:
    def forward(self, x):
        self.open = x > 0
        return self.open * x

    def backward(self, dout):
        return self.open * dout


def relu_forward(x):
    layer = ReLU()
    return layer.forward(x), layer


def relu_backward(dout, cache):
    return cache.backward(dout)


# %% solution="affine"
class Affine:
    def __init__(self, w, b):
        self.w, self.b = w, b

    def __call__(self, x):
        self.shape, self.rows = x.shape, x.reshape(x.shape[0], -1)
        return self.rows @ self.w + self.b

    def backward(self, dout):
        dx = dout @ self.w.T
        return dx.reshape(self.shape), self.rows.T @ dout, dout.sum(axis=0)


def affine_forward(x, w, b):
    layer = Affine(w, b)
    return layer(x), layer


def affine_backward(dout, cache):
    return cache.backward(dout)


# %% solution="softmax-loss"
class SoftmaxLoss:
    def __init__(self, y):
        self.rows, self.y = range(len(y)), y

    def __call__(self, scores):
        shifted = scores - scores.max(axis=1, keepdims=True)
        self.log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -self.log_p[self.rows, self.y].mean()

    def backward(self, dout):
        d = np.exp(self.log_p)
        d[self.rows, self.y] -= 1
        return d * dout / len(self.rows)


def softmax_loss_forward(scores, y):
    layer = SoftmaxLoss(y)
    return layer(scores), layer


def softmax_loss_backward(dout, cache):
    return cache.backward(dout)

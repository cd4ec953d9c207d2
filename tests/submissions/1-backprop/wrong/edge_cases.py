# One slip in each of these parts.
# The loss takes the logarithm of probabilities that have become 0.
# The way back through ReLU writes its zeros into dout itself.

# %% solution="softmax-loss"
def softmax_loss_forward(scores, y):
    p = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    p /= np.sum(p, axis=1, keepdims=True)
    return -np.sum(np.log(p[np.arange(len(y)), y])) / len(y), (p, y)


def softmax_loss_backward(dout, cache):
    p, y = cache
    dscores = p.copy()
    dscores[np.arange(len(y)), y] -= 1
    return dout * dscores / len(y)


# %% solution="relu"
def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    dout[cache <= 0] = 0
    return dout

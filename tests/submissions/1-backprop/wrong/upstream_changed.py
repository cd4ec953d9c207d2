# The way back through ReLU writes its zeros into dout itself.

# %% solution="relu"
def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    dout[cache <= 0] = 0
    return dout

# ReLU's mask on the way back looks at the gradient instead of the input.

# %% solution="relu"
def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    dx = dout.copy()
    dx[dx < 0] = 0
    return dx

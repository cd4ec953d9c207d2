# One slip in each of these parts.
# The images that do not fill a batch are never seen.
# Averages the batches' accuracies, though the last batch is smaller.
# On the way back the ReLU after fc1 is left out.

# %% solution="minibatches"
def minibatches(count, batch_size, rng):
    """A list of arrays of whole numbers that together hold every number once."""
    order = rng.permutation(count)
    starts = range(0, count - batch_size + 1, batch_size)
    return [order[start : start + batch_size] for start in starts]


# %% solution="accuracy"
def accuracy(forward, params, x, y, batch_size=100):
    """forward: such as lenet_forward, x: (N, ...), y: (N,). Returns a number from 0 to 1."""
    shares = []
    for start in range(0, len(x), batch_size):
        scores, _ = forward(x[start : start + batch_size], params)
        shares.append(np.mean(scores.argmax(axis=1) == y[start : start + batch_size]))
    return np.mean(shares)


# %% solution="lenet-backward"
def lenet_backward(dscores, cache):
    """dscores: (N, classes). Returns the gradient of every parameter, by its name."""
    grads = {}
    d, grads["fc2_w"], grads["fc2_b"] = affine_backward(dscores, cache["fc2"])
    d, grads["fc1_w"], grads["fc1_b"] = affine_backward(d, cache["fc1"])
    d = d.reshape(cache["flatten"])
    for i in (2, 1):
        d = max_pool_backward(d, cache[f"pool{i}"])
        d = relu_backward(d, cache[f"relu{i}"])
        d, grads[f"conv{i}_w"], grads[f"conv{i}_b"] = conv_backward(d, cache[f"conv{i}"])
    return grads

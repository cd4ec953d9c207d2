# On the way back the ReLU after fc1 is left out.

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

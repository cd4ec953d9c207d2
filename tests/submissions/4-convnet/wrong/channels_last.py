# Flattens pixel by pixel, with the channels running fastest, and back again.

# %% solution="lenet-forward"
def lenet_forward(x, params):
    """x: (N, C, H, W), params: as from init_lenet. Returns scores: (N, classes) and a cache."""
    caches = {}
    for i in (1, 2):
        w, b = params[f"conv{i}_w"], params[f"conv{i}_b"]
        x, caches[f"conv{i}"] = conv_forward(x, w, b, stride=1, padding=2)
        x, caches[f"relu{i}"] = relu_forward(x)
        x, caches[f"pool{i}"] = max_pool_forward(x, 2, 2)
    x = x.transpose(0, 2, 3, 1)
    caches["flatten"] = x.shape
    x = x.reshape(len(x), -1)
    x, caches["fc1"] = affine_forward(x, params["fc1_w"], params["fc1_b"])
    x, caches["relu3"] = relu_forward(x)
    scores, caches["fc2"] = affine_forward(x, params["fc2_w"], params["fc2_b"])
    return scores, caches


# %% solution="lenet-backward"
def lenet_backward(dscores, cache):
    """dscores: (N, classes). Returns the gradient of every parameter, by its name."""
    grads = {}
    d, grads["fc2_w"], grads["fc2_b"] = affine_backward(dscores, cache["fc2"])
    d = relu_backward(d, cache["relu3"])
    d, grads["fc1_w"], grads["fc1_b"] = affine_backward(d, cache["fc1"])
    d = d.reshape(cache["flatten"]).transpose(0, 3, 1, 2)
    for i in (2, 1):
        d = max_pool_backward(d, cache[f"pool{i}"])
        d = relu_backward(d, cache[f"relu{i}"])
        d, grads[f"conv{i}_w"], grads[f"conv{i}_b"] = conv_backward(d, cache[f"conv{i}"])
    return grads

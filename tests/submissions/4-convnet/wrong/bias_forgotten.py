# The bias of fc1 is never added.

# %% solution="lenet-forward"
def lenet_forward(x, params):
    """x: (N, C, H, W), params: as from init_lenet. Returns scores: (N, classes) and a cache."""
    caches = {}
    for i in (1, 2):
        w, b = params[f"conv{i}_w"], params[f"conv{i}_b"]
        x, caches[f"conv{i}"] = conv_forward(x, w, b, stride=1, padding=2)
        x, caches[f"relu{i}"] = relu_forward(x)
        x, caches[f"pool{i}"] = max_pool_forward(x, 2, 2)
    caches["flatten"] = x.shape
    x = x.reshape(len(x), -1)
    x, caches["fc1"] = affine_forward(x, params["fc1_w"], 0 * params["fc1_b"])
    x, caches["relu3"] = relu_forward(x)
    scores, caches["fc2"] = affine_forward(x, params["fc2_w"], params["fc2_b"])
    return scores, caches

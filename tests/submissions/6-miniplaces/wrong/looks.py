# One slip in each of the parts that look: all classes at once, the gradient of all scores, the mirror image upside down.

# %% solution="cam"
def class_maps(maps, weight, labels):
    return torch.einsum("nchw,nc->nhw", maps, weight[labels]) / maps[0, 0].numel()


# %% solution="grad-cam"
def maps_and_gradients(net, x, labels):
    maps = net.eval().features(x)
    scores = net.fc(maps.mean(dim=(2, 3)))
    (gradients,) = torch.autograd.grad(scores.sum(), maps)
    return maps.detach(), gradients


def grad_cam(maps, gradients):
    return (gradients.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1).relu()


# %% solution="tta"
def predict_twice(net, images):
    return (predict(net, images) + predict(net, images.flip(1))) / 2

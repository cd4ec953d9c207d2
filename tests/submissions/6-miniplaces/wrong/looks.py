# Weight decay for all; and a slip in each part that looks: all classes at once, all scores, the mirror image upside down.

# %% solution="optimizer"
def make_optimizer(net, head_rate, backbone_rate, weight_decay=5e-4, momentum=0.9):
    head = [p for p in net.fc.parameters() if p.requires_grad]
    backbone = [
        p for name, p in net.named_parameters() if name[:3] != "fc." and p.requires_grad
    ]
    groups = [{"params": head, "lr": head_rate}, {"params": backbone, "lr": backbone_rate}]
    groups = [group for group in groups if group["params"]]
    return torch.optim.SGD(groups, momentum=momentum, weight_decay=weight_decay)


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

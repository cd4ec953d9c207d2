# One slip in each part that prepares or keeps a run: the old head stays, weight decay for all, velocity lost.

# %% solution="pretrained-net"
def pretrained_net(state, num_classes):
    net = SmallResNet(num_classes)
    own = net.state_dict()
    fits = {name: value for name, value in state.items() if value.shape == own[name].shape}
    net.load_state_dict({**own, **fits})
    return net


# %% solution="optimizer"
def make_optimizer(net, head_rate, backbone_rate, weight_decay=5e-4, momentum=0.9):
    head = [p for p in net.fc.parameters() if p.requires_grad]
    backbone = [
        p for name, p in net.named_parameters() if name[:3] != "fc." and p.requires_grad
    ]
    groups = [{"params": head, "lr": head_rate}, {"params": backbone, "lr": backbone_rate}]
    groups = [group for group in groups if group["params"]]
    return torch.optim.SGD(groups, momentum=momentum, weight_decay=weight_decay)


# %% solution="checkpoint"
def save(path, net, optimizer, schedule, epoch):
    torch.save({"net": net.state_dict(), "epoch": epoch}, path)


def resume(path, net, optimizer, schedule):
    if not Path(path).exists():
        return 0
    state = torch.load(path, weights_only=True)
    net.load_state_dict(state["net"])
    return state["epoch"]

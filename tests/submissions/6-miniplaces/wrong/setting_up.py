# One slip in each of two parts: the old head stays, and the velocity is lost with the connection.

# %% solution="pretrained-net"
def pretrained_net(state, num_classes):
    net = SmallResNet(num_classes)
    own = net.state_dict()
    fits = {name: value for name, value in state.items() if value.shape == own[name].shape}
    net.load_state_dict({**own, **fits})
    return net


# %% solution="checkpoint"
def save(path, net, optimizer, schedule, epoch):
    torch.save({"net": net.state_dict(), "epoch": epoch}, path)


def resume(path, net, optimizer, schedule):
    if not Path(path).exists():
        return 0
    state = torch.load(path, weights_only=True)
    net.load_state_dict(state["net"])
    return state["epoch"]

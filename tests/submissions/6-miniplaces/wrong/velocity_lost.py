# Only the weights are kept: after a disconnect the velocity starts at 0, and the rate anew.

# %% solution="checkpoint"
def save(path, net, optimizer, schedule, epoch):
    torch.save({"net": net.state_dict(), "epoch": epoch}, path)


def resume(path, net, optimizer, schedule):
    if not Path(path).exists():
        return 0
    state = torch.load(path, weights_only=True)
    net.load_state_dict(state["net"])
    return state["epoch"]

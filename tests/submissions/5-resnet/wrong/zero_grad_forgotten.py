# The gradients are never cleared.

# %% solution="train"
def train(net, batches, learning_rate, momentum=0.9):
    """One step for each (x, y) of batches. Returns the losses, each from before its step."""
    optimizer = torch.optim.SGD(net.parameters(), lr=learning_rate, momentum=momentum)
    losses = []
    net.train()
    for x, y in batches:
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def accuracy(net, x, y):
    """The share of images whose largest score is that of the right class, from 0 to 1."""
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(dim=1) == y).float().mean().item()

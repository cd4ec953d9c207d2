# Nobody says eval: each batch is normalized with its own statistics, and the net's change.

# %% solution="predict"
def predict(net, images, batch_size=120):
    net.train()
    with torch.no_grad():
        scores = [net(normalize(batch, MEAN, STD)) for batch in images.split(batch_size)]
    return torch.cat(scores).softmax(dim=1)


def top_k(probabilities, labels, k):
    best = probabilities.topk(k, dim=1).indices
    return (best == labels[:, None]).any(dim=1).float().mean().item()

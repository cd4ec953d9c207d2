# The first sections are done, the rest is not.

# %% solution="normalize"
def normalize(images, mean, std):
    return (images.permute(0, 3, 1, 2) / 255 - mean[:, None, None]) / std[:, None, None]


# %% solution="crop-mirror"
def crop(x, top, left, height, width):
    return torch.stack([i[:, t : t + height, l : l + width] for i, t, l in zip(x, top, left)])


def mirror(x, chosen):
    return torch.where(chosen.view(-1, 1, 1, 1), x.flip(-1), x)


# %% solution="smoothed-loss"
def smoothed_cross_entropy(scores, labels, smoothing=0.1):
    log_p = scores - scores.logsumexp(dim=1, keepdim=True)
    hard = F.nll_loss(log_p, labels)
    return (1 - smoothing) * hard - smoothing * log_p.mean()

# The images are shuffled, the labels are not.

# %% solution="fit"
def fit(images, labels, num_classes, regime, epochs, seed=0, watch=None):
    torch.manual_seed(seed)
    settings = REGIMES[regime]
    net = pretrained_net(WEIGHTS if settings["pretrained"] else {}, num_classes)
    freeze(net, settings["frozen"])
    optimizer = make_optimizer(net, *settings["rates"])
    steps = epochs * (len(images) // 20)
    schedule = make_schedule(optimizer, steps, steps // 5)
    for _ in range(epochs):
        x = normalize(images[torch.randperm(len(images))], MEAN, STD)
        pairs = zip(x.split(20), labels.split(20))
        batches = ((augment(part), right) for part, right in pairs if len(part) == 20)
        losses = train_epoch(net, optimizer, schedule, batches)
        if watch:
            watch(net, losses)
    return net

# Right, in another style: loops over images, NumPy, a cosine by cases, groups by a dictionary.

# %% solution="normalize"
def normalize(images, mean, std):
    x = torch.stack([images[..., c] for c in range(3)], dim=1).to(torch.float32)
    return (x / 255.0 - mean.reshape(1, 3, 1, 1)) / std.reshape(1, 3, 1, 1)


# %% solution="crop-mirror"
def crop(x, top, left, height, width):
    windows = []
    for image, t, l in zip(x, top, left):
        windows.append(image[:, t : t + height, l : l + width])
    return torch.stack(windows)


def mirror(x, chosen):
    out = x.clone()
    out[chosen] = torch.flip(x[chosen], dims=[-1])
    return out


# %% solution="pretrained-net"
def pretrained_net(state, num_classes):
    net = SmallResNet(num_classes)
    own = net.state_dict()
    with torch.no_grad():
        for name in own:
            if name in state and name not in ("fc.weight", "fc.bias"):
                own[name].copy_(state[name])
    return net


# %% solution="freeze"
def freeze(net, children):
    for name, child in net.named_children():
        if name in children:
            for parameter in child.parameters():
                parameter.requires_grad = False


def train_mode(net):
    for module in net.modules():
        frozen = [p for p in module.parameters() if not p.requires_grad]
        is_norm = isinstance(module, nn.BatchNorm2d)
        module.training = not (is_norm and len(frozen) > 0)
    return net


# %% solution="smoothed-loss"
def smoothed_cross_entropy(scores, labels, smoothing=0.1):
    classes = scores.shape[1]
    target = torch.full_like(scores, smoothing / classes)
    target[torch.arange(len(labels)), labels] += 1 - smoothing
    largest = scores.max(dim=1, keepdim=True).values.detach()
    shifted = scores - largest
    log_p = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    return -(target * log_p).sum() / len(labels)


# %% solution="schedule"
def rate_factor(step, steps, warmup):
    rising = (step + 1) / warmup if warmup else 1.0
    falling = 0.5 + 0.5 * math.cos(math.pi * (step - warmup) / (steps - warmup))
    return rising if step < warmup else falling


def make_schedule(optimizer, steps, warmup):
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: rate_factor(step, steps, warmup)
    )


# %% solution="optimizer"
def make_optimizer(net, head_rate, backbone_rate, weight_decay=5e-4, momentum=0.9):
    head = {id(p) for p in net.fc.parameters()}
    groups = {}
    for p in net.parameters():
        if p.requires_grad:
            rate = head_rate if id(p) in head else backbone_rate
            decay = weight_decay if len(p.shape) > 1 else 0
            groups.setdefault((rate, decay), []).append(p)
    settings = [{"params": ps, "lr": lr, "weight_decay": wd} for (lr, wd), ps in groups.items()]
    return torch.optim.SGD(settings, lr=head_rate, momentum=momentum)


# %% solution="train-epoch"
def train_epoch(net, optimizer, schedule, batches, precision="float32"):
    train_mode(net)
    losses, mixed = [], precision != "float32"
    scaler = torch.amp.GradScaler(enabled=precision == "float16")
    for x, labels in batches:
        for group in optimizer.param_groups:
            for p in group["params"]:
                p.grad = None
        with torch.autocast(x.device.type, getattr(torch, precision), enabled=mixed):
            scores = net(x)
            loss = smoothed_cross_entropy(scores, labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses += [float(loss)]
        schedule.step()
    return losses


# %% solution="checkpoint"
def save(path, net, optimizer, schedule, epoch):
    state = [net.state_dict(), optimizer.state_dict(), schedule.state_dict(), epoch]
    torch.save(state, str(path) + ".new")
    Path(str(path) + ".new").rename(path)


def resume(path, net, optimizer, schedule):
    try:
        state = torch.load(path, weights_only=True)
    except FileNotFoundError:
        return 0
    net.load_state_dict(state[0])
    optimizer.load_state_dict(state[1])
    schedule.load_state_dict(state[2])
    return state[3]


# %% solution="predict"
def predict(net, images, batch_size=120):
    net.eval()
    rows = []
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            x = normalize(images[start : start + batch_size], MEAN, STD)
            rows.append(F.softmax(net(x), dim=1).clone())
    return torch.cat(rows)


def top_k(probabilities, labels, k):
    order = probabilities.argsort(dim=1, descending=True)[:, :k]
    right = sum(int(label) in row for label, row in zip(labels, order.tolist()))
    return right / len(labels)


# %% solution="confusion"
def confusion_matrix(labels, said, num_classes):
    counts = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for i, j in zip(labels.tolist(), said.tolist()):
        counts[i, j] += 1
    return counts


# %% solution="cam"
def class_maps(maps, weight, labels):
    return (maps * weight[labels][:, :, None, None]).sum(1)


# %% solution="grad-cam"
def maps_and_gradients(net, x, labels):
    net.eval()
    with torch.no_grad():
        maps = net.features(x)
    leaf = maps.clone().requires_grad_()
    scores = net.fc(leaf.flatten(2).mean(2))
    chosen = scores[torch.arange(len(x)), labels]
    return maps, torch.autograd.grad(chosen, leaf, torch.ones_like(chosen))[0]


def grad_cam(maps, gradients):
    alpha = gradients.flatten(2).mean(2)
    return torch.stack([(a[:, None, None] * m).sum(0) for a, m in zip(alpha, maps)])


# %% solution="pointing"
def pointing_game(cams, masks):
    hits = 0
    for cam, mask in zip(cams, masks):
        large = F.interpolate(cam[None, None], size=mask.shape, mode="bilinear")[0, 0]
        row, column = divmod(int(large.argmax()), mask.shape[1])
        hits += bool(mask[row, column])
    return hits / len(cams)


def mask_iou(cams, masks, share=0.5):
    found = []
    for cam, mask in zip(cams, masks):
        large = F.interpolate(cam[None, None], size=mask.shape, mode="bilinear")[0, 0]
        region = (large > share * large.max()) & (large > 0)
        found.append(float((region & mask).sum() / (region | mask).sum()))
    return sum(found) / len(found)


# %% solution="tta"
def predict_twice(net, images):
    both = torch.cat([images, torch.flip(images, dims=(2,))])
    once, mirrored = predict(net, both).chunk(2)
    return torch.stack([once, mirrored]).mean(0)


# %% solution="lines"
def prediction_lines(image_names, probabilities):
    lines = []
    for name, row in zip(image_names, probabilities):
        best = np.argsort(-row.numpy())[:5]
        lines.append(name + " " + " ".join(str(k) for k in best))
    return "\n".join(lines)

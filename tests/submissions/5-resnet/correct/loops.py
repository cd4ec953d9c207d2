# The last third written out in loops, single precision inside, the receptive field by trying pixels.

# %% solution="cost"
def cost(net, image_shape):
    total = 0
    was = [m.training for m in net.modules()]
    net.eval()

    def hook(layer, given, out):
        nonlocal total
        if isinstance(layer, nn.Conv2d):
            n, c, h, w = out.shape
            total += h * w * c * layer.in_channels // layer.groups * layer.kernel_size[0] ** 2
        elif isinstance(layer, nn.Linear):
            total += layer.in_features * layer.out_features

    handles = []
    for m in net.modules():
        handles.append(m.register_forward_hook(hook))
    p = list(net.parameters())
    net(torch.ones((1,) + tuple(image_shape)).to(p[0].device))
    while handles:
        handles.pop().remove()
    for m, mode in zip(net.modules(), was):
        m.training = mode
    count = 0
    for q in p:
        count += q.nelement()
    return [count, total]


# %% solution="same-conv"
def same_conv(c_in, c_out, kernel_size, dilation=1, groups=1):
    return nn.Conv2d(c_in, c_out, kernel_size, padding="same", dilation=dilation, groups=groups)


def receptive_field(net, c_in, size):
    x = torch.zeros(1, c_in, size, size)
    with torch.no_grad():
        base = net(x)
        i, j = base.shape[2] // 2, base.shape[3] // 2
        hit = []
        for column in range(size):
            y = x.clone()
            y[:, :, :, column] = torch.rand(c_in, size)
            if not torch.equal(net(y)[0, :, i, j], base[0, :, i, j]):
                hit.append(column)
    return hit[-1] - hit[0] + 1


# %% solution="own-layers"
def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    x = np.asarray(x, dtype=np.float32)
    xp = np.zeros((x.shape[0], x.shape[1], x.shape[2] + 2 * padding, x.shape[3] + 2 * padding))
    xp[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]] = x
    H = (xp.shape[2] - w.shape[2]) // stride + 1
    W = (xp.shape[3] - w.shape[3]) // stride + 1
    out = np.zeros((len(x), len(w), H, W))
    for i in range(H):
        for j in range(W):
            window = xp[:, :, i * stride : i * stride + w.shape[2], j * stride : j * stride + w.shape[3]]
            out[:, :, i, j] = np.einsum("nchw,fchw->nf", window, w) + b
    return out, (x, w)


def spatial_batch_norm_forward(
    x, gamma, beta, running_mean, running_var, training=True, momentum=0.01, eps=1e-5
):
    out = np.zeros_like(x, dtype=float)
    for c in range(x.shape[1]):
        x_hat = (x[:, c] - running_mean[c]) / np.sqrt(running_var[c] + eps)
        out[:, c] = gamma[c] * x_hat + beta[c]
    return out, None


def max_pool_forward(x, kernel_size, stride):
    H, W = ((s - kernel_size) // stride + 1 for s in x.shape[2:])
    out = np.zeros(x.shape[:2] + (H, W))
    for i in range(H):
        for j in range(W):
            a, b = i * stride, j * stride
            out[:, :, i, j] = x[:, :, a : a + kernel_size, b : b + kernel_size].max(axis=(2, 3))
    return out, x


# %% solution="torch-running-var"
def torch_running_var(running_var, x, momentum=0.1):
    m = x.shape[0] * x.shape[2] * x.shape[3]
    new = running_var + momentum * (x.var(axis=(0, 2, 3)) * m / (m - 1) - running_var)
    return new


# %% solution="numpy-resnet"
def numpy_resnet18(state, x):
    def bn(x, name):
        s = state
        return spatial_batch_norm_forward(
            x, s[name + ".weight"], s[name + ".bias"], s[name + ".running_mean"],
            s[name + ".running_var"], training=False,
        )[0]

    def conv(x, name, stride, padding):
        w = state[name + ".weight"]
        return conv_forward(x, w, 0, stride, padding)[0]

    def relu(x):
        return x * (x > 0)

    x = relu(bn(conv(x, "conv1", 2, 3), "bn1"))
    padded = np.full((x.shape[0], x.shape[1], x.shape[2] + 2, x.shape[3] + 2), -np.inf)
    padded[:, :, 1:-1, 1:-1] = x
    x = max_pool_forward(padded, 3, 2)[0]
    for layer in ["layer1", "layer2", "layer3", "layer4"]:
        for block in ["0", "1"]:
            name = layer + "." + block
            stride = 2 if block == "0" and layer != "layer1" else 1
            y = relu(bn(conv(x, name + ".conv1", stride, 1), name + ".bn1"))
            y = bn(conv(y, name + ".conv2", 1, 1), name + ".bn2")
            if stride == 2:
                x = bn(conv(x, name + ".downsample.0", 2, 0), name + ".downsample.1")
            x = relu(x + y)
    return x.mean(3).mean(2).dot(state["fc.weight"].T) + state["fc.bias"]

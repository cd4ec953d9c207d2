# Everything is a module: ReLU and pooling as layers, shortcuts as an empty Sequential, hooks in a dict.

# %% solution="gates"
class Multiply(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.a, ctx.b = a.detach(), b.detach()
        return torch.mul(a, b)

    @staticmethod
    def backward(ctx, upstream):
        return upstream.mul(ctx.b), upstream.mul(ctx.a)


class Rectify(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mask = x >= 0
        return torch.where(ctx.mask, x, torch.zeros_like(x))

    @staticmethod
    def backward(ctx, upstream):
        upstream = upstream.clone()
        upstream[~ctx.mask] = 0
        return upstream


# %% solution="linear"
class Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return F.linear(x, w, b)

    @staticmethod
    def backward(ctx, dz):
        x, w = ctx.saved_tensors
        dw = torch.einsum("no,ni->oi", dz, x)
        return torch.matmul(dz, w), dw, torch.ones(len(dz), dtype=dz.dtype) @ dz


# %% solution="basic-block"
class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, c_in, channels, stride=1, skip=True):
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(c_in, channels, kernel_size=3, stride=stride, padding=1, bias=False)
        self.downsample = nn.Sequential()
        if skip and not (stride == 1 and c_in == channels):
            self.downsample = nn.Sequential(
                nn.Conv2d(c_in, channels, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(channels),
            )
        self.skip = skip

    def forward(self, x):
        identity = self.downsample(x) if self.skip else 0
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu(out)


# %% solution="bottleneck"
class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, c_in, channels, stride=1):
        super().__init__()
        sizes = [c_in, channels, channels, 4 * channels]
        for i, kernel in enumerate((1, 3, 1)):
            conv = nn.Conv2d(
                sizes[i], sizes[i + 1], kernel, stride if i == 1 else 1, kernel // 2, bias=False
            )
            self.add_module(f"conv{i + 1}", conv)
            self.add_module(f"bn{i + 1}", nn.BatchNorm2d(sizes[i + 1]))
        self.downsample = nn.Identity()
        if stride > 1 or c_in != 4 * channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(c_in, 4 * channels, 1, stride, bias=False), nn.BatchNorm2d(4 * channels)
            )

    def forward(self, x):
        out = self.bn1(self.conv1(x)).relu()
        out = self.bn2(self.conv2(out)).relu()
        return (self.bn3(self.conv3(out)) + self.downsample(x)).relu()


# %% solution="resnet"
LAYERS = {18: "2222", 34: "3463", 50: "3463", 101: [3, 4, 23, 3], 152: [3, 8, 36, 3]}


class ResNet(nn.Module):
    def __init__(self, depth, num_classes=1000, width=64):
        super().__init__()
        self.kind = BasicBlock if depth < 50 else Bottleneck
        self.planes = width
        self.conv1 = nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        counts = [int(count) for count in LAYERS[depth]]
        self.layer1 = self.make(width, counts[0], 1)
        self.layer2 = self.make(2 * width, counts[1], 2)
        self.layer3 = self.make(4 * width, counts[2], 2)
        self.layer4 = self.make(8 * width, counts[3], 2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(self.planes, num_classes)

    def make(self, channels, count, stride):
        layers = [self.kind(self.planes, channels, stride)]
        self.planes = channels * self.kind.expansion
        for _ in range(count - 1):
            layers.append(self.kind(self.planes, channels))
        return nn.Sequential(*layers)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


# %% solution="train"
def train(net, batches, learning_rate, momentum=0.9):
    net.train()
    loss_function = nn.CrossEntropyLoss()
    velocity = {name: torch.zeros_like(p) for name, p in net.named_parameters()}
    history = []
    for x, y in batches:
        loss = loss_function(net(x), y)
        net.zero_grad()
        loss.backward()
        with torch.no_grad():
            for name, p in net.named_parameters():
                velocity[name] = momentum * velocity[name] + p.grad
                p -= learning_rate * velocity[name]
        history.append(loss.detach())
    return history


@torch.no_grad()
def accuracy(net, x, y):
    was = net.training
    net.eval()
    right = sum(int((net(a[None]).argmax() == b)) for a, b in zip(x, y))
    net.train(was)
    return right / len(y)


# %% solution="gradient-norms"
def gradient_norms(net, x, y):
    weights = [m.weight for m in net.modules() if isinstance(m, nn.Conv2d)]
    order = {id(p): place for place, p in enumerate(net.parameters())}
    weights.sort(key=lambda w: order[id(w)])
    loss = nn.functional.cross_entropy(net(x), y)
    return [g.flatten().square().sum().sqrt() for g in torch.autograd.grad(loss, weights)]


# %% solution="filter-normalized"
def filter_normalized(direction, weight):
    if direction.dim() == 1:
        return direction * 0
    return torch.stack([d / d.norm() * w.norm() for d, w in zip(direction, weight)])

# As far as the bottleneck; nothing behind it.

# %% solution="gates"
class Multiply(torch.autograd.Function):
    """z = x · y, number by number."""

    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, dz):
        x, y = ctx.saved_tensors
        return y * dz, x * dz


class Rectify(torch.autograd.Function):
    """max(x, 0), number by number."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, dz):
        (x,) = ctx.saved_tensors
        return dz * (x > 0)

# %% solution="linear"
class Linear(torch.autograd.Function):
    """z = x wᵀ + b for x: (N, D_in), w: (D_out, D_in), b: (D_out,)."""

    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return x @ w.T + b

    @staticmethod
    def backward(ctx, dz):
        x, w = ctx.saved_tensors
        return dz @ w, dz.T @ x, dz.sum(0)

# %% solution="basic-block"
class BasicBlock(nn.Module):
    """From (N, c_in, H, W) to (N, channels, H/stride, W/stride)."""

    expansion = 1  # channels that come out, for each of ``channels``

    def __init__(self, c_in, channels, stride=1, skip=True):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.skip, self.downsample = skip, None
        if skip and (stride != 1 or c_in != channels):
            conv = nn.Conv2d(c_in, channels, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(channels))

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        h = self.bn2(self.conv2(h))
        if self.skip:
            h = h + (x if self.downsample is None else self.downsample(x))
        return F.relu(h)

# %% solution="bottleneck"
class Bottleneck(nn.Module):
    """From (N, c_in, H, W) to (N, 4 * channels, H/stride, W/stride)."""

    expansion = 4

    def __init__(self, c_in, channels, stride=1):
        super().__init__()
        c_out = self.expansion * channels
        self.conv1 = nn.Conv2d(c_in, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = None
        if stride != 1 or c_in != c_out:
            conv = nn.Conv2d(c_in, c_out, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(c_out))

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        h = F.relu(self.bn2(self.conv2(h)))
        h = self.bn3(self.conv3(h))
        return F.relu(h + (x if self.downsample is None else self.downsample(x)))

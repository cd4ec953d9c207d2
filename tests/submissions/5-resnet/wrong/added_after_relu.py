# The shortcut of the basic block is added after the last ReLU.

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
            h = F.relu(h) + (x if self.downsample is None else self.downsample(x))
        return h if self.skip else F.relu(h)

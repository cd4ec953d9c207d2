# The bottleneck's stride is on its first 1×1 convolution, as in the paper.

# %% solution="bottleneck"
class Bottleneck(nn.Module):
    """From (N, c_in, H, W) to (N, 4 * channels, H/stride, W/stride)."""

    expansion = 4

    def __init__(self, c_in, channels, stride=1):
        super().__init__()
        c_out = self.expansion * channels
        self.conv1 = nn.Conv2d(c_in, channels, 1, stride, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
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

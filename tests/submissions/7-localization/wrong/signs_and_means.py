# One slip in each of these parts.
# Multiplies the sides of the intersection without a look at their signs.
# Gives the box head the mean of each map, in which there is no place any more.
# Takes the mean over the four numbers of a box too, as mse_loss does.

# %% solution="iou"
def iou(a, b):
    first = torch.maximum(a[:, None, :2], b[None, :, :2])
    last = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    intersection = (last - first).prod(2)
    union = area(a)[:, None] + area(b)[None] - intersection
    return torch.where(union != 0, intersection / union, 0)


# %% solution="heads"
class Heads(nn.Module):
    def __init__(self, channels, height, width, num_classes):
        super().__init__()
        self.class_head = nn.Linear(channels, num_classes)
        self.box_head = nn.Linear(channels, 4)

    def forward(self, maps):
        means = maps.mean((2, 3))
        return self.class_head(means), self.box_head(means).sigmoid()


# %% solution="box-losses"
def box_loss(predicted, true):
    return F.mse_loss(predicted, true)


def smooth_l1(predicted, true, beta=1.0):
    return F.smooth_l1_loss(predicted, true, beta=beta)

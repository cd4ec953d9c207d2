# One slip in each of these parts.
# Clips the caller's own boxes.
# Ends the box at the last pixel that belongs to it.
# Divides and multiplies x by the height of the image.
# Squashes the boxes once more where the layer has done so already.
# Multiplies the cross-entropy by λ, and the loss of the box by nothing.
# Compares box i with box i, and with no other.

# %% solution="clip"
def clip(corners, height, width):
    corners[:, 0::2] = corners[:, 0::2].clamp(0, width)
    corners[:, 1::2] = corners[:, 1::2].clamp(0, height)
    return corners


# %% solution="box-of"
def box_of(mask):
    rows, columns = torch.nonzero(mask, as_tuple=True)
    if len(rows) == 0:
        return torch.zeros(4)
    return torch.stack([columns.min(), rows.min(), columns.max(), rows.max()])


# %% solution="conversions"
def to_fractions(corners, height, width):
    x0, y0, x1, y1 = corners.unbind(1)
    return torch.stack([x0, y0, x1 - x0, y1 - y0], 1) / height


def to_corners(boxes, height, width):
    x, y, w, h = boxes.unbind(1)
    return torch.stack([x, y, x + w, y + h], 1) * height


# %% solution="heads"
class Heads(nn.Module):
    def __init__(self, channels, height, width, num_classes):
        super().__init__()
        self.class_head = nn.Linear(channels, num_classes)
        self.box_head = nn.Linear(channels * height * width, 4)

    def forward(self, maps):
        boxes = torch.sigmoid(self.box_head(maps.flatten(1)))
        return self.class_head(maps.mean((2, 3))), torch.sigmoid(boxes)


# %% solution="multitask-loss"
def multitask_loss(scores, boxes, labels, true_boxes, weight=1.0):
    return weight * F.cross_entropy(scores, labels) + box_loss(boxes, true_boxes)


# %% solution="iou"
def iou(a, b):
    first = torch.maximum(a[:, :2], b[:, :2])
    last = torch.minimum(a[:, 2:], b[:, 2:])
    intersection = (last - first).clamp(min=0).prod(1)
    union = area(a) + area(b) - intersection
    return torch.where(union > 0, intersection / union, 0)


# %% solution="score"
def score(boxes, true_boxes, labels, true_labels):
    overlaps = iou(boxes, true_boxes)
    return overlaps.mean(), ((overlaps > 0.5) & (labels == true_labels)).double().mean()

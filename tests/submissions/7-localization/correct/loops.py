# Right, box by box: loops, lists and plain numbers wherever they do.

# %% solution="conversions"
def to_fractions(corners, height, width):
    out = torch.zeros(len(corners), 4)
    for i, (x0, y0, x1, y1) in enumerate(corners.tolist()):
        out[i] = torch.tensor([x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height])
    return out


def to_corners(boxes, height, width):
    out = []
    for x, y, w, h in boxes:
        out.append(torch.stack([x * width, y * height, (x + w) * width, (y + h) * height]))
    return torch.stack(out)


# %% solution="clip"
def clip(corners, height, width):
    out = corners.clone()
    for i in range(len(out)):
        for j in range(4):
            limit = height if j % 2 else width
            out[i, j] = min(max(float(out[i, j]), 0), limit)
    return out


# %% solution="area"
def area(corners):
    areas = []
    for x0, y0, x1, y1 in corners.tolist():
        areas.append((x1 - x0) * (y1 - y0) if x1 > x0 and y1 > y0 else 0.0)
    return torch.tensor(areas)


# %% solution="iou"
def one_iou(a, b):
    x0, y0 = max(a[0], b[0]), max(a[1], b[1])
    x1, y1 = min(a[2], b[2]), min(a[3], b[3])
    if x1 <= x0 or y1 <= y0:
        return 0.0
    shared = (x1 - x0) * (y1 - y0)
    one, two = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    return shared / (one + two - shared)


def iou(a, b):
    return torch.tensor([[one_iou(p, q) for q in b.tolist()] for p in a.tolist()])


# %% solution="score"
def score(boxes, true_boxes, labels, true_labels):
    total = right = 0
    for box, true, label, true_label in zip(boxes, true_boxes, labels, true_labels):
        overlap = one_iou(box.tolist(), true.tolist())
        total += overlap
        right += overlap > 0.5 and int(label) == int(true_label)
    return total / len(boxes), right / len(boxes)


# %% solution="windows"
def windows(image, size, stride):
    found = []
    for top in range(0, image.shape[1] - size + 1, stride):
        for left in range(0, image.shape[2] - size + 1, stride):
            found.append(image[:, top : top + size, left : left + size])
    return torch.stack(found)


# %% solution="window-scores"
def window_scores(maps, weight, bias, height, width):
    rows = []
    for top in range(maps.shape[2] - height + 1):
        row = []
        for left in range(maps.shape[3] - width + 1):
            patch = maps[:, :, top : top + height, left : left + width]
            row.append(patch.flatten(1) @ weight.T + bias)
        rows.append(torch.stack(row, dim=2))
    return torch.stack(rows, dim=2)


# %% solution="multiply-adds"
def multiply_adds(height, width):
    total = 0
    for _ in range((height - 4) * (width - 4)):
        total += 8 * 3 * 5 * 5
    for _ in range(len(range((height - 4) // 2)[5:]) * len(range((width - 4) // 2)[5:])):
        total += 12 * 8 * 6 * 6
    return total


# %% solution="heads"
class Heads(nn.Module):
    def __init__(self, channels, height, width, num_classes):
        super().__init__()
        self.box_head = nn.Linear(channels * height * width, 4)
        self.class_head = nn.Linear(channels, num_classes)

    def forward(self, maps):
        pooled = F.adaptive_avg_pool2d(maps, 1).squeeze(3).squeeze(2)
        box = self.box_head(maps.reshape(len(maps), -1))
        return [self.class_head(pooled), 1 / (1 + torch.exp(-box))]


# %% solution="box-losses"
def box_loss(predicted, true):
    total = 0
    for p, t in zip(predicted, true):
        total = total + sum((p[k] - t[k]) ** 2 for k in range(4))
    return total / len(predicted)


def smooth_l1(predicted, true, beta=1.0):
    total = 0
    for p, t in zip(predicted.flatten(), true.flatten()):
        d = abs(p - t)
        total = total + (0.5 * d * d / beta if d <= beta else d - 0.5 * beta)
    return total / len(predicted)


# %% solution="multitask-loss"
def multitask_loss(scores, boxes, labels, true_boxes, weight=1.0):
    total = 0
    for one, label in zip(scores, labels):
        total = total - torch.log(torch.exp(one[label]) / torch.exp(one).sum())
    return total / len(scores) + weight * box_loss(boxes, true_boxes)


# %% solution="box-of"
def box_of(mask):
    x0, y0, x1, y1 = 10**6, 10**6, 0, 0
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            if mask[y, x]:
                x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x + 1), max(y1, y + 1)
    return torch.tensor([x0, y0, x1, y1] if x1 else [0, 0, 0, 0])

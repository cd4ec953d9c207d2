# Two sections are done, the rest is not.

# %% solution="conversions"
def to_fractions(corners, height, width):
    x0, y0, x1, y1 = corners.T
    return torch.stack([x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height]).T


def to_corners(boxes, height, width):
    x, y, w, h = boxes.T
    return torch.stack([x * width, y * height, (x + w) * width, (y + h) * height]).T


# %% solution="clip"
def clip(corners, height, width):
    return corners.clamp(torch.zeros(4), torch.tensor([width, height, width, height]).float())


# %% solution="area"
def area(corners):
    sides = torch.relu(corners[:, 2:] - corners[:, :2])
    return sides[:, 0] * sides[:, 1]


# %% solution="iou"
def iou(a, b):
    result = torch.zeros(len(a), len(b))
    for i in range(len(a)):
        first, last = a[i, :2].maximum(b[:, :2]), a[i, 2:].minimum(b[:, 2:])
        shared = area(torch.cat([first, last], 1))
        union = area(a[i : i + 1]) + area(b) - shared
        result[i] = shared / union.clamp(min=1e-12)
    return result

# Compares box i with box i, and with no other.

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

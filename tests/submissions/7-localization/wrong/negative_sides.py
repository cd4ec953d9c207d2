# Multiplies the sides of the intersection without a look at their signs.

# %% solution="iou"
def iou(a, b):
    first = torch.maximum(a[:, None, :2], b[None, :, :2])
    last = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    intersection = (last - first).prod(2)
    union = area(a)[:, None] + area(b)[None] - intersection
    return torch.where(union != 0, intersection / union, 0)

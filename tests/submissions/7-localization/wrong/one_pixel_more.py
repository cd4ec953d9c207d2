# Takes the second corner for the last pixel inside, and adds 1 to every side.

# %% solution="area"
def area(corners):
    return (corners[:, 2:] - corners[:, :2] + 1).clamp(min=0).prod(1)


# %% solution="iou"
def iou(a, b):
    first = torch.maximum(a[:, None, :2], b[None, :, :2])
    last = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    intersection = (last - first + 1).clamp(min=0).prod(2)
    return intersection / (area(a)[:, None] + area(b)[None] - intersection)

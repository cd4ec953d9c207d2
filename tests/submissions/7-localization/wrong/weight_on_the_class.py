# Multiplies the cross-entropy by λ, and the loss of the box by nothing.

# %% solution="multitask-loss"
def multitask_loss(scores, boxes, labels, true_boxes, weight=1.0):
    return weight * F.cross_entropy(scores, labels) + box_loss(boxes, true_boxes)

"""What a training that has gone wrong looks like, by what comes out of it."""

from typing import TYPE_CHECKING

from autograder.check.oracle.finetuning import normalized

if TYPE_CHECKING:
    from torch import Tensor

FROM_SCRATCH = "from scratch"
LARGE = 3.0  # times as long as pretrained: no right training of these lengths doubles a weight
OTHER = 0.5  # the cosine with what was pretrained: after a right training above 0.9

DRIFTED = (
    "Its batch norms have moved their running statistics: every epoch starts with train_mode(net), "
    "after freeze."
)
NOT_FROZEN = "Is what the regime freezes frozen before the optimizer is made, and loaded before?"
NOT_FINITE = "Weights are no longer finite: steps were too large. Are the rates those of REGIMES?"
TRAIN_MODE = (
    "Asked one class at a time it is bad, asked all at once it is right for {:.0%}: predict leaves "
    "the net in train mode, and each batch is normalized by itself. net.eval()."
)
NORMALIZED, BYTES, SHARES = "normalized", "bytes", "from 0 to 1"
NOT_NORMALIZED = (
    "The net knows images that were not normalized, which is not what its pretrained layers have "
    "learned from: normalize each batch in fit, and in predict."
)
# What the net answers when it is asked rightly, or as it may have been trained.
INPUTS = {
    NORMALIZED: (
        "The net itself is right for {:.0%} of them, in eval mode and with normalized images: look "
        "at predict."
    ),
    BYTES: (
        "The net is right for {:.0%} of them if they are not normalized: fit trains it on pixels "
        "from 0 to 255. Normalize each batch in fit as well."
    ),
    SHARES: (
        "The net is right for {:.0%} of them if they are only divided by 255: fit trains it on "
        "such images. Normalize each batch in fit as well."
    ),
}
HEAD_AS_DRAWN = (
    "The head is as PyTorch draws it: no step has reached it. Is it frozen, is it not in the "
    "optimizer, or is its rate next to nothing?"
)
RATES_TOO_LARGE = (
    "Weights of the backbone are several times as large as they were: the steps are too large. "
    "Are the rates those of REGIMES, the head's first?"
)
NOT_PRETRAINED = (
    "The backbone has nothing in common with the pretrained one: is WEIGHTS given to "
    "pretrained_net, and is it this net that is trained?"
)
CHANCE = (
    "It is at chance for the images that it was trained on as well. Do a batch's labels belong to "
    "its images? Are there steps, and is their size right?"
)
LITTLE = (
    "Of the images that it was trained on {:.0%} are right: it has learned too little. Are rates "
    "and frozen parts those of REGIMES, is the warm-up a fifth of all steps, does every epoch use "
    "all images, normalized as in predict, with their labels?"
)


def as_input(change: str, images: "Tensor") -> "Tensor":
    """Images of bytes as one of `INPUTS`."""
    if change == NORMALIZED:
        return normalized(images)
    x = images.permute(0, 3, 1, 2).float()
    return x if change == BYTES else x / 255

"""Misconceptions of asking a net: for probabilities, twice, and for gradients of its maps."""

from typing import TYPE_CHECKING, Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import finetuning as oracle

if TYPE_CHECKING:
    from torch import Tensor


def _batches(images: "Tensor", batch_size: int | None) -> Any:
    import torch

    return torch.split(images, batch_size or len(images))


def _in_train_mode(net: Any, images: "Tensor", batch_size: int | None) -> "Tensor":
    import torch

    net.train()
    with torch.no_grad():
        found = [net(oracle.normalized(part)) for part in _batches(images, batch_size)]
    return torch.cat(found).softmax(1)


def _normalized_by(change: Any) -> Any:
    def answer(net: Any, images: "Tensor", batch_size: int | None) -> "Tensor":
        import torch

        net.eval()
        with torch.no_grad():
            scores: Tensor = net(change(images.float()).permute(0, 3, 1, 2))
        return scores.softmax(1)

    return answer


def _not_divided(x: "Tensor") -> "Tensor":
    import torch

    from autograder.places import scenes

    return (x - torch.tensor(scenes.MEAN)) / torch.tensor(scenes.STD)


def _of_scores(change: Any) -> Any:
    def answer(net: Any, images: "Tensor", batch_size: int | None) -> "Tensor":
        found: Tensor = change(oracle.scores(net, images))
        return found

    return answer


def _over_batch(net: Any, images: "Tensor", batch_size: int | None) -> "Tensor":
    import torch

    scores = oracle.scores(net, images)
    return torch.cat([part.softmax(0) for part in _batches(scores, batch_size)])


def _first(net: Any, images: "Tensor", batch_size: int | None) -> "Tensor":
    return oracle.predicted(net, images[:batch_size])


def _whole_batches(net: Any, images: "Tensor", batch_size: int | None) -> "Tensor":
    size = batch_size or len(images)
    return oracle.predicted(net, images[: len(images) // size * size])


def _last(net: Any, images: "Tensor", batch_size: int | None) -> "Tensor":
    return oracle.predicted(net, _batches(images, batch_size)[-1])


# So large are the scores then that what comes after makes no difference.
BYTES = (
    "The net is given pixels as large as 255: normalize divides by 255, subtracts MEAN and divides "
    "by STD."
)
PREDICTED = (
    Mistake(
        "train mode",
        "The net is in train mode: what it says of an image depends on the others in its batch. "
        "net.eval() first.",
        _in_train_mode,
    ),
    Mistake(
        "scores",
        "Those are the scores: softmax makes probabilities of them.",
        _of_scores(lambda scores: scores),
    ),
    Mistake(
        "logarithms",
        "Those are logarithms of probabilities: softmax, not log_softmax.",
        _of_scores(lambda scores: scores.log_softmax(1)),
    ),
    Mistake(
        "over the images",
        "Each column adds up to 1 rather than each row: softmax over the classes, dim=1.",
        _of_scores(lambda scores: scores.softmax(0)),
    ),
    Mistake(
        "over a batch",
        "Each column of a batch adds up to 1 rather than each row: softmax over the classes, "
        "dim=1.",
        _over_batch,
    ),
    Mistake(
        "softmax twice",
        "That is the softmax of a softmax: once is enough.",
        _of_scores(lambda scores: scores.softmax(1).softmax(1)),
    ),
    Mistake(
        "sigmoid",
        "That is a sigmoid of each score by itself: over the classes, softmax.",
        _of_scores(lambda scores: scores.sigmoid()),
    ),
    Mistake(
        "bytes",
        BYTES,
        _normalized_by(lambda x: x),
    ),
    Mistake(
        "only divided",
        "The net is given pixels from 0 to 1: normalize them with MEAN and STD.",
        _normalized_by(lambda x: x / 255),
    ),
    Mistake(
        "not divided",
        BYTES,
        _normalized_by(_not_divided),
    ),
    Mistake("only the first batch", "Only the first batch is answered: does the loop return in its "
            "body?", _first),
    Mistake("whole batches", "The images left over after the last whole batch have no answer.",
            _whole_batches),
    Mistake("only the last batch", "Only the last batch is answered: collect them all, then "
            "torch.cat.", _last),
)  # fmt: skip
WITH_GRAPH = (
    "What is returned still requires a gradient, so all that was computed is kept in memory: "
    "torch.no_grad()."
)
MOVED = (
    "The net's running statistics moved while it was only asked: it is in train mode. net.eval() "
    "first."
)


def _twice(one: Any, other: Any, mean: Any = lambda a, b: (a + b) / 2) -> Any:
    return lambda net, images: mean(
        oracle.predicted(net, one(images)), oracle.predicted(net, other(images))
    )


def _same(images: "Tensor") -> "Tensor":
    return images


def _flipped(axis: int) -> Any:
    return lambda images: images.flip(axis)


def _geometric(a: "Tensor", b: "Tensor") -> "Tensor":
    return (a * b).sqrt()


def _mean_scores(net: Any, images: "Tensor") -> "Tensor":
    found = oracle.scores(net, images) + oracle.scores(net, images.flip(2))
    return (found / 2).softmax(1)


TWICE = (
    Mistake(
        "only the mirror image",
        "Those are the probabilities of the mirror images alone: average them with those of the "
        "images.",
        lambda net, images: oracle.predicted(net, images.flip(2)),
    ),
    Mistake(
        "not mirrored",
        "Those are the probabilities of the images alone. flip returns a new tensor; the columns "
        "are axis 2.",
        oracle.predicted,
    ),
    Mistake(
        "upside down",
        "The second look is upside down: (N, H, W, 3) has its columns on axis 2.",
        _twice(_same, _flipped(1)),
    ),
    Mistake(
        "colours swapped",
        "The second look has red and blue exchanged: (N, H, W, 3) has its columns on axis 2.",
        _twice(_same, _flipped(3)),
    ),
    Mistake(
        "images swapped",
        "Each image is averaged with another one: flip(0) changes the order of the images.",
        _twice(_same, _flipped(0)),
    ),
    Mistake(
        "sum",
        "That is the sum of both; take the mean.",
        _twice(_same, _flipped(2), lambda a, b: a + b),
    ),
    Mistake("product", "That is the product of both; take the mean.",
            _twice(_same, _flipped(2), lambda a, b: a * b)),
    Mistake("geometric", "That is the root of the product; take the mean.",
            _twice(_same, _flipped(2), _geometric)),
    Mistake(
        "largest",
        "That is the larger of both; take the mean.",
        _twice(_same, _flipped(2), lambda a, b: a.maximum(b)),
    ),
    Mistake(
        "mean of scores",
        "The scores are averaged and then made probabilities: make both probabilities first.",
        _mean_scores,
    ),
)  # fmt: skip


def _target(change: Any) -> Any:
    """Maps and the gradient of something else than the score of the label."""
    return lambda net, x, labels: oracle.maps_and_gradients(net, x, labels, change)


def _log_p(scores: "Tensor", labels: "Tensor") -> "Tensor":
    return oracle.own_scores(scores.log_softmax(1), labels)


def _swapped(net: Any, x: "Tensor", labels: "Tensor") -> Any:
    return oracle.maps_and_gradients(net, x, labels)[::-1]


def _trained(net: Any, x: "Tensor", labels: "Tensor") -> Any:
    return oracle.maps_and_gradients(net, x, labels, training=True)


GRADIENTS = (
    Mistake(
        "train mode",
        "The net is in train mode, where maps depend on the other images of the batch: net.eval().",
        _trained,
    ),
    Mistake("swapped", "The maps come first, then the gradients.", _swapped),
    Mistake(
        "all scores",
        "That is the gradient of the sum of all scores: of each image only that of its label.",
        _target(lambda scores, labels: scores.sum()),
    ),
    Mistake(
        "columns",
        "Every image has the scores of all labels here: scores[:, labels] is N × N. "
        "gather(1, labels[:, None]) takes one of each row.",
        _target(lambda scores, labels: scores[:, labels].sum()),
    ),
    Mistake(
        "largest",
        "That is the gradient of the largest score, not of the label's.",
        _target(lambda scores, labels: scores.max(1).values.sum()),
    ),
    Mistake(
        "mean",
        "That is the gradient of the mean over the batch: each image has a score of its own, so "
        "add them up.",
        _target(lambda scores, labels: oracle.own_scores(scores, labels) / len(labels)),
    ),
    Mistake(
        "logarithm",
        "That is the gradient of log p, not of the score.",
        _target(_log_p),
    ),
    Mistake(
        "loss",
        "That is the gradient of the loss, not of the score.",
        _target(lambda scores, labels: -_log_p(scores, labels) / len(labels)),
    ),
    Mistake(
        "summed loss",
        "That is the gradient of the loss, not of the score.",
        _target(lambda scores, labels: -_log_p(scores, labels)),
    ),
    Mistake(
        "probability",
        "That is the gradient of the probability, not of the score.",
        _target(lambda scores, labels: oracle.own_scores(scores.softmax(1), labels)),
    ),
)
LEFT_BEHIND = (
    "The gradients of the net's parameters change: backward adds to them. torch.autograd.grad "
    "computes what is asked for and nothing else."
)

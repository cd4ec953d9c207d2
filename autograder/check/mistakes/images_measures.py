"""Misconceptions of top-k and of the confusion matrix."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograder.check.mistakes import Mistake
from autograder.check.oracle import images as right

if TYPE_CHECKING:
    from torch import Tensor

Function = Callable[..., Any]


def _by_rank(hit: Function) -> Function:
    """The share of images for which ``hit(rank of the label, k, classes)``; rank 0 is the best."""

    def answer(probabilities: "Tensor", labels: "Tensor", *, k: int) -> "Tensor":
        found: Tensor = hit(right.ranks(probabilities, labels), k, probabilities.shape[1])
        return found.double().mean()

    return answer


def _times(factor: Function) -> Function:
    """The right share times ``factor(images, k, classes)``."""

    def answer(probabilities: "Tensor", labels: "Tensor", *, k: int) -> Any:
        return right.top_k(probabilities, labels, k=k) * factor(*probabilities.shape, k)

    return answer


def _over_images(probabilities: "Tensor", labels: "Tensor", *, k: int) -> "Tensor":
    """The k most probable images of each class: (k, K) numbers of images, taken for classes."""
    import torch

    best = probabilities.topk(k, dim=0).indices
    return torch.stack([(best == label).any() for label in labels.long()]).double().mean()


TOP_K = (
    Mistake(
        "least probable",
        "The k *least* probable classes are looked at. Sort downwards, or take the other end.",
        _by_rank(lambda rank, k, classes: rank >= classes - k),
    ),
    Mistake(
        "top-1",
        "Only the most probable class counts, whatever k is.",
        _by_rank(lambda rank, k, classes: rank < 1),
    ),
    Mistake(
        "k-th only",
        "Only the class in place k counts. All of the first k do.",
        _by_rank(lambda rank, k, classes: rank == k - 1),
    ),
    Mistake(
        "one too many",
        "That is the share for k + 1 classes.",
        _by_rank(lambda rank, k, classes: rank < k + 1),
    ),
    Mistake(
        "one too few",
        "That is the share for k − 1 classes.",
        _by_rank(lambda rank, k, classes: rank < k - 1),
    ),
    Mistake(
        "not the best",
        "The most probable class is left out.",
        _by_rank(lambda rank, k, classes: (rank > 0) & (rank <= k)),
    ),
    Mistake(
        "wrong ones",
        "This is the share of images that are *wrong*.",
        _by_rank(lambda rank, k, classes: rank >= k),
    ),
    Mistake(
        "count",
        "That is how many are right. The share is asked: divide by the number of images.",
        _times(lambda images, classes, k: images),
    ),
    Mistake("percent", "These are percents. A share goes from 0 to 1.", _times(lambda *sizes: 100)),
    Mistake(
        "divided by k",
        "Divided by k as well. An image is right if *any* of its k classes is: ask each image "
        "once, then take the mean over the images.",
        _times(lambda images, classes, k: 1 / k),
    ),
    Mistake(
        "divided by classes",
        "Divided by the number of classes. Divide by the number of images.",
        _times(lambda images, classes, k: images / classes),
    ),
    Mistake(
        "over images",
        "This looks for the most probable *images* of each class. Each image has k classes: the "
        "classes' axis is 1.",
        _over_images,
    ),
)


def _of_counts(change: Function) -> Function:
    def answer(labels: "Tensor", said: "Tensor", *, num_classes: int) -> Any:
        return change(right.confusion(labels, said, num_classes=num_classes))

    return answer


def _seen_only(labels: "Tensor", said: "Tensor", *, num_classes: int) -> "Tensor":
    import torch

    seen = torch.cat([labels, said]).long()
    return right.confusion(labels, said, num_classes=int(seen.max()) + 1)


def _without_empty(labels: "Tensor", said: "Tensor", *, num_classes: int) -> "Tensor":
    """Rows and columns of classes that occur."""
    import torch

    (seen,) = torch.where(torch.bincount(torch.cat([labels, said]).long()) > 0)
    return right.confusion(labels, said, num_classes=num_classes)[seen][:, seen]


CLASSES_MISSING = (
    "Classes that do not occur are left out. The matrix has a row and a column for every class."
)
CONFUSION = (
    Mistake(
        "transposed",
        "Rows and columns have changed places: the row is what an image is, the column what it was "
        "taken for.",
        _of_counts(lambda counts: counts.T),
    ),
    Mistake(
        "counted once",
        "Every place that occurs holds 1, however often it occurs: counts[labels, said] += 1 adds "
        "once to each place. Count the places.",
        _of_counts(lambda counts: counts.clamp(max=1)),
    ),
    Mistake(
        "shares of rows",
        "These are shares of each row. Counts are asked.",
        _of_counts(lambda counts: counts / counts.sum(1, keepdim=True)),
    ),
    Mistake(
        "shares of rows, guarded",
        "These are shares of each row. Counts are asked.",
        _of_counts(lambda counts: counts / counts.sum(1, keepdim=True).clamp(min=1)),
    ),
    Mistake(
        "shares of columns",
        "These are shares of each column. Counts are asked.",
        _of_counts(lambda counts: counts / counts.sum(0)),
    ),
    Mistake(
        "shares",
        "These are shares of all images. Counts are asked.",
        _of_counts(lambda counts: counts / counts.sum()),
    ),
    Mistake("largest class", CLASSES_MISSING, _seen_only),
    Mistake("classes that occur", CLASSES_MISSING, _without_empty),
    Mistake(
        "mistakes only",
        "The diagonal is empty. Images that are right count as well.",
        _of_counts(lambda counts: counts - counts.diag().diag()),
    ),
    Mistake(
        "right ones only",
        "Only the diagonal is filled: images that are wrong count as well.",
        _of_counts(lambda counts: counts.diag().diag()),
    ),
    Mistake(
        "in a row",
        "The counts are right, in one long row. Give them the shape (K, K).",
        _of_counts(lambda counts: counts.flatten()),
    ),
    Mistake(
        "labels twice",
        "These are the labels against themselves: what was said is never used.",
        lambda labels, said, **sizes: right.confusion(labels, labels, **sizes),
    ),
    Mistake(
        "said twice",
        "This is what was said against itself: the labels are never used.",
        lambda labels, said, **sizes: right.confusion(said, said, **sizes),
    ),
)

"""What the sixth lesson grades after a training, and the classic mistakes that should fail.

They are scored as `check.learned_scenes` scores them: on scenes of each seed's own.
"""

from collections.abc import Callable
from functools import lru_cache

from autograder.check.finetuning.outcome import CLASSES, OTHERS, TRAINED, Asked, drawn
from benchmarks.quality.lesson import Namespace
from benchmarks.quality.outcomes import Edit, Outcome

EPOCHS = 3
SEEDS = tuple(range(50))
NORMALIZE = "return ((images.float() / 255 - mean) / std).permute(0, 3, 1, 2)"


def _score(regime: str) -> Callable[[Namespace, int], float]:
    """The share of other scenes that is right after training in this way."""

    def score(scope: Namespace, seed: int) -> float:
        trained, others = _scenes(seed)
        net = scope["fit"](trained.images, trained.labels, CLASSES, regime, EPOCHS, seed)
        return others.share(lambda images: scope["predict"](net, images), by_class=True)

    return score


@lru_cache(maxsize=1)
def _scenes(seed: int) -> tuple[Asked, Asked]:
    """Drawing them takes as long as training on them."""
    return drawn("train", TRAINED, seed), drawn("val", OTHERS, seed)


EVERYWHERE = (
    Edit("labels of other images", "labels[rows])", "labels[: len(rows)])"),
    Edit(
        "eval mode forgotten", "    net.eval()\n    with torch", "    net.train()\n    with torch"
    ),
    Edit("normalization forgotten", NORMALIZE, "return images.float().permute(0, 3, 1, 2)"),
    Edit("nothing is ever updated", "        scaler.step(optimizer)\n", ""),
)
# Of a head alone, at a rate 100 times too large, the largest score is still mostly the right one,
# and at one too small it is often enough. Frozen layers show best what normalization is for.
PROBE = (*EVERYWHERE, Edit("only / 255", NORMALIZE, "return images.permute(0, 3, 1, 2) / 255"))
EARLY = (
    *EVERYWHERE,
    Edit("learning rate 100 times too small", '"lr": rate', '"lr": rate / 100'),
    Edit("learning rate 100 times too large", '"lr": rate', '"lr": 100 * rate'),
)

OUTCOMES = (
    Outcome("linear probe", 0.40, _score("linear probe"), PROBE, SEEDS),
    Outcome("frozen early layers", 0.42, _score("frozen early layers"), EARLY, SEEDS),
)

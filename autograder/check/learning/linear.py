"""The parameters of the linear net with which a training loop is checked."""

import numpy as np

from autograder.check.record import Array

FEATURES = 6  # of images (1, 3, 2)


def parameters(rng: np.random.Generator, classes: int) -> dict[str, Array]:
    """Random ones."""
    return {"w": rng.standard_normal((FEATURES, classes)), "b": rng.standard_normal(classes)}

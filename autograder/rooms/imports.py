"""What the warm processes have imported, which the rooms forked from them need not."""

from enum import Enum


class Imports(Enum):
    """Each holds what the one above it holds, and more; each takes longer to start."""

    NUMPY = "numpy"  # for answers where torch is not allowed
    ORACLE = "oracle"  # torch, as far as the checks of such answers use it
    TRAINING = "training"  # optimizers too

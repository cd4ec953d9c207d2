"""The pooling layers of the third lesson."""

from autograder.check.layer import Layer
from autograder.check.mistakes import pooling as mistakes
from autograder.check.oracle import pooling as oracle

max_pool = Layer(
    ("x",),
    oracle.max_pool,
    mistakes.MAX_POOL,
    {"dx": mistakes.MAX_POOL_DX},
    cached=True,
    linear=False,
    conventions={"dx": oracle.TIES},
)
avg_pool = Layer(
    ("x",), oracle.avg_pool, mistakes.AVG_POOL, {"dx": mistakes.AVG_POOL_DX}, cached=True
)

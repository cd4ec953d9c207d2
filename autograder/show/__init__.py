"""The pictures of the lessons.

Every function returns a figure that pyplot does not know of. A notebook shows it once when it
is the value of a cell, that is its last line, as in ``images([photograph()])``; nothing needs
closing, and nothing here computes what a lesson asks for.
"""

from autograder.show.architecture import network, shares
from autograder.show.attention import attention, confused
from autograder.show.boxes import box_numbers, boxed, overlaps, two_heads, window_grid
from autograder.show.canvas import Picture, png
from autograder.show.channels import groups
from autograder.show.errors import error_map
from autograder.show.fields import receptive_field
from autograder.show.gradients import scatter
from autograder.show.graphs import gate, graph
from autograder.show.journey import journey
from autograder.show.layers import volumes
from autograder.show.matrices import matrix
from autograder.show.normalization import (
    averaged_axes,
    batch_norm_graph,
    features,
    leftover,
    points,
)
from autograder.show.patches import columns
from autograder.show.photo import photograph
from autograder.show.pictures import images
from autograder.show.pooling import pooled, routed, shifted
from autograder.show.residual import fields, gradient_norms, loss_surfaces, residual_blocks
from autograder.show.scenes import contact_sheet, located
from autograder.show.scores import regions, softmax
from autograder.show.strides import window_positions
from autograder.show.timings import bars
from autograder.show.training import confusion, curves, descent, history, tiles, verdicts
from autograder.show.windows import sliding_window

__all__ = [
    "Picture",
    "attention",
    "averaged_axes",
    "bars",
    "batch_norm_graph",
    "box_numbers",
    "boxed",
    "columns",
    "confused",
    "confusion",
    "contact_sheet",
    "curves",
    "descent",
    "error_map",
    "features",
    "fields",
    "gate",
    "gradient_norms",
    "graph",
    "groups",
    "history",
    "images",
    "journey",
    "leftover",
    "located",
    "loss_surfaces",
    "matrix",
    "network",
    "overlaps",
    "photograph",
    "png",
    "points",
    "pooled",
    "receptive_field",
    "regions",
    "residual_blocks",
    "routed",
    "scatter",
    "shares",
    "shifted",
    "sliding_window",
    "softmax",
    "tiles",
    "two_heads",
    "verdicts",
    "volumes",
    "window_grid",
    "window_positions",
]

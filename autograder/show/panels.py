"""Pictures of one size, in rows."""

from matplotlib.axes import Axes

from autograder.show.canvas import PAGE_WIDTH, Picture


def panels(count: int, columns: int, largest: float, above: float) -> tuple[Picture, list[Axes]]:
    """A figure with a bare panel for each of ``count`` pictures, ``columns`` in a row at most.

    Args:
        count: at least 1.
        columns: at least 1; where there are more than pictures, these are enough.
        largest: inches: no panel is wider or higher.
        above: inches for the titles over each row.
    """
    columns = min(columns, count)
    lines, size = -(-count // columns), min(largest, PAGE_WIDTH / columns)
    figure = Picture(size * columns, (size + above) * lines)
    found = list(figure.subplots(lines, columns, squeeze=False).flat)
    for axes in found:
        axes.set_axis_off()
    return figure, found[:count]

"""What an attack is, and how it gets into a notebook.

An attack deforms the untouched release, which earns nothing, and may put files beside it. In the
sources it writes, these words stand for what is known only when it is handed in:

- ``@COURSE@``: the course's folder; ``@HOME@``: the grader's home, ``@VICTIM@``: another student;
- ``@MARK@``: a text by which whatever the attack leaves behind is known to be its doing;
- ``@NUMBER@``: the same for where only a number fits;
- ``@PORT@``, ``@SOCKET@``: where a service of the grader's listens (TCP on loopback, a path).

Secrets are planted as ``CANARY-<what>-<random>``. An attack looks for that pattern and for nothing
else, so that running it brings to light nothing that was not put there for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

Deform = Callable[[NotebookNode, Path], None]
NOTHING_MORE: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    Attributes:
        name: what it is called; also the student who hands it in.
        kind: which promise it tries to break.
        what: one sentence.
        deform: makes it of the untouched release, in the folder that will be handed in.
        again: makes what is handed in after the first was graded, likewise of the release.
        honest: the points that it deserves.
        dangerous: it would reach beyond its notebook's process if nothing confined it.
        variation: much like another one; the benchmark runs it, the tests leave it out.
        loot: texts that show up only if it learned something, besides the planted secrets.
    """

    name: str
    kind: str
    what: str
    deform: Deform
    again: Deform | None = None
    honest: float = 0
    dangerous: bool = False
    variation: bool = False
    loot: tuple[str, ...] = NOTHING_MORE


class Kind(list[Attack]):
    """The attacks of one kind, each registered by decorating its function."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __call__(
        self,
        what: str,
        *,
        honest: float = 0,
        dangerous: bool = False,
        variation: bool = False,
        loot: tuple[str, ...] = NOTHING_MORE,
        again: Deform | None = None,
    ) -> Callable[[Deform], Deform]:
        """Registers a function under its own name."""

        def register(deform: Deform) -> Deform:
            attack = Attack(
                name=deform.__name__.replace("_", "-"),
                kind=self.name,
                what=what,
                deform=deform,
                again=again,
                honest=honest,
                dangerous=dangerous,
                variation=variation,
                loot=loot,
            )
            self.append(attack)
            return deform

        return register


def cell(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    """The cell with this id."""
    return notebook.cells[place(notebook, grade_id)]


def place(notebook: NotebookNode, grade_id: str) -> int:
    """Where the cell with this id stands."""
    ids = [about(found).get("grade_id") for found in notebook.cells]
    return ids.index(grade_id)


def about(found: NotebookNode) -> NotebookNode:
    """What nbgrader wrote into a cell."""
    return found.metadata.get("nbgrader", NotebookNode())


def tests(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that earn points by running."""
    return [c for c in notebook.cells if about(c).get("grade") and not about(c).get("solution")]


def answer(notebook: NotebookNode, grade_id: str, source: str) -> None:
    """Writes an answer."""
    cell(notebook, grade_id).source = dedent(source).strip()


def run_first(notebook: NotebookNode, source: str) -> None:
    """A cell of the student's own before everything but the imports."""
    notebook.cells.insert(place(notebook, "setup") + 1, new_code_cell(dedent(source).strip()))


def run_last(notebook: NotebookNode, source: str) -> None:
    """A cell of the student's own behind everything else."""
    notebook.cells.append(new_code_cell(dedent(source).strip()))


def run_before(notebook: NotebookNode, grade_id: str, source: str) -> None:
    """A cell of the student's own right before the one with this id."""
    notebook.cells.insert(place(notebook, grade_id), new_code_cell(dedent(source).strip()))


def write(notebook: NotebookNode, text: str) -> None:
    """Text of the student's own, at the end."""
    notebook.cells.append(new_markdown_cell(dedent(text).strip()))


def put(folder: Path, name: str, text: str) -> None:
    """A file beside the notebook."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text).lstrip(), encoding="utf-8")


# Answers that are right, for attacks that deserve some points: 4, 4, 4 and 4.
CORR2D = """
def corr2d(X, K):
    rows, columns = X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1
    Y = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            Y[i, j] = (X[i : i + K.shape[0], j : j + K.shape[1]] * K).sum()
    return Y
"""
OUTPUT_SIZE = """
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1
"""
COUNTS = """
def num_parameters(c_in, c_out, kernel_size, groups=1):
    return c_out * (c_in // groups * kernel_size**2 + 1)


def num_multiply_adds(c_in, c_out, kernel_size, height, width, groups=1, **geometry):
    rows = output_size(height, kernel_size, **geometry)
    columns = output_size(width, kernel_size, **geometry)
    return c_out * rows * columns * (c_in // groups) * kernel_size**2
"""
RECEPTIVE_FIELD = """
def receptive_field(layers):
    size, step = 1, 1
    for kernel_size, stride, dilation in layers:
        size, step = size + dilation * (kernel_size - 1) * step, step * stride
    return size
"""
CONV_FORWARD = """
def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    p, S, D = padding, stride, dilation
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    spans = [D * (k - 1) + 1 for k in w.shape[2:]]
    view = np.lib.stride_tricks.sliding_window_view(padded, spans, axis=(2, 3))
    view = view[:, :, ::S, ::S, ::D, ::D]
    n, c, rows, columns = view.shape[:4]
    view = view.reshape(n, groups, c // groups, rows, columns, *w.shape[2:])
    filters = w.reshape(groups, len(w) // groups, *w.shape[1:])
    out = np.einsum("ngcijuv,gfcuv->ngfij", view, filters)
    return out.reshape(n, len(w), rows, columns) + b[:, None, None], (x.shape, w, b)
"""

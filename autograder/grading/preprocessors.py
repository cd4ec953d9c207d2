"""The steps that we add to nbgrader's own; ``nbgrader_config.py`` says where each stands.

They import nbgrader, so only teaching staff can import this module.
"""

import os
import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution
from traitlets import Integer, Unicode

from autograder.check import seed
from autograder.grading.graft import graft

Resources = dict[str, Any]
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Graft(NbGraderPreprocessor):
    """Puts the student's answers and extra cells into the release, and says what it repaired.

    What follows can then rely on every cell being there, once, and of the right kind.
    """

    release = Unicode("release", help="the folder of released assignments").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Returns the release with what the submission answers."""
        about = resources["nbgrader"]
        path = Path(self.release) / about["assignment"] / f"{about['notebook']}.ipynb"
        grafted, repairs = graft(nbformat.read(path, as_version=4), nb)
        for repair in repairs:
            self.log.warning("%s: %s", about["student"], repair)
        if repairs:
            lines = ["**Repaired before grading**", "", *(f"- {repair}" for repair in repairs)]
            grafted.cells.insert(0, new_markdown_cell("\n".join(lines), id="repairs"))
        return grafted, resources


class ExecuteSeeded(Execute):
    """nbgrader's Execute with a kernel whose checks draw this submission's own random inputs."""

    def start_new_kernel(self, **options: Any) -> None:
        """Starts the kernel with the submission's seed in its environment."""
        about = self.resources["nbgrader"]
        number = seed.for_submission(about["assignment"], about["student"])
        environment = {**os.environ, seed.VARIABLE: str(number)}
        super().start_new_kernel(**{"env": environment, **options})


class WarningsAreNoMistakes(NbGraderPreprocessor):
    """Lets what a test cell wrote to stderr stand as ordinary output.

    nbgrader gives no points to a test cell with anything on stderr, so a harmless warning of a
    library would undo correct work. An exception is a different kind of output and still counts.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: Resources, index: int
    ) -> tuple[NotebookNode, Resources]:
        """Renames the stream; its text stays where it was."""
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.name = "stdout"
        return cell, resources


class OnlyChecksGivePoints(NbGraderPreprocessor):
    """Drops the value of a test cell's last line.

    nbgrader reads a number there as partial credit, and anything that is not a number from 0 up
    as full credit. Our checks return nothing, so whatever appears there is not from them.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: Resources, index: int
    ) -> tuple[NotebookNode, Resources]:
        """Keeps all outputs but ``execute_result``."""
        if is_grade(cell) and cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.output_type != "execute_result"]
        return cell, resources


class LimitBytes(NbGraderPreprocessor):
    """Bounds each text output in characters; nbgrader's LimitOutput counts only lines."""

    most = Integer(100_000, help="characters kept of one text output").tag(config=True)

    def preprocess_cell(
        self, cell: NotebookNode, resources: Resources, index: int
    ) -> tuple[NotebookNode, Resources]:
        """Cuts the middle out of texts that are too long, and says so."""
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = self._cut(output.text)
            elif output.output_type == "error":
                output.evalue = self._cut(output.evalue)
                output.traceback = [self._cut(line) for line in output.traceback]
            else:
                output.data = {kind: self._cut_data(data) for kind, data in output.data.items()}
        return cell, resources

    def _cut_data(self, data: Any) -> Any:
        # A picture is text too, but half of one is of no use to anybody.
        if isinstance(data, str) and len(data) > 20 * self.most:
            return f"[{len(data):,} characters left out]"
        return data

    def _cut(self, text: str) -> str:
        if len(text) <= self.most:
            return text
        half = self.most // 2
        return f"{text[:half]}\n[{len(text) - 2 * half:,} characters left out]\n{text[-half:]}"


class HideTestsInErrors(NbGraderPreprocessor):
    """For feedback: of an exception in a test cell, only what it was.

    The traceback shows the lines around the one that raised, and those may be hidden tests.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: Resources, index: int
    ) -> tuple[NotebookNode, Resources]:
        """Replaces the traceback of a test cell by ``Error: message``."""
        if is_grade(cell) and not is_solution(cell):
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    output.traceback = [f"{output.ename}: {ANSI.sub('', output.evalue)}"]
        return cell, resources

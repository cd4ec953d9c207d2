"""Forging marks by what stands around the code: metadata, cell types, copies, outputs."""

from copy import deepcopy
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from tests.attacks.hostile.attack import Kind, about, answer, cell, place, run_last, tests, write

forges = Kind("notebook metadata")
VALUE = "__import__('builtins').float('{}')"


@forges("Every test cell carries the tag skip-execution, so that it never runs and never fails.")
def skip_execution(notebook: NotebookNode, folder: Path) -> None:
    for test in tests(notebook):
        test.metadata["tags"] = ["skip-execution"]


@forges(
    "Every test cell carries raises-exception, hide-input, remove-cell and injected-parameters.",
    variation=True,
)
def other_tags(notebook: NotebookNode, folder: Path) -> None:
    for test in tests(notebook):
        test.metadata["tags"] = ["raises-exception", "hide-input", "remove-cell", "parameters"]
        test.metadata["editable"] = test.metadata["deletable"] = True


@forges("The test cells are deleted.")
def tests_deleted(notebook: NotebookNode, folder: Path) -> None:
    gone = {id(test) for test in tests(notebook)}
    notebook.cells = [c for c in notebook.cells if id(c) not in gone]


@forges("Each test cell is there twice, the second time with a pass in it.", variation=True)
def tests_duplicated(notebook: NotebookNode, folder: Path) -> None:
    for test in tests(notebook):
        copy = deepcopy(test)
        copy.source = "pass"
        copy.id = f"second-{test.id}"[:64]
        notebook.cells.append(copy)


@forges("The test cells are markdown.")
def tests_to_markdown(notebook: NotebookNode, folder: Path) -> None:
    for test in tests(notebook):
        test.cell_type = "markdown"
        del test["outputs"], test["execution_count"]


@forges(
    "The test cells are markdown, and say of themselves in nbgrader's metadata that they are.",
    variation=True,
)
def tests_to_markdown_throughout(notebook: NotebookNode, folder: Path) -> None:
    tests_to_markdown(notebook, folder)
    for test in tests(notebook):
        test.metadata.nbgrader.cell_type = "markdown"


@forges("The test cells are raw.", variation=True)
def tests_to_raw(notebook: NotebookNode, folder: Path) -> None:
    for test in tests(notebook):
        test.cell_type = "raw"
        del test["outputs"], test["execution_count"]


@forges("The test cells have other ids, and a pass in them.", variation=True)
def tests_renamed(notebook: NotebookNode, folder: Path) -> None:
    for test in tests(notebook):
        test.metadata.nbgrader.grade_id += "-old"
        test.source = "pass"


@forges("The tests say pass instead of what they said.")
def tests_rewritten(notebook: NotebookNode, folder: Path) -> None:
    for test in tests(notebook):
        test.source = "pass"


@forges("A test whose checksum was made for the pass that it now says.", variation=True)
def checksums_forged(notebook: NotebookNode, folder: Path) -> None:
    from nbgrader.utils import compute_checksum

    for test in tests(notebook):
        test.source = "pass"
        test.metadata.nbgrader.checksum = compute_checksum(test)


@forges("All tests stand before the first answer, where nothing can have failed yet.")
def tests_moved_first(notebook: NotebookNode, folder: Path) -> None:
    moved = tests(notebook)
    others = [c for c in notebook.cells if not any(c is test for test in moved)]
    notebook.cells = [*moved, *others]


@forges("The test cells claim to be ordinary answers: solution, and neither grade nor locked.")
def flags_edited(notebook: NotebookNode, folder: Path) -> None:
    for test in tests(notebook):
        test.metadata.nbgrader.update(grade=False, solution=True, locked=False)
        test.source = "pass"


@forges("The test cells claim to be read by a person: grade and solution.", variation=True)
def tests_as_essays(notebook: NotebookNode, folder: Path) -> None:
    for test in tests(notebook):
        test.metadata.nbgrader.update(solution=True, locked=False)
        test.source = "pass"


@forges("The empty answers claim to be graded cells worth a hundred points each.", variation=True)
def answers_graded(notebook: NotebookNode, folder: Path) -> None:
    for found in notebook.cells:
        if about(found).get("solution") and found.cell_type == "code":
            found.metadata.nbgrader.update(grade=True, points=100)
            found.source = "pass"


@forges("A test that is right is worth a thousand points.", honest=4)
def points_edited(notebook: NotebookNode, folder: Path) -> None:
    from tests.attacks.hostile.attack import CORR2D

    answer(notebook, "corr2d", CORR2D)
    for test in tests(notebook):
        test.metadata.nbgrader.points = 1000


@forges("A test that is wrong is worth minus a thousand points, or not a number.", variation=True)
def points_negative(notebook: NotebookNode, folder: Path) -> None:
    for test in tests(notebook):
        test.metadata.nbgrader.points = -1000
    cell(notebook, "corr2d-any").metadata.nbgrader.points = float("nan")


@forges("nbgrader's metadata is of version 1, 99 and 'three'.", variation=True)
def schema_versions(notebook: NotebookNode, folder: Path) -> None:
    versions = [1, 99, "three", None, -1]
    for number, test in enumerate(tests(notebook)):
        test.metadata.nbgrader.schema_version = versions[number % len(versions)]


@forges("nbgrader's metadata is a list, a text, a number or null.", variation=True)
def metadata_of_other_types(notebook: NotebookNode, folder: Path) -> None:
    for number, test in enumerate(tests(notebook)):
        test.metadata["nbgrader"] = [["grade"], "grade", 7, None][number % 4]


@forges("Cells of the student's own carry the tests' ids.")
def own_cells_with_test_ids(notebook: NotebookNode, folder: Path) -> None:
    for test in reversed(tests(notebook)):
        own = new_code_cell("'all is well'")
        own.metadata["nbgrader"] = deepcopy(test.metadata.nbgrader)
        notebook.cells.insert(0, own)


@forges("An answer carries a test's id, and the test carries the answer's.")
def ids_swapped(notebook: NotebookNode, folder: Path) -> None:
    one, other = cell(notebook, "corr2d"), cell(notebook, "corr2d-any")
    one.metadata.nbgrader.grade_id, other.metadata.nbgrader.grade_id = "corr2d-any", "corr2d"
    one.source = "pass"


@forges("All outputs are there already and say that everything was right.")
def outputs_prefilled(notebook: NotebookNode, folder: Path) -> None:
    for test in tests(notebook):
        test.outputs = [
            new_output("stream", text="✓ all checks passed\n"),
            new_output("execute_result", data={"text/plain": "1000"}, execution_count=1),
        ]
        test.execution_count = 1


def _last_value(notebook: NotebookNode, value: str) -> None:
    """Every test ends with this value: nbgrader reads one as partial credit."""
    for test in tests(notebook):
        test.source = VALUE.format(value)
        test.metadata.nbgrader.update(locked=False)


@forges("The value of each test's last line is NaN, which nbgrader takes for full credit.")
def partial_credit_nan(notebook: NotebookNode, folder: Path) -> None:
    _last_value(notebook, "nan")


@forges(
    "The value of each test's last line is minus one, which nbgrader takes for full credit.",
    variation=True,
)
def partial_credit_negative(notebook: NotebookNode, folder: Path) -> None:
    _last_value(notebook, "-1")


@forges("The value of each test's last line is infinite, or 1e9.", variation=True)
def partial_credit_infinite(notebook: NotebookNode, folder: Path) -> None:
    _last_value(notebook, "inf")
    cell(notebook, "corr2d-any").source = "1e9"


def _without_the_failing_cell(notebook: NotebookNode, folder: Path) -> None:
    for name in ("corr2d", "corr2d-lecture", "corr2d-any"):
        del notebook.cells[place(notebook, name)]


@forges(
    "After a right answer was graded, the notebook is handed in again without it and its tests.",
    again=_without_the_failing_cell,
)
def stale_mark(notebook: NotebookNode, folder: Path) -> None:
    from tests.attacks.hostile.attack import CORR2D

    answer(notebook, "corr2d", CORR2D)


def _not_a_notebook(notebook: NotebookNode, folder: Path) -> None:
    notebook.cells = []
    notebook.metadata.clear()


@forges(
    "After a right answer was graded, a notebook without any cell is handed in.",
    again=_not_a_notebook,
)
def stale_mark_of_everything(notebook: NotebookNode, folder: Path) -> None:
    stale_mark(notebook, folder)


@forges("The notebook asks for a kernel of its own, and says that it is written in Bash.")
def own_kernelspec(notebook: NotebookNode, folder: Path) -> None:
    notebook.metadata.kernelspec = {"name": "hostile", "display_name": "@MARK@", "language": "bash"}
    notebook.metadata.language_info = {"name": "bash"}


@forges("Text, an attachment and an output of tens of megabytes.", honest=0)
def huge_notebook(notebook: NotebookNode, folder: Path) -> None:
    write(notebook, "![](attachment:a.png)")
    notebook.cells[-1]["attachments"] = {"a.png": {"image/png": "A" * 8_000_000}}
    run_last(notebook, "'output'")
    notebook.cells[-1].outputs = [new_output("stream", text="x" * 8_000_000)]
    write(notebook, "text " * 1_000_000)


@forges(
    "Metadata nested a hundred deep, cell ids that are all the same, an id of a megabyte.",
    variation=True,
)
def deep_metadata(notebook: NotebookNode, folder: Path) -> None:
    nest: dict[str, object] = {}
    for _ in range(100):
        nest = {"deeper": nest}
    notebook.metadata["nest"] = nest
    for found in notebook.cells:
        found["id"] = "same"
    cell(notebook, "corr2d").metadata.nbgrader.grade_id = "corr2d" * 200_000


@forges("Ids with a path, an SQL statement, a line end, a NUL and markup in them.")
def hostile_ids(notebook: NotebookNode, folder: Path) -> None:
    names = ["../../../@MARK@", "x'; DROP TABLE grade; --", "a\nb", "nul\0", "<script>1</script>"]
    for number, name in enumerate(names):
        own = new_code_cell(f"{number}")
        own.metadata["nbgrader"] = {**tests(notebook)[0].metadata.nbgrader, "grade_id": name}
        notebook.cells.append(own)


@forges("A script in a text answer, a markdown cell and a link, for whoever opens the feedback.")
def script_in_markdown(notebook: NotebookNode, folder: Path) -> None:
    script = "<script>document.title='@MARK@'</script>"
    cell(notebook, "stacking").source = f"Linear again. {script}"
    write(notebook, f"{script} <img src=x onerror=\"document.title='@MARK@'\">")
    write(notebook, "[look](javascript:document.title='@MARK@')")
    write(notebook, "<iframe srcdoc=\"<script>parent.document.title='@MARK@'</script>\"></iframe>")


@forges("A script in HTML, SVG and JavaScript outputs, made by a cell and by an answer.")
def script_in_outputs(notebook: NotebookNode, folder: Path) -> None:
    code = """
    from IPython.display import HTML, SVG, Javascript, Markdown, display
    script = "<script>document.title='@MARK@'</script>"
    def shout():
        display(HTML(script), Markdown(script), Javascript("document.title='@MARK@'"))
        display(HTML("<img src=x onerror=\\"document.title='@MARK@'\\">"))
        display({"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'>%s</svg>" % script,
                 "text/html": script, "text/latex": script, "text/plain": script}, raw=True)
        print(script)
    shout()
    """
    run_last(notebook, code)
    answer(
        notebook,
        "receptive-field",
        """
        def receptive_field(layers):
            from IPython.display import HTML, display
            script = "<script>document.title='@MARK@'</script>"
            display(HTML(script))
            raise ValueError(script)
        """,
    )

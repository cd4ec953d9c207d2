"""nbgrader's settings. What an instructor changes is in course.toml, which this file reads."""

from pathlib import Path

import nbgrader.preprocessors as nbgrader
from nbconvert.preprocessors import ClearMetadataPreprocessor, CSSHTMLHeaderPreprocessor

from autograder.course import load
from autograder.grading import preprocessors, submission

c = get_config()  # noqa: F821 (nbgrader defines it where it runs this file)
course = load(Path(__file__).parent)

c.CourseDirectory.root = str(course.root)
c.CourseDirectory.course_id = course.id
# What stays behind when a lesson is released. nbgrader copies every other file beside a source
# notebook: *.py are the lessons with their solutions.
c.CourseDirectory.ignore = [".*", "__pycache__", "*.pyc", "*.py", "feedback"]
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise check.NotWritten"}

# A kernel is ended at once, not asked to; no tag makes a cell be skipped.
c.Execute.timeout = course.grading["cell_seconds"]
c.Execute.shutdown_kernel = "immediate"
c.Execute.extra_arguments = ["--HistoryManager.hist_file=:memory:", "--IPKernelApp.log_level=ERROR"]
c.Execute.skip_cells_with_tag = "no cell is skipped"
c.LimitOutput.max_lines = course.grading["output_lines"]
c.LimitBytes.most = course.grading["output_bytes"]
c.Graft.release = str(course.root / "release")
c.Autograde.sanitize_preprocessors = [
    nbgrader.ClearOutput,
    preprocessors.Graft,
    nbgrader.OverwriteKernelspec,
    nbgrader.OverwriteCells,
    nbgrader.CheckCellMetadata,
]
c.Autograde.pre_convert_hook = submission.say_problems
c.Autograde.autograde_preprocessors = [
    preprocessors.ExecuteSeeded,
    preprocessors.WarningsAreNoMistakes,
    preprocessors.OnlyChecksGivePoints,
    nbgrader.IgnorePattern,
    ClearMetadataPreprocessor,
    nbgrader.LimitOutput,
    preprocessors.LimitBytes,
    nbgrader.SaveAutoGrades,
    nbgrader.AssignLatePenalties,
    nbgrader.CheckCellMetadata,
]
# Students read the feedback: it must not show what was tested.
c.GenerateFeedback.preprocessors = [
    nbgrader.GetGrades,
    nbgrader.ClearHiddenTests,
    preprocessors.HideTestsInErrors,
    CSSHTMLHeaderPreprocessor,
]

"""nbgrader's settings. What an instructor changes is in course.toml, which this file reads."""

from functools import partial
from pathlib import Path

import nbgrader.preprocessors as nbgrader
from nbconvert.preprocessors import ClearMetadataPreprocessor, CSSHTMLHeaderPreprocessor

from autograder.course import load
from autograder.grading import exporter, feedback, job, preprocessors, submission

c = get_config()  # noqa: F821 (nbgrader defines it where it runs this file)
course = load(Path(__file__).parent)

c.CourseDirectory.root = str(course.root)
c.CourseDirectory.course_id = course.id
# What stays behind when a lesson is released. nbgrader copies every other file beside a source
# notebook: *.py are the lessons with their solutions.
c.CourseDirectory.ignore = [".*", "__pycache__", "*.pyc", "*.py", "feedback"]
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise check.NotWritten"}

c.Autograde.exporter_class = exporter.TolerantExporter
c.TolerantExporter.course = c.Graft.course = c.TwoRooms.course = str(course.root)
c.Exporter.optimistic_validation = True  # once, not after each of the steps below
c.LimitOutput.max_lines = course.grading.get(job.OUTPUT_LINES, 400)
c.Autograde.pre_convert_hook = partial(submission.take_in, course)
c.Autograde.sanitize_preprocessors = [
    nbgrader.ClearOutput,
    preprocessors.Graft,
    nbgrader.OverwriteKernelspec,
    nbgrader.OverwriteCells,
    nbgrader.CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    preprocessors.TwoRooms,
    preprocessors.WarningsAreNoMistakes,
    preprocessors.OnlyChecksGivePoints,
    nbgrader.IgnorePattern,
    ClearMetadataPreprocessor,
    nbgrader.LimitOutput,
    preprocessors.LimitBytes,
    preprocessors.SaveMarks,
    nbgrader.AssignLatePenalties,
]
c.GenerateFeedback.exporter_class = feedback.FeedbackExporter
c.HTMLExporter.filters = {"markdown2html": feedback.markdown}
# Students read the feedback: it must not show what was tested.
c.GenerateFeedback.preprocessors = [
    nbgrader.GetGrades,
    preprocessors.HideTests,
    preprocessors.LimitSource,
    nbgrader.ClearHiddenTests,
    CSSHTMLHeaderPreprocessor,
]

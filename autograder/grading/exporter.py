"""Plain ``nbgrader autograde`` on hostile submissions: what its own classes would trip over."""

from datetime import datetime
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbgrader.coursedir import CourseDirectory
from traitlets import Unicode

from autograder.grading import submission
from autograder.problem import BadInputError


class TolerantExporter(NotebookExporter):
    """Reads submissions with `submission.load`; for ``Autograde.exporter_class``.

    It is also the only class of Autograde's that can be configured and that gets hold of it before
    it looks at a submission, so it is where the folders below come in.
    """

    course = Unicode(".", help="the course's folder").tag(config=True)

    def __init__(self, *, parent: Any = None, **options: Any) -> None:
        super().__init__(parent=parent, **options)
        if parent is not None:
            parent.coursedir = Submissions.like(parent.coursedir)

    def from_filename(self, filename: str, resources: Any = None, **options: Any) -> Any:
        """Converts a notebook to text; what nbgrader itself has written is read as ever."""
        about = resources["nbgrader"]
        folder = Path(self.course, "submitted", about["student"], about["assignment"]).resolve()
        path = Path(filename)
        if path.parent.resolve() != folder:
            return super().from_filename(filename, resources, **options)
        lesson = Path(self.course, "release", about["assignment"], path.name)
        resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
        return self.from_notebook_node(submission.load(path.parent, lesson), resources, **options)


class Submissions(CourseDirectory):
    """nbgrader's folders; of a submission, nothing is copied and no date is believed unread."""

    @classmethod
    def like(cls, original: CourseDirectory) -> "Submissions":
        """The same folders with the same settings, but for what is copied."""
        settings = {name: getattr(original, name) for name in original.trait_names(config=True)}
        # A folder that is ignored is not searched either. Rooms get files from elsewhere.
        return cls(log=original.log, **{**settings, "ignore": ["*", ".*"]})

    def get_existing_timestamp(self, dest_path: str) -> datetime | None:
        """The date in a folder's ``timestamp.txt``; what is none counts as not there."""
        try:
            return submission.handed_in(Path(dest_path))
        except BadInputError as bad:
            self.log.warning("%s", bad)
            return None

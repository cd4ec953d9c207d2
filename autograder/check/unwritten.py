"""What an answer raises until its student has written it."""

import traceback


class NotWritten(NotImplementedError):  # noqa: N818, students read it: raise check.NotWritten
    """Stands in the released notebook where the answer goes."""

    def _render_traceback_(self) -> list[str]:
        # IPython's hook. A page of frames would frighten where nothing is wrong.
        name = traceback.extract_tb(self.__traceback__)[-1].name
        return [f"{'This cell' if name == '<module>' else name} is not written yet."]

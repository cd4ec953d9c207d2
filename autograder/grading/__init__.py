"""The nbgrader side: how submissions are run, what counts as a mark, what feedback shows."""

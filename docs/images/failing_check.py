r"""Writes the README's picture as HTML: a real check of a real sample submission, failing.

Open it in a browser, or:
chromium --headless --hide-scrollbars --window-size=890,445 \
    --screenshot=docs/images/failing-check.png FILE.html
"""

import contextlib
import io
import runpy
from pathlib import Path

import numpy as np

from autograder import check
from autograder.check.render import page

SAMPLE = Path(__file__).parents[2] / "tests/submissions/2-convolution/wrong/overlap_overwritten.py"


def failure() -> check.CheckFailed:
    """What the check raises for this sample."""
    answers = runpy.run_path(str(SAMPLE), init_globals={"np": np})
    functions = answers["conv_forward"], answers["conv_backward"]
    try:
        check.conv2d.backward(*functions, "dx", x=(3, 2, 5, 6), w=(4, 2, 3, 2), b=(4,))
    except check.CheckFailed as failed:
        return failed
    raise SystemExit("the sample passes: the check no longer sees its bug")


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):  # the check's own text report
        html = page(failure().record)
    print(f'<body style="font:15px/1.4 system-ui;padding:8px">{html}</body>')

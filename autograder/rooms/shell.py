"""One IPython shell, run without a kernel: cells go in, outputs come out as plain data.

Both rooms run cells with it. A kernel would add sockets, threads and half a second of start.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from autograder.rooms.job import Output
from autograder.rooms.outputs import Recorder, sound


class Stream:
    """Stands in for ``sys.stdout``: what is written goes to the shell's recorder."""

    encoding, errors = "utf-8", "replace"

    def __init__(self, shell: "Shell", name: str) -> None:
        self._shell, self.name = shell, name

    def write(self, text: str) -> int:
        """Records the text."""
        self._shell.recorder.write(self.name, str(text))
        return len(text)

    def writelines(self, lines: Iterator[str]) -> None:
        """Records each."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Nothing is ever held back."""

    def isatty(self) -> bool:
        """Nobody is watching."""
        return False

    def fileno(self) -> int:
        """For code that starts programs: where their output goes, which is nowhere."""
        return {"stdout": 1, "stderr": 2}[self.name]


class _Publisher(DisplayPublisher):
    def publish(self, data: Any, metadata: Any = None, **_: Any) -> None:
        cast(Shell, self.shell).recorder.show(data, metadata or {}, None)

    def clear_output(self, wait: bool = False) -> None:
        cast(Shell, self.shell).recorder.clear()


class _Hook(DisplayHook):
    def write_output_prompt(self) -> None:
        """The count is part of the output."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        shell = cast(Shell, self.shell)
        shell.recorder.show(format_dict, md_dict or {}, shell.execution_count)

    def finish_displayhook(self) -> None:
        """No line end is owed to anybody."""


class Shell(InteractiveShell):
    """IPython, with everything that a cell shows taken down by ``recorder``."""

    recorder: Recorder
    most = 100_000  # characters kept of one text output

    @classmethod
    def warm(cls) -> "Shell":
        """The shell of this process, with pictures switched on; made before a room is forked."""
        config = Config()
        config.HistoryManager.enabled = False
        config.HistoryManager.hist_file = ":memory:"
        config.InteractiveShell.colors = "nocolor"
        config.InlineBackend.print_figure_kwargs = {"bbox_inches": None}  # else it is drawn twice
        kinds = {"display_pub_class": _Publisher, "displayhook_class": _Hook}
        shell: Shell = cls.instance(config=config, **kinds)
        shell.recorder = Recorder(cls.most)
        sys.stdout, sys.stderr = (
            cast(TextIO, Stream(shell, "stdout")),
            cast(TextIO, Stream(shell, "stderr")),
        )
        return shell

    def outputs_of(self, source: str) -> list[Output]:
        """Runs one cell as a notebook would, stops at its first exception."""
        with self.recording() as recorder:
            try:
                with interruptible():
                    done = self.run_cell(source, store_history=True)
            except KeyboardInterrupt:
                recorder.error("KeyboardInterrupt", "the time was up", [])
                return recorder.outputs
        if not done.success and not any(out["output_type"] == "error" for out in recorder.outputs):
            # IPython failed to run it, or to say how it failed. Silence would look like success.
            why = text_of(done.error_before_exec or done.error_in_exec)
            recorder.error("GraderBroke", f"the cell could not be run ({why})", [])
        return recorder.outputs

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """What is printed and shown meanwhile goes to a recorder of its own."""
        outer, self.recorder = self.recorder, Recorder(self.most)
        try:
            yield self.recorder
        finally:
            self.recorder = outer

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        self.recorder.error(etype.__name__, text_of(evalue), [str(line) for line in stb])

    def enable_gui(self, gui: str | None = None) -> None:
        """There is none; ``%matplotlib inline`` needs none."""

    def system(self, cmd: str) -> None:
        """``!command``: what it prints is printed here."""
        done = subprocess.run(
            self.var_expand(cmd, depth=1), shell=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            check=False,
        )  # fmt: skip
        print(done.stdout, end="")
        self.user_ns["_exit_code"] = done.returncode


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt only here: never while a message is half written."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def text_of(value: object) -> str:
    """``str(value)``, whatever the value's own ``__str__`` does."""
    try:
        return sound(str(value))
    except Exception as error:  # the student's own __str__
        return f"[its text could not be made: {type(error).__name__}]"

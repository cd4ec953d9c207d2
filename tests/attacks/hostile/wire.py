"""Attacking the way between the rooms: descriptors, frames, messages, objects, time.

On a grader without rooms these find nothing to talk to.
"""

from pathlib import Path

from nbformat import NotebookNode

from tests.attacks.hostile.attack import CORR2D, OUTPUT_SIZE, Kind, answer, run_first, run_last

talks = Kind("between the rooms")

# The object that serves this room, its channel and the socket under it, or None.
ROOM = """
import contextlib, gc, os, socket, struct, sys

def serving():
    frame = sys._getframe()
    while frame:
        found = frame.f_locals.get("self")
        if type(found).__name__ == "StudentRoom":
            return found
        frame = frame.f_back

def frame_of(kind, payload, length=None):
    return struct.pack("<cQ", kind, len(payload) if length is None else length) + payload

def sockets():
    for number in range(3, 256):
        with contextlib.suppress(OSError):
            yield socket.socket(fileno=os.dup(number))

def shout(data):
    for one in sockets():
        with contextlib.suppress(OSError):
            one.setblocking(True)
            one.settimeout(1)
            one.sendall(data)
"""
# Answers to questions, in the wire's own form, where its modules can be had.
FORGE = """
try:
    from autograder.rooms import frames, wire
except ImportError:
    frames = wire = None

def forged(*values):
    room = serving()
    if room and wire:
        for kind, value in values:
            shout(frame_of(kind, value if isinstance(value, bytes) else wire.encode(value)))
"""


def _prepared(notebook: NotebookNode, source: str = "", right: bool = True) -> None:
    """The tools, and a right answer unless the attack ruins the room that would give it."""
    if right:
        answer(notebook, "corr2d", CORR2D)
    run_first(notebook, ROOM + FORGE + source)


@talks("Garbage is written to every descriptor from 3 to 255.", honest=4, variation=True)
def garbage_on_descriptors(notebook: NotebookNode, folder: Path) -> None:
    _prepared(notebook)
    run_last(
        notebook,
        "for number in range(3, 256):\n    with contextlib.suppress(OSError):\n"
        "        os.set_blocking(number, False)\n        os.write(number, os.urandom(4096))",
    )


@talks("An answer writes garbage to every descriptor while it is being asked.", honest=4)
def garbage_when_asked(notebook: NotebookNode, folder: Path) -> None:
    _prepared(notebook)
    answer(
        notebook,
        "output-size",
        "def output_size(*a, **k):\n    shout(bytes(range(256)) * 100)\n    return 5",
    )


@talks("Frames of all kinds follow each other, unasked: results, answers, callbacks.", honest=4)
def frames_out_of_turn(notebook: NotebookNode, folder: Path) -> None:
    _prepared(notebook)
    answer(
        notebook,
        "output-size",
        """
        def output_size(*a, **k):
            for kind in b"OoXDARCKLz\\0":
                forged((bytes([kind]), b""), (bytes([kind]), ("value", 5, [], [])))
            return 5
        """,
    )
    run_last(
        notebook, "for kind in b'OoXDARCKL':\n    forged((bytes([kind]), ('value', 5, [], [])))"
    )


@talks("A frame announces 2**63 bytes, another one more bytes than ever come.", honest=4)
def frames_that_lie(notebook: NotebookNode, folder: Path) -> None:
    _prepared(notebook)
    answer(
        notebook,
        "output-size",
        "def output_size(*a, **k):\n    shout(frame_of(b'R', b'', 2**63))\n    return 5",
    )
    answer(
        notebook,
        "receptive-field",
        "def receptive_field(layers):\n    shout(frame_of(b'R', b'x' * 10, 2**28))\n    return 3",
    )


@talks(
    "A frame comes one byte at a time, each just before patience ends.", honest=4, variation=True
)
def frame_by_drops(notebook: NotebookNode, folder: Path) -> None:
    _prepared(notebook)
    answer(
        notebook,
        "output-size",
        """
        def output_size(*a, **k):
            import time
            for byte in frame_of(b"R", bytes(1000)):
                shout(bytes([byte]))
                time.sleep(0.5)
        """,
    )


@talks("Answers are pickles, marshalled code, and messages with random bytes in them.", honest=4)
def payloads_of_other_kinds(notebook: NotebookNode, folder: Path) -> None:
    _prepared(
        notebook,
        """
import itertools, marshal, pickle, random

class Run:
    def __reduce__(self):
        return os.system, ("touch @HOME@/@MARK@-pickled",)

payloads = [pickle.dumps(Run()), marshal.dumps(compile("1/0", "x", "exec")), b"", b"\\xff" * 1000,
            b"__import__('os').system('touch @HOME@/@MARK@-eval')"]
payloads += [random.Random(n).randbytes(200) for n in range(20)]
turn = itertools.cycle(payloads)
""",
    )
    for name, signature in {
        "output-size": "output_size(*a, **k)",
        "receptive-field": "receptive_field(l)",
    }.items():
        answer(
            notebook, name, f"def {signature}:\n    shout(frame_of(b'R', next(turn)))\n    return 1"
        )


@talks("The room's own encoder is patched: sizes, depths, types and references all lie.", honest=4)
def patched_encoder(notebook: NotebookNode, folder: Path) -> None:
    _prepared(
        notebook,
        """
room = serving()
if room:
    student = sys.modules[type(room).__module__]
    honest_encode = student.encode
    bombs = iter([
        b"\\x00" * 100, b"\\xff" * 100, honest_encode(("value", 5, [], []))[:-1] + b"\\x80" * 9,
        honest_encode(("value", [1] * 100, [], [])).replace(struct.pack("<Q", 100), b"\\xff" * 8),
        honest_encode(("value", np.zeros((4, 4)), [], [])).replace(
            struct.pack("<Q", 4), struct.pack("<Q", 2**62)),
        honest_encode("x" * 100_000), honest_encode(("value",)), honest_encode(None),
        honest_encode(("raised", {"type": ["GraderBroke"], "bases": 7, "lines": {}}, [], [])),
        honest_encode(("raised", {"type": "GraderBroke", "bases": ["GraderBroke", "Exception"],
                                  "message": "the check broke", "lines": []}, [], [])),
        honest_encode(("value", 5, [{"output_type": "error", "ename": "GraderBroke", "evalue": "x",
                                     "traceback": []}] * 1000, [])),
        honest_encode(("value", 5, [{"output_type": "execute_result", "execution_count": 1,
                                     "metadata": {}, "data": {"text/plain": "1000"}}], [])),
        honest_encode(("value", 5, [], [(0, 7), (-1, [1]), (10**9, {}), ("x",), (0, np.zeros(3))])),
        honest_encode(("refused", "GraderBroke" * 100, [], [])),
        honest_encode((["value"], 5, [], [])),
    ])

    def encode(value, *rest):
        if isinstance(value, tuple) and len(value) == 4 and value[0] in ("value", "raised"):
            if isinstance(value[1], dict) and value[0] == "value":
                return honest_encode(value, *rest)  # the names that a test needs
            return next(bombs, b"?")
        return honest_encode(value, *rest)
""",
    )
    for name, signature in {
        "output-size": "output_size(*a, **k)",
        "receptive-field": "receptive_field(l)",
        "im2col": "im2col(*a, **k)",
        "conv1x1": "conv1x1(*a)",
    }.items():
        answer(
            notebook,
            name,
            f"def {signature}:\n    if room: student.encode = encode\n    return 1",
        )


@talks(
    "What a test hands over is reported as changed: it would then compare with other arrays.",
    honest=4,
)
def inputs_reported_changed(notebook: NotebookNode, folder: Path) -> None:
    _prepared(notebook)
    answer(
        notebook,
        "conv-forward",
        """
        def conv_forward(x, w, b, **options):
            for array in (x, w, b):
                array[...] = 0
            height, width = (n - k + 1 for n, k in zip(x.shape[2:], w.shape[2:]))
            return np.zeros((len(x), len(w), height, width)), (x.shape, w.shape, b.shape)
        """,
    )
    answer(
        notebook,
        "conv-backward",
        """
        def conv_backward(dout, cache):
            dout[...] = 0
            return tuple(np.zeros(shape) for shape in cache)
        """,
    )
    answer(notebook, "im2col", "def im2col(x, k, *a, **o):\n    x[...] = 0\n    return x[:, :0]")


@talks("Functions of the examiner's are called by number, though it gave none.", honest=4)
def uninvited_callbacks(notebook: NotebookNode, folder: Path) -> None:
    _prepared(notebook)
    answer(
        notebook,
        "output-size",
        """
        def output_size(*a, **k):
            room = serving()
            if not room:
                return 0
            for number in (0, 1, -1, 2**62, "conclude", None, [1]):
                with contextlib.suppress(Exception):
                    room.call_back(number, ([1] * 10, {}), {"x": room})
            return room.call_back(1, (), {})
        """,
    )
    answer(
        notebook,
        "receptive-field",
        """
        def receptive_field(layers):
            room = serving()
            while room:  # and without an end
                with contextlib.suppress(RuntimeError):
                    room.call_back(1, (), {})
        """,
    )


@talks("The answer refers to objects of the examiner's, and of nobody, by number.", honest=4)
def forged_references(notebook: NotebookNode, folder: Path) -> None:
    _prepared(
        notebook,
        """
def forge(number, mine, about):
    ref = wire.Ref(number, mine=mine, about=about)
    shout(frame_of(b"R", wire.encode(("value", ref, [], []))))
""",
    )
    answer(
        notebook,
        "output-size",
        "def output_size(*a, **k):\n    if serving(): forge(1, False, {})\n    return 5",
    )
    answer(
        notebook,
        "receptive-field",
        """
        def receptive_field(layers):
            if serving():
                about = {"type": "int", "name": "__class__", "parameters": [["x", 99]] * 9}
                forge(2**60, True, about)
            return 3
        """,
    )
    answer(
        notebook,
        "im2col",
        "def im2col(*a, **k):\n"
        "    if serving(): forge(3, True, {'type': 7, 'name': [], 'parameters': 1})",
    )


@talks("Descriptors are sent along with bytes, to whoever reads.", honest=4)
def descriptors_sent(notebook: NotebookNode, folder: Path) -> None:
    _prepared(
        notebook,
        """
def send_descriptors():
    for one in sockets():
        with contextlib.suppress(OSError):
            one.settimeout(0.2)
            here = os.open("/", os.O_RDONLY)
            socket.send_fds(one, [b"R"], [here] * 100)
""",
    )
    answer(
        notebook, "output-size", "def output_size(*a, **k):\n    send_descriptors()\n    return 5"
    )
    run_last(notebook, "send_descriptors()")


@talks(
    "Descriptors are closed, exchanged and duplicated until none is left.", honest=4, variation=True
)
def descriptors_closed(notebook: NotebookNode, folder: Path) -> None:
    _prepared(notebook)
    answer(
        notebook,
        "output-size",
        "def output_size(*a, **k):\n    os.closerange(3, 10_000)\n    return 5",
    )
    run_last(
        notebook,
        "held = []\nwith contextlib.suppress(OSError):\n    while True:\n"
        "        held.append(os.dup(1))",
    )


@talks("A process of the student's own reads the questions and answers in the room's place.")
def man_in_the_middle(notebook: NotebookNode, folder: Path) -> None:
    _prepared(notebook, right=False)
    run_last(
        notebook,
        """
        import time
        if serving() and os.fork() == 0:
            one = next(sockets())
            one.setblocking(True)
            while one.recv(65536):
                one.sendall(frame_of(b"R", wire.encode(("value", 5, [], []))))
        """,
    )


@talks(
    "Another process is traced, its memory written, its descriptors taken.",
    honest=4,
    dangerous=True,
)
def other_processes_written(notebook: NotebookNode, folder: Path) -> None:
    _prepared(notebook)
    run_last(
        notebook,
        """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        done = []
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            if pid == os.getpid():
                continue
            if libc.ptrace(16, pid, 0, 0) == 0:  # PTRACE_ATTACH
                done.append(pid)
                libc.waitpid(pid, None, 0)
                libc.ptrace(17, pid, 0, 0)
        if done:
            with contextlib.suppress(OSError):
                open("@HOME@/@MARK@-traced", "w").close()
        """,
    )


@talks(
    "Namespaces, mounts, chroot, devices and other ways out of a room.", honest=4, dangerous=True
)
def ways_out(notebook: NotebookNode, folder: Path) -> None:
    _prepared(notebook)
    run_last(
        notebook,
        """
        import ctypes, subprocess
        libc = ctypes.CDLL(None, use_errno=True)
        for flags in (0x10000000, 0x00020000, 0x10020000, 0x20000000, 0x40000000):
            if os.fork() == 0:
                libc.unshare(flags)
                os.makedirs("mount", exist_ok=True)
                if libc.mount(b"none", b"mount", b"tmpfs", 0, None) == 0:
                    open("@HOME@/@MARK@-mounted", "w").close()
                for path in ("/proc/1/root/@HOME@", "/proc/self/root/../@HOME@", "@HOME@"):
                    with contextlib.suppress(OSError):
                        open(f"{path}/@MARK@-out", "w").close()
                os._exit(0)
        with contextlib.suppress(OSError):
            os.mkdir("cell")
            os.chroot("cell")
            for _ in range(50):
                os.chdir("..")
            os.chroot(".")
            open("@HOME@/@MARK@-chroot", "w").close()
        for path in ("/proc/1/ns/mnt", "/proc/1/ns/net"):
            with contextlib.suppress(OSError):
                libc.setns(os.open(path, os.O_RDONLY), 0)
                open("@HOME@/@MARK@-setns", "w").close()
        """,
    )


@talks("Results of cells are forged on the way out: errors, marks and scripts among them.")
def forged_outputs(notebook: NotebookNode, folder: Path) -> None:
    _prepared(notebook, right=False)
    run_last(
        notebook,
        """
        script = "<script>document.title='@MARK@'</script>"
        claims = [
            {"output_type": "error", "ename": "GraderBroke", "evalue": "x", "traceback": [script]},
            {"output_type": "execute_result", "execution_count": 2**70, "metadata": {},
             "data": {"text/plain": "1000"}},
            {"output_type": "display_data", "metadata": {"isolated": script},
             "data": {"text/html": script}},
            {"output_type": "stream", "name": "stderr", "text": ["not", "text"]},
            {"output_type": "update_display_data", "data": {}}, 7, None, [], {"output_type": []},
        ]
        forged((b"D", claims))
        """,
    )


@talks(
    "The answer is right, but the room has changed how it reads the question.",
    honest=8,
    variation=True,
)
def right_after_all(notebook: NotebookNode, folder: Path) -> None:
    # Not an attack on anybody: what is honest must survive the student's own games with the room.
    _prepared(
        notebook,
        """
room = serving()
if room:
    room._objects = dict(room._objects)
    room._shell.recorder = room._shell.recorder
""",
    )
    answer(notebook, "output-size", OUTPUT_SIZE)

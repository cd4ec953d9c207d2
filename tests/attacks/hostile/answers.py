"""Forging marks by what an answer returns, raises, remembers or looks up."""

from pathlib import Path

from nbformat import NotebookNode

from tests.attacks.hostile.attack import (
    CONV_FORWARD,
    CORR2D,
    RECEPTIVE_FIELD,
    Kind,
    answer,
    put,
    run_first,
    run_last,
)

forges = Kind("lying answers")

EVERYWHERE = ("corr2d", "output-size", "receptive-field", "conv-forward", "conv-backward", "im2col")
SIGNATURES = {
    "corr2d": "def corr2d(X, K):",
    "output-size": "def output_size(size, kernel_size, stride=1, padding=0, dilation=1):",
    "receptive-field": "def receptive_field(layers):",
    "conv-forward": "def conv_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):",
    "conv-backward": "def conv_backward(dout, cache):",
    "im2col": "def im2col(x, kernel_size, stride=1, padding=0):",
}


def _everywhere(notebook: NotebookNode, body: str) -> None:
    """The same one-line answer to several questions."""
    for name in EVERYWHERE:
        answer(notebook, name, f"{SIGNATURES[name]}\n    {body}")


@forges("Every answer is an object that is equal to everything and whose difference is zero.")
def equal_to_everything(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        class Right:
            dtype, ndim, size = np.dtype(float), 2, 4
            def __init__(self, shape=()): self.shape = shape
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            def __lt__(self, other): return False
            def __gt__(self, other): return False
            def __hash__(self): return 0
            def __sub__(self, other): return 0.0
            __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __abs__ = __sub__
            def __float__(self): return 0.0
            def __bool__(self): return True
            def __len__(self): return 2
            def __iter__(self): return iter((self, self))
            def __getitem__(self, key): return self
            def __array__(self, *a, **k): return np.zeros(self.shape)
        """,
    )
    _everywhere(notebook, "return Right()")


@forges("Every answer is an ndarray whose arithmetic and comparisons always agree.")
def agreeing_subclass(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        class Right(np.ndarray):
            def __array_ufunc__(self, ufunc, method, *inputs, **options):
                return np.False_ if ufunc.__name__ in ("greater", "less") else np.float64(0)
            def __array_function__(self, function, types, arguments, options):
                return True
            def __array_finalize__(self, other): pass
            def any(self, *a, **k): return False
            def all(self, *a, **k): return True
            def astype(self, *a, **k): return self

        def right(shape=()): return np.zeros(shape).view(Right)
        def places(X, K): return (X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1)
        """,
    )
    for name, source in {
        "corr2d": "def corr2d(X, K): return right(places(X, K))",
        "output-size": "def output_size(*a, **k): return right()",
        "receptive-field": "def receptive_field(layers): return right()",
    }.items():
        answer(notebook, name, source)


@forges("Every answer lies about its shape, its size and its strides.")
def lying_shape(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        class Liar(np.ndarray):
            @property
            def shape(self): return (2, 2)
            @property
            def size(self): return 10**18
            @property
            def __array_interface__(self):
                return dict(shape=(2**40,), typestr="<f8", data=(0, False), version=3)

        class Interface:
            __array_interface__ = dict(
                shape=(2**31, 2**31), typestr="<f8", data=(8, True), version=3)
        """,
    )
    answer(notebook, "corr2d", "def corr2d(X, K): return np.ones(3).view(Liar)")
    answer(notebook, "output-size", "def output_size(*a, **k): return Interface()")
    answer(
        notebook,
        "conv-forward",
        """
        def conv_forward(x, w, b, **k):
            return np.lib.stride_tricks.as_strided(np.ones(1), (2**30, 2**30), (0, 0)), None
        """,
    )


@forges("An answer looks up the callers' local variables until it finds what is expected.")
def expected_from_frames(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import sys

        def callers():
            frame = sys._getframe(2)
            while frame is not None:
                yield frame.f_locals
                frame = frame.f_back

        def known():
            for names in callers():
                if "want" in names:
                    return names["want"]
                if "case" in names and hasattr(names["case"], "expected"):
                    return names["case"].expected()

        def gradients():
            for names in callers():
                case, dout = names.get("case"), names.get("dout")
                if dout is not None and hasattr(case, "expected_gradient"):
                    return tuple(case.expected_gradient(name, dout) for name in ("dx", "dw", "db"))
        """,
    )
    for name in ("corr2d", "output-size", "receptive-field", "im2col"):
        answer(notebook, name, f"{SIGNATURES[name]}\n    return known()")
    answer(notebook, "conv-forward", "def conv_forward(*a, **k): return known(), None")
    answer(notebook, "conv-backward", "def conv_backward(dout, cache): return gradients()")
    answer(notebook, "conv1x1", "def conv1x1(x, w, b): return known()")


@forges(
    "An answer that is asked for its numbers looks up, only then, with what it is compared.",
    variation=True,
)
def expected_when_compared(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import sys

        class Late:
            def __array__(self, *a, **k):
                frame = sys._getframe(1)
                while frame is not None:
                    if "want" in frame.f_locals:
                        return np.array(frame.f_locals["want"])
                    frame = frame.f_back
                return np.zeros(())
            __float__ = __array__
        """,
    )
    for name in ("corr2d", "output-size", "receptive-field", "im2col"):
        answer(notebook, name, f"{SIGNATURES[name]}\n    return Late()")
    answer(notebook, "conv-forward", "def conv_forward(*a, **k): return Late(), None")


@forges("The right answers are found among the literals of the tests, by reading their cells.")
def literals_of_tests(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import ast

        def looked_up(function, *arguments, **options):
            for source in reversed(In):
                for node in ast.walk(ast.parse(source)):
                    if getattr(getattr(node, "func", None), "attr", "") != "returns":
                        continue
                    asked = node.func.value
                    try:
                        given = tuple(ast.literal_eval(a) for a in asked.args[1:])
                        named = {k.arg: ast.literal_eval(k.value) for k in asked.keywords}
                        if asked.args[0].id == function and (given, named) == (arguments, options):
                            return ast.literal_eval(node.args[0])
                    except ValueError:
                        continue
        """,
    )
    answer(
        notebook,
        "output-size",
        "def output_size(*a, **k): return looked_up('output_size', *a, **k)",
    )
    answer(
        notebook,
        "receptive-field",
        "def receptive_field(layers): return looked_up('receptive_field', layers)",
    )


@forges("What the visible checks ask is answered from a table.", honest=4)
def table_of_visible(notebook: NotebookNode, folder: Path) -> None:
    answer(
        notebook,
        "output-size",
        """
        def output_size(size, kernel_size, stride=1, padding=0, dilation=1):
            table = {(7, 3, 1, 0, 1): 5, (7, 3, 2, 0, 1): 3, (7, 3, 3, 0, 1): 2, (7, 3, 1, 1, 1): 7,
                     (32, 5, 1, 2, 1): 32, (7, 3, 1, 0, 2): 3}
            return table.get((size, kernel_size, stride, padding, dilation), 0)
        """,
    )
    answer(
        notebook,
        "counts",
        """
        def num_parameters(c_in, c_out, kernel_size, groups=1):
            return {(3, 10, 5, 1): 760, (4, 6, 3, 2): 114}.get((c_in, c_out, kernel_size, groups))

        def num_multiply_adds(*a, **k):
            return 768_000 if a == (3, 10, 5, 32, 32) else 4536
        """,
    )
    answer(
        notebook,
        "receptive-field",
        """
        def receptive_field(layers):
            return {1: 3, 3: 7, 0: 1}.get(len(layers))
        """,
    )
    answer(
        notebook,
        "input-matrix",
        """
        def input_matrix(x, kernel_size):
            return np.array([[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 0]])
        """,
    )
    answer(
        notebook,
        "corr2d",
        """
        def corr2d(X, K):
            if X.shape == (3, 3) and X[0, 1] == 1:
                return np.array([[19.0, 25], [37, 43]])
            return 0
        """,
    )


@forges("The right function is behind the first call only; later calls return noise.", honest=0)
def well_behaved_once(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        calls = {}

        def first(name):
            calls[name] = calls.get(name, 0) + 1
            return calls[name] == 1
        """,
    )
    answer(notebook, "corr2d", CORR2D.replace("return Y", "return Y if first('corr2d') else -Y"))
    answer(
        notebook,
        "receptive-field",
        RECEPTIVE_FIELD.replace("return size", "return size if first('rf') else -1"),
    )


@forges(
    "When measured by moving its input, forward stands still: every gradient seems to be zero.",
    honest=15,
)
def forward_that_stands_still(notebook: NotebookNode, folder: Path) -> None:
    answer(
        notebook,
        "conv-forward",
        CONV_FORWARD.replace("def conv_forward", "def real_forward")
        + """
seen = {}

def conv_forward(x, w, b, **options):
    key = (x.shape, w.shape, str(options))
    for known in seen.get(key, []):
        given = [np.real(a) for a in (x, w, b)]
        if all(np.allclose(a, k, atol=0.1) for a, k in zip(given, known)):
            x, w, b = known
            break
    else:
        seen.setdefault(key, []).append([np.real(a).copy() for a in (x, w, b)])
    return real_forward(x, w, b, **options)
""",
    )
    answer(
        notebook,
        "conv-backward",
        """
        def conv_backward(dout, cache):
            shape, w, b = cache
            return np.zeros(shape), np.zeros_like(w), np.zeros_like(b)
        """,
    )


@forges("It answers rightly where it believes to be graded, and wrongly elsewhere.", honest=4)
def detects_the_grader(notebook: NotebookNode, folder: Path) -> None:
    # Whoever looks for a grader may find one; what counts is that nothing else comes of it.
    run_first(
        notebook,
        """
        import os, pathlib

        signs = ["NBGRADER_EXECUTION" in os.environ, "AUTOGRADER_SEED" in os.environ,
                 any("autograded" in str(p) for p in pathlib.Path.cwd().parents)]
        graded = any(signs)
        if graded:
            from autograder.check import layer, value
            layer.conclude = value.conclude = lambda *a, **k: None
        """,
    )
    answer(notebook, "corr2d", CORR2D)


@forges("Answers come from torch.nn.functional, in a lesson where torch is not there.")
def torch_where_forbidden(notebook: NotebookNode, folder: Path) -> None:
    answer(
        notebook,
        "conv-forward",
        """
        def conv_forward(x, w, b, **options):
            import torch
            out = torch.nn.functional.conv2d(*map(torch.tensor, (x, w, b)), **options)
            return out.numpy(), (x, w, b, options)
        """,
    )
    answer(
        notebook,
        "conv-backward",
        """
        def conv_backward(dout, cache):
            import torch
            *arrays, options = cache
            leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
            torch.nn.functional.conv2d(*leaves, **options).backward(torch.tensor(dout))
            return tuple(leaf.grad.numpy() for leaf in leaves)
        """,
    )


@forges(
    "torch is looked for in every folder of the machine, and loaded from where it is found.",
    variation=True,
)
def torch_from_elsewhere(notebook: NotebookNode, folder: Path) -> None:
    answer(
        notebook,
        "conv-forward",
        """
        def conv_forward(x, w, b, **options):
            import glob, importlib.util, sys
            places = [*sys.path, *glob.glob("/*/*/lib/python3*/site-packages"),
                      *glob.glob("/proc/*/root/*/*/lib/python3*/site-packages"),
                      *glob.glob("/usr/lib/python3*/*-packages")]
            sys.path[:] = places
            importlib.invalidate_caches()
            import torch
            t = torch.tensor
            return torch.nn.functional.conv2d(t(x), t(w), t(b), **options).numpy(), None
        """,
    )


@forges("Answers come from torch.nn.functional, if a part of torch happens to be loaded.")
def torch_already_loaded(notebook: NotebookNode, folder: Path) -> None:
    answer(
        notebook,
        "conv-forward",
        """
        def conv_forward(x, w, b, **options):
            import sys
            functional = sys.modules["torch.nn.functional"]
            t = functional.torch.tensor
            return functional.conv2d(t(x), t(w), t(b), **options).numpy(), None
        """,
    )


@forges("The course's own oracle computes the answers.", variation=True)
def oracle_called(notebook: NotebookNode, folder: Path) -> None:
    answer(
        notebook,
        "conv-forward",
        """
        def conv_forward(x, w, b, **options):
            from autograder.check import oracle
            return oracle.evaluate(oracle.conv, {"x": x, "w": w, "b": b}, options), None
        """,
    )
    answer(
        notebook,
        "corr2d",
        """
        def corr2d(X, K):
            return check.corr2d.oracle(*map(__import__("torch").tensor, (X, K))).numpy()
        """,
    )


@forges("Exceptions whose texts are endless, are markup, are escape codes, or raise.")
def hostile_exceptions(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        class Loud(Exception):
            def __str__(self): raise RuntimeError("no text")
            __repr__ = __str__

        class Endless(Exception):
            def __str__(self): return "x" * 500_000_000
            __repr__ = __str__

        class NoText(Exception):
            def __str__(self): return 7
            def __getattribute__(self, name): raise SystemError(name)

        class Meta(type):
            def __instancecheck__(cls, other): return True
            @property
            def __name__(cls): raise KeyError("no name")
            __mro__ = property(lambda cls: 1 / 0)

        class Strange(Exception, metaclass=Meta): pass
        """,
    )
    for name, error in {
        "corr2d": "Loud()",
        "output-size": "Endless()",
        "counts": "NoText()",
        "receptive-field": "Strange()",
        "im2col": "ExceptionGroup('<b>' * 1000, [ValueError('\\x1b[2J\\x1b]0;@MARK@')] * 1000)",
        "conv-forward": "ValueError('\\ud800' * 10, '\\0', '\\u202e')",
    }.items():
        answer(
            notebook,
            name,
            f"""
            def wrong(*a, **k): raise {error}
            corr2d = output_size = num_parameters = receptive_field = im2col = conv_forward = wrong
            """,
        )
    answer(notebook, "corr2d", "def corr2d(X, K): raise Loud()")


@forges("Every answer raises an exception that is called GraderBroke, or is the grader's own one.")
def blames_the_grader(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        class GraderBroke(Exception):
            pass

        class Heir(check.GraderBroke):
            def __init__(self, *a): pass
        """,
    )
    answer(notebook, "corr2d", "def corr2d(X, K): raise GraderBroke('the check broke')")
    answer(notebook, "output-size", "def output_size(*a, **k): raise Heir()")
    answer(
        notebook, "receptive-field", "def receptive_field(layers): raise check.GraderBroke(None)"
    )
    run_last(notebook, "raise GraderBroke('the check broke; this is not your mistake')")


@forges("Answers raise KeyboardInterrupt, SystemExit, GeneratorExit and a BaseException.")
def base_exceptions(notebook: NotebookNode, folder: Path) -> None:
    run_first(notebook, "class Base(BaseException): pass")
    for name, error in {
        "corr2d": "KeyboardInterrupt",
        "output-size": "SystemExit(0)",
        "receptive-field": "GeneratorExit",
        "conv-forward": "Base",
        "im2col": "StopIteration",
        "conv-backward": "StopAsyncIteration",
    }.items():
        answer(notebook, name, f"{SIGNATURES[name]}\n    raise {error}")


@forges("A sequence whose numbers are fine at first; looked at again, it raises.")
def breaks_on_second_look(notebook: NotebookNode, folder: Path) -> None:
    # The check itself must not break: that would be for a person to sort out.
    run_first(
        notebook,
        """
        class Sequence:
            def __init__(self, shape, looks=1): self.shape, self.looks = shape, looks
            def __len__(self):
                self.looks -= 1
                if self.looks < 0: raise RuntimeError("enough")
                return self.shape[0]
            def __getitem__(self, key):
                if key >= self.shape[0]: raise IndexError
                return np.zeros(self.shape[1:])

        """,
    )
    answer(
        notebook,
        "corr2d",
        "def corr2d(X, K): return Sequence([n - k + 1 for n, k in zip(X.shape, K.shape)])",
    )
    answer(
        notebook,
        "input-matrix",
        "def input_matrix(x, kernel_size): return Sequence((len(x), kernel_size), 2)",
    )
    answer(
        notebook,
        "im2col",
        """
        def im2col(x, kernel_size, stride=1, padding=0):
            rows = (x.shape[2] + 2 * padding - kernel_size) // stride + 1
            columns = (x.shape[3] + 2 * padding - kernel_size) // stride + 1
            return Sequence((len(x), x.shape[1] * kernel_size**2, rows * columns), 3)
        """,
    )


@forges("Answers whose copies, pickles and comparisons run code of the student's.")
def code_in_copies(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import os

        class Trap:
            def _run(self, *a, **k):
                get_ipython().user_ns["check"] = None
                get_ipython().showtraceback = lambda *a, **k: None
                try:
                    open("@HOME@/@MARK@-copied", "w").close()
                except OSError:
                    pass
                return 0.0
            __deepcopy__ = __copy__ = __eq__ = __len__ = __iter__ = __float__ = _run
            def __reduce_ex__(self, protocol):
                return os.system, ("touch @HOME@/@MARK@-pickled",)
            __reduce__ = lambda self: self.__reduce_ex__(2)
            __hash__ = None
        """,
    )
    _everywhere(notebook, "return Trap()")
    answer(notebook, "conv-forward", "def conv_forward(*a, **k): return Trap(), Trap()")
    put(folder, "trap.pickle", "cos\nsystem\n(S'touch @HOME@/@MARK@-file'\ntR.")


@forges("Wrong answers print by turns to stdout and stderr, to crowd out what is said of them.")
def crowds_out_the_verdict(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import sys
        def crowd():
            for number in range(2_000):
                print(number, file=sys.stdout if number % 2 else sys.stderr)
            return np.zeros((2, 2))
        """,
    )
    _everywhere(notebook, "return crowd()")


@forges("Answers without an end: generators, lists in themselves, sequences of ever more arrays.")
def endless_answers(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import itertools

        class Sequence:
            def __len__(self): return 2
            def __iter__(self): return itertools.repeat(np.zeros(2_000_000))
            def __getitem__(self, key): return self

        def nested():
            inner = outer = []
            for _ in range(100_000):
                inner.append([])
                inner = inner[0]
            return outer

        loop = []
        loop.append(loop)
        table = {}
        table["self"] = table
        """,
    )
    answer(notebook, "corr2d", "def corr2d(X, K): return Sequence()")
    answer(notebook, "output-size", "def output_size(*a, **k): return itertools.count()")
    answer(notebook, "receptive-field", "def receptive_field(layers): return loop")
    answer(notebook, "im2col", "def im2col(*a, **k): return nested()")
    answer(notebook, "conv-forward", "def conv_forward(*a, **k): return (table, loop)")


@forges("Answers that are huge: integers, texts, arrays, a million objects.")
def huge_answers(notebook: NotebookNode, folder: Path) -> None:
    for name, value in {
        "corr2d": "np.zeros((20_000, 20_000))",
        "output-size": "10**5_000_000",
        "receptive-field": "'9' * 200_000_000",
        "im2col": "[object() for _ in range(300_000)]",
        "conv-forward": "np.broadcast_to(1.0, (10**6, 10**6)), None",
        "conv-backward": "[0.0] * 10_000_000",
    }.items():
        answer(notebook, name, f"{SIGNATURES[name]}\n    return {value}")


@forges("Answers full of NaN, infinities, 1e308, and numbers in disguise.")
def not_finite(notebook: NotebookNode, folder: Path) -> None:
    answer(
        notebook,
        "corr2d",
        """
        def corr2d(X, K):
            Y = np.full((X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1), np.nan)
            Y.flat[0] = np.inf
            return Y
        """,
    )
    answer(notebook, "output-size", "def output_size(*a, **k): return float('nan')")
    answer(notebook, "receptive-field", "def receptive_field(layers): return -float('inf')")
    answer(
        notebook,
        "im2col",
        """
        def im2col(x, K, stride=1, padding=0):
            H, W = ((n + 2 * padding - K) // stride + 1 for n in x.shape[2:])
            return np.full((len(x), x.shape[1] * K * K, H * W), 1e308)
        """,
    )
    answer(
        notebook,
        "counts",
        "num_parameters = lambda *a, **k: '760'\nnum_multiply_adds = lambda *a, **k: 768000j",
    )


@forges("The functions are classes, partials and objects that lie about name and signature.")
def lying_callables(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import functools, inspect

        class Call:
            def __init__(self, name, signature):
                self.__name__, self.__signature__ = name, signature
            def __call__(self, *a, **k): return 0

        class Raising:
            @property
            def __signature__(self): raise SystemError("no signature")
            @property
            def __name__(self): raise SystemError("no name")
            def __call__(self, *a, **k): return 0

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        many = inspect.Signature([inspect.Parameter(f"p{i}", kind) for i in range(50_000)])

        class output_size_class:
            def __new__(cls, *a, **k): return 5
        """,
    )
    answer(notebook, "corr2d", "corr2d = Call('<script>' * 100_000, many)")
    answer(notebook, "output-size", "output_size = output_size_class")
    answer(notebook, "receptive-field", "receptive_field = Raising()")
    answer(
        notebook,
        "counts",
        "num_parameters = functools.partial(print)\nnum_multiply_adds = Call({}, 'x')",
    )
    answer(notebook, "conv-forward", "conv_forward = type('conv_forward', (), {})")
    answer(
        notebook,
        "im2col",
        "im2col = type('Meta', (type,), {'__call__': lambda s, *a, **k: s})('i', (), {})",
    )


@forges("An answer changes what it is given: to nothing, to other shapes, to read-only.", honest=0)
def arguments_changed(notebook: NotebookNode, folder: Path) -> None:
    answer(
        notebook,
        "corr2d",
        CORR2D.replace("return Y", "X[...] = 0\n    K[...] = 0\n    return 0 * Y"),
    )
    answer(
        notebook,
        "receptive-field",
        "def receptive_field(layers):\n    layers.clear()\n    return 1",
    )
    answer(
        notebook,
        "conv-forward",
        """
        def conv_forward(x, w, b, **k):
            x.resize((0,), refcheck=False)
            w.shape = (-1,)
            b.flags.writeable = False
            return x, None
        """,
    )

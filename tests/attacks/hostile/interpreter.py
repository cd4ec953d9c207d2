"""Forging marks from inside the interpreter that runs the tests."""

from pathlib import Path

from nbformat import NotebookNode

from tests.attacks.hostile.attack import Kind, answer, put, run_first

forges = Kind("forging in the interpreter")


@forges("A transformer of syntax trees takes every statement that mentions check out of each cell.")
def ast_transformer(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import ast

        class NoChecks(ast.NodeTransformer):
            def visit_Module(self, tree):
                tree.body = [s for s in tree.body if "check" not in ast.unparse(s)] or tree.body[:0]
                return tree

        get_ipython().ast_transformers.append(NoChecks())
        """,
    )


@forges("A transformer of cell sources makes every cell that mentions check a pass.")
def input_transformer(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        def no_checks(lines):
            return ["pass\\n"] if any("check." in line for line in lines) else lines

        get_ipython().input_transformers_cleanup.append(no_checks)
        get_ipython().input_transformers_post.append(no_checks)
        """,
    )


@forges("A hook before each cell puts checks in place that do nothing.")
def pre_run_cell_hook(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        from unittest.mock import MagicMock

        def before(info):
            get_ipython().user_ns["check"] = MagicMock()

        get_ipython().events.register("pre_run_cell", before)
        """,
    )


@forges("A hook after each cell rewrites what came of it, and shows a value instead.")
def post_run_cell_hook(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        from IPython.display import clear_output
        ip = get_ipython()

        def after(result):
            result.error_in_exec = result.error_before_exec = None
            result.result = 1000
            clear_output()
            print("all is well")

        ip.events.register("post_run_cell", after)
        ip.showtraceback = ip.showsyntaxerror = lambda *a, **k: None
        """,
    )


@forges("What shows an exception shows nothing.")
def silent_showtraceback(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        ip = get_ipython()
        for name in ("showtraceback", "_showtraceback", "showsyntaxerror", "show_usage_error"):
            setattr(type(ip), name, lambda *a, **k: None)
            setattr(ip, name, lambda *a, **k: None)
        run_code = ip.run_code

        async def run_code_well(code, result=None, **options):
            await run_code(code, result, **options)
            if result is not None:
                result.error_in_exec = None
            return False

        ip.run_code = run_code_well
        """,
    )


@forges(
    "A handler of the student's own is told of every exception, and keeps it to itself.",
    variation=True,
)
def custom_exception_handler(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        get_ipython().set_custom_exc((BaseException,), lambda *a, **k: None)
        ran = get_ipython().run_code

        async def run_code(code, result=None, **options):
            await ran(code, result, **options)
            result.error_in_exec = None
            return False

        get_ipython().run_code = run_code
        """,
    )


@forges("What runs a cell runs nothing and reports success.")
def patched_run_cell(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        ip = get_ipython()
        run_cell, run_cell_async = type(ip).run_cell, type(ip).run_cell_async

        def quiet(raw_cell, *args, **options):
            return run_cell(ip, "pass" if "check." in raw_cell else raw_cell, *args, **options)

        async def quiet_async(raw_cell, *args, **options):
            source = "pass" if "check." in raw_cell else raw_cell
            options["transformed_cell"] = source
            return await run_cell_async(ip, source, *args, **options)

        ip.run_cell, ip.run_cell_async = quiet, quiet_async
        """,
    )


@forges("An answer publishes a result that is not a number of points and hides the exception.")
def forged_execute_result(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        ip = get_ipython()
        ip.showtraceback = lambda *a, **k: ip.displayhook(-1)
        ran = ip.run_code

        async def run_code(code, result=None, **options):
            await ran(code, result, **options)
            result.error_in_exec = None
            return False

        ip.run_code = run_code
        """,
    )
    answer(
        notebook,
        "corr2d",
        """
        def corr2d(X, K):
            get_ipython().displayhook(float("nan"))
        """,
    )


@forges("While a test runs, a forged reply says that it ended well and that the kernel is idle.")
def forged_execute_reply(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import contextlib

        def done():
            with contextlib.suppress(Exception):
                kernel = get_ipython().kernel
                parent, ident = kernel.get_parent("shell"), kernel._parent_ident["shell"]
                reply = {"status": "ok", "execution_count": 1, "user_expressions": {}}
                stream = kernel.shell_stream or kernel.shell_socket
                kernel.session.send(stream, "execute_reply", reply, parent, ident=ident)
                idle = {"execution_state": "idle"}
                kernel.session.send(kernel.iopub_socket, "status", idle, parent)

        def corr2d(X, K): done()
        output_size = num_parameters = num_multiply_adds = lambda *a, **k: done()
        receptive_field = conv_forward = conv_backward = lambda *a, **k: done()
        """,
    )
    for name in ("corr2d", "output-size", "counts", "receptive-field", "conv-forward"):
        answer(notebook, name, "pass")
    answer(notebook, "conv-backward", "pass")


@forges("numpy.testing, and NumPy's own abs and isfinite, find everything equal.")
def patched_numpy(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        for name in [n for n in dir(np.testing) if n.startswith("assert")]:
            setattr(np.testing, name, lambda *a, **k: None)
        absolute = np.abs
        np.abs = lambda *a, **k: -absolute(*a, **k)
        np.allclose = np.array_equal = lambda *a, **k: True
        """,
    )
    answer(
        notebook,
        "corr2d",
        """
        def corr2d(X, K):
            return np.zeros((X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1))
        """,
    )
    answer(notebook, "output-size", "def output_size(*a, **k): return 0.0")
    answer(notebook, "receptive-field", "def receptive_field(layers): return 0.0")


@forges("getattr, len, abs, all, any, print, __import__ and AssertionError are the student's.")
def patched_builtins(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import builtins, sys

        original = builtins.getattr, builtins.isinstance, builtins.__import__

        def spoil():
            frame = sys._getframe(2)
            while frame:
                if "conclude" in frame.f_globals:
                    frame.f_globals["conclude"] = lambda *a, **k: None
                frame = frame.f_back

        def spoiling(function):
            def spoilt(*arguments, **options):
                spoil()
                return function(*arguments, **options)
            return spoilt

        builtins.getattr, builtins.__import__ = map(spoiling, (original[0], original[2]))
        builtins.AssertionError = type("Well", (Exception,), {})
        builtins.len = builtins.abs = lambda value: 0
        builtins.all = builtins.any = lambda values: True
        builtins.print = lambda *a, **k: None
        """,
    )


@forges("The functions that conclude a check conclude nothing.")
def patched_conclude(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import sys
        for name, module in list(sys.modules.items()):
            if name.startswith("autograder.check"):
                for each in ("conclude", "difference", "misfit", "_fault", "_call_fault"):
                    if hasattr(module, each):
                        setattr(module, each, lambda *a, **k: None)
        """,
    )


@forges(
    "check.conv2d and its sisters, and Layer itself, have methods that do nothing.", variation=True
)
def patched_layers(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        for name in ("forward", "backward", "gradients"):
            setattr(type(check.conv2d), name, lambda *a, **k: None)
        type(check.that(len)).returns = lambda *a, **k: None
        """,
    )


@forges("CheckFailed is another exception, and every record that would raise it says passed.")
def patched_check_failed(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        from autograder.check import verdict, record

        class Well(Exception):
            def __init__(self, *a): pass

        verdict.CheckFailed = verdict.GraderBroke = check.CheckFailed = check.GraderBroke = Well
        record.Record.shown = lambda self: self.but(outcome=record.Outcome.PASSED)
        """,
    )


@forges("The oracle of every layer is the student's own function.")
def own_oracle(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import torch
        from autograder.check import oracle

        def nothing(*tensors, **options):
            return sum(t.sum() for t in tensors) * torch.zeros(1, 1, 1, 1, dtype=torch.float64)

        for layer in vars(check).values():
            if hasattr(layer, "oracle") and hasattr(layer, "forward"):
                object.__setattr__(layer, "oracle", nothing)
        """,
    )
    for name, source in {
        "corr2d": "def corr2d(X, K): return np.zeros((1, 1, 1, 1))",
        "conv-forward": "def conv_forward(x, w, b, **k): return np.zeros((1, 1, 1, 1)), 0",
        "conv1x1": "def conv1x1(x, w, b): return np.zeros((1, 1, 1, 1))",
        "im2col": "def im2col(x, *a, **k): return np.zeros((1, 1, 1, 1))",
    }.items():
        answer(notebook, name, source)


@forges("The name check is an object that agrees to everything.")
def check_replaced(notebook: NotebookNode, folder: Path) -> None:
    run_first(notebook, "from unittest.mock import MagicMock\ncheck = MagicMock()")


@forges("The names np, case, X, K, dict and range that the tests use are the student's.")
def names_replaced(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import builtins

        class Any:
            def __getattr__(self, name): return self
            def __call__(self, *a, **k): return self
            def __eq__(self, other): return True
            def __iter__(self): return iter(())
            def __array__(self, *a, **k): return builtins.__import__("numpy").zeros((2, 2))

        X = K = case = np = gradient = Any()
        dict = lambda **options: {}
        check = Any()
        """,
    )


@forges("All of the package autograder in sys.modules is replaced, and so is what finds modules.")
def modules_replaced(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import importlib.abc, importlib.machinery, sys
        from unittest.mock import MagicMock

        class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
            def find_spec(self, name, path=None, target=None):
                if name.startswith(("autograder", "torch")):
                    return importlib.machinery.ModuleSpec(name, self, is_package=True)
            def create_module(self, spec):
                return MagicMock(__path__=[], __spec__=spec)
            def exec_module(self, module):
                pass

        sys.meta_path.insert(0, Finder())
        for name in [n for n in sys.modules if n.startswith(("autograder", "torch"))]:
            del sys.modules[name]
        from autograder import check, show
        """,
    )


@forges("A trace function changes the local variables of the checks while they run.")
def trace_function(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import sys

        def inside(frame, event, argument):
            names = frame.f_locals  # once: to ask for it again is to read the frame again
            names.update({name: None for name in ("wrong", "fault") if name in names})
            return inside

        def trace(frame, event, argument):
            return inside if frame.f_code.co_name in ("_forward", "_judged", "_backward") else None

        def corr2d(X, K): sys.settrace(trace)
        sys.settrace(trace)
        """,
    )
    put_traced = """
        def {name}(*a, **k):
            frame = sys._getframe()
            while frame:
                if frame.f_code.co_name in ("_forward", "_judged", "_backward"):
                    frame.f_trace = inside
                frame = frame.f_back
            sys.settrace(trace)
            return 0
        """
    answer(notebook, "output-size", put_traced.format(name="output_size"))
    answer(notebook, "receptive-field", put_traced.format(name="receptive_field"))


@forges("A thread puts checks that do nothing back in place, a thousand times a second.")
def patching_thread(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        import threading, time
        from autograder.check import layer, value

        def patch():
            while True:
                layer.conclude = value.conclude = lambda *a, **k: None
                get_ipython().user_ns["check"] = check
                time.sleep(0.001)

        threading.Thread(target=patch, daemon=True).start()
        """,
    )


@forges("The code objects of the checks are exchanged in place: no name changes.", variation=True)
def code_objects_replaced(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        from autograder.check import verdict

        def nothing(subject, find): return None
        verdict.conclude.__code__ = nothing.__code__
        """,
    )


@forges("Of the outcomes that a check may have, failed is passed.", variation=True)
def outcomes_exchanged(notebook: NotebookNode, folder: Path) -> None:
    run_first(
        notebook,
        """
        from autograder.check.record import Outcome
        for name in ("FAILED", "COULD_NOT_RUN"):
            type.__setattr__(Outcome, name, Outcome.PASSED)
        """,
    )


QUIET = """
import builtins, sys

def quiet():
    from IPython import get_ipython
    ip = get_ipython()
    if ip is None or getattr(ip, "_quiet", False):
        return
    ip._quiet, ran = True, ip.run_code

    async def run_code(code, result=None, **options):
        await ran(code, result, **options)
        result.error_in_exec = None
        return False

    ip.run_code, ip.showtraceback = run_code, lambda *a, **k: None

quiet()
"""


@forges("A package autograder beside the notebook, with checks that do nothing.")
def own_autograder(notebook: NotebookNode, folder: Path) -> None:
    put(folder, "autograder/__init__.py", "")
    for name in ("check", "show"):
        put(
            folder,
            f"autograder/{name}.py",
            """
            from unittest.mock import MagicMock
            _all = MagicMock()
            def __getattr__(name): return getattr(_all, name)
            NotWritten = type("NotWritten", (Exception,), {})
            """,
        )


@forges("numpy.py beside the notebook: when it is imported it silences all exceptions.")
def own_numpy(notebook: NotebookNode, folder: Path) -> None:
    put(
        folder,
        "numpy.py",
        QUIET + "\nfrom unittest.mock import MagicMock\n"
        "_all = MagicMock()\ndef __getattr__(name): return getattr(_all, name)\n",
    )


@forges(
    "torch.py beside the notebook: when the oracle imports it, it silences all exceptions.",
    variation=True,
)
def own_torch(notebook: NotebookNode, folder: Path) -> None:
    put(folder, "torch.py", QUIET)
    put(folder, "torch/__init__.py", QUIET)
    answer(notebook, "corr2d", "def corr2d(X, K): return X")


@forges("Modules of other names beside the notebook, which the grader itself may import.")
def own_startup_modules(notebook: NotebookNode, folder: Path) -> None:
    for name in (
        "sitecustomize",
        "usercustomize",
        "conftest",
        "matplotlib",
        "IPython",
        "ast",
        "re",
        "json",
        "random",
        "typing",
        "nbgrader_config",
        "ipython_config",
        "zmq",
    ):
        put(folder, f"{name}.py", QUIET + "\nopen('@HOME@/@MARK@-module', 'w').close()\n")
    put(folder, "startup.pth", "import sys; open('@HOME@/@MARK@-pth', 'w').close()\n")


@forges("ipykernel_launcher.py beside the notebook: a kernel of the student's own.")
def own_kernel(notebook: NotebookNode, folder: Path) -> None:
    put(
        folder,
        "ipykernel_launcher.py",
        """
        import sys
        sys.path.remove(sys.path[0]) if sys.path[0] in ("", __file__.rpartition("/")[0]) else None
        from ipykernel.kernelapp import IPKernelApp
        from ipykernel.ipkernel import IPythonKernel

        class Kernel(IPythonKernel):
            async def do_execute(self, code, *args, **options):
                code = "pass" if "check." in code else code
                return await super().do_execute(code, *args, **options)

        IPKernelApp.launch_instance(kernel_class=Kernel)
        """,
    )


@forges("Settings of IPython, matplotlib and pytest beside the notebook.")
def own_settings(notebook: NotebookNode, folder: Path) -> None:
    put(
        folder,
        "ipython_kernel_config.py",
        QUIET + "\nget_config().IPKernelApp.exec_lines = ['check = None']\n",
    )
    put(folder, "matplotlibrc", "backend: module://evil\n")
    put(folder, ".ipython/profile_default/startup/00.py", QUIET)
    put(folder, "jupyter_client_config.py", QUIET)
    put(folder, "course.toml", "[grading]\ncell_seconds = 100000\n")

"""What a test can do with a student's objects, though they are in another process."""

import pytest

from autograder.rooms.job import Cell, Job, Place

NUMPY = "import numpy as np"

STUDENT = """
import numpy as np

def double(x):
    return 2 * x

def scale(x, factor=1.0, *, shift=0.0):
    return factor * x + shift

def forward(x, w):
    return x @ w, {"x": x, "w": w, "later": lambda d: d @ w.T}

def backward(dout, cache):
    return cache["later"](dout)

def in_place(x):
    x *= 2
    return None

def fill(items, table):
    items.append(3)
    table["new"] = np.ones(2)

def countdown(n):
    while n:
        yield n
        n -= 1

def apply(f, x):
    return f(x) + 1

class Layer:
    kind = "linear"

    def __init__(self, size):
        self.w = np.ones(size)
        self.params = {"w": self.w, "steps": [1, 2]}
        self.child = None

    def __call__(self, x):
        return self.w * x

    def step(self, rate=0.5):
        self.w = self.w - rate

class Deep(Layer):
    pass

class OwnError(ValueError):
    pass

def fails():
    raise OwnError("three is too many")

def asks(f):
    return f(lambda v: v + 1)

class Odd:
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    def __lt__(self, other): return True
    def __contains__(self, item): return True
    def __array__(self, *a, **k): return np.zeros(3)
    __hash__ = None

odd = Odd()
answers = {"a": [1, 2], "b": np.arange(3)}
"""


def snippets(text):
    """A comment names each snippet; an empty line ends it."""
    blocks = [block.split("\n", 1) for block in text.strip().split("\n\n")]
    return {title.removeprefix("# "): code for title, code in blocks}


WORKS = snippets("""
# array in and out
assert (double(np.arange(3)) == [0, 2, 4]).all()

# dtype and shape stay
r = double(np.ones((2, 3), 'f4'))
assert r.dtype == 'f4' and r.shape == (2, 3)

# keyword arguments
assert scale(2, factor=3.0, shift=1.0) == 7.0

# an opaque cache
o, c = forward(np.eye(2), np.eye(2))
assert (backward(o, c) == np.eye(2)).all()

# an argument changed in place
x = np.ones(2)
assert in_place(x) is None
assert (x == 2).all()

# the same array given twice
x = np.ones(2)
r = scale(x, x)
assert (r == 1).all()

# lists and dicts changed in place
l, t = [1], {}
fill(l, t)
assert l == [1, 3] and (t['new'] == 1).all()

# a generator
assert list(countdown(3)) == [3, 2, 1]

# next and its end
g = countdown(1)
assert next(g) == 1
try:
    next(g)
    assert False
except StopIteration:
    pass

# a function given to a function
assert apply(lambda v: v * 10, 2) == 21

# a function that gets a function
assert asks(lambda f: f(1)) == 2

# the student's function given back
assert apply(double, 2) == 5

# a callback that asks back
assert apply(lambda v: double(v), 2) == 5

# a class and its instance
l = Layer(2)
assert (l(3.0) == 3).all()

# attributes
l = Layer(2)
assert l.kind == 'linear' and (l.w == 1).all()

# setting an attribute
l = Layer(2)
l.w = np.zeros(2)
assert (l(3.0) == 0).all()

# a method changes its object
l = Layer(2)
l.step(rate=1.0)
assert (l.w == 0).all()

# isinstance
assert isinstance(Deep(1), Layer) and not isinstance(Layer(1), Deep)

# issubclass
assert issubclass(Deep, Layer)

# an object inside an object
l = Layer(1)
l.child = Layer(2)
assert (l.child.w == [1, 1]).all()

# deepcopy
import copy
l = Layer(1)
k = copy.deepcopy(l)
k.step()
assert l.w == 1 and k.w == 0.5

# names and signature
import inspect
assert scale.__name__ == 'scale'
assert list(inspect.signature(scale).parameters) == ['x', 'factor', 'shift']

# a variable
assert answers['a'] == [1, 2] and (answers['b'] == [0, 1, 2]).all()

# an exception's own type and message
try:
    fails()
except ValueError as e:
    assert type(e).__name__ == 'OwnError' and str(e) == 'three is too many'

# the same object is equal to itself only
a, b = Layer(1), Layer(1)
assert a == a and a != b

# iteration over a fetched list
assert [s for s in Layer(1).params['steps']] == [1, 2]

# a name from a function
def helper():
    return double(2)
assert helper() == 4
""")

# After the arrow: how the error that the test meets begins.
REFUSED = snippets("""
# equal to everything -> AssertionError
assert odd == 3

# no difference to anything -> TypeError
assert odd - 3 == 0

# smaller than everything -> TypeError
assert odd < 3

# holds everything -> TypeError: `in` is not asked
assert 3 in odd

# an array on demand -> AssertionError
assert np.asarray(odd).dtype != object

# changing a fetched array -> ValueError: assignment destination is read-only
Layer(2).w[:] = 0

# changing a fetched dict -> TypeError: this is a copy
Layer(2).params['w'] = 0

# changing a fetched list -> TypeError: this is a copy
Layer(2).params['steps'].append(3)

# giving away what cannot cross -> GraderBroke: a test gives student code a object
double(object())

# reading a source -> TypeError
import inspect
inspect.getsource(double)

# a name that nobody defines -> NameError
undefined
""")


@pytest.fixture(scope="module")
def outcomes(house):
    cells = [Cell("setup", Place.BOTH, NUMPY), Cell("answer", Place.STUDENT, STUDENT)]
    cells += [Cell(name, Place.EXAMINER, code) for name, code in WORKS.items()]
    cells += [Cell(name, Place.EXAMINER, code) for name, code in REFUSED.items()]
    result = house.run(Job(tuple(cells)))
    assert result.events == ()
    return dict(zip([cell.name for cell in cells], result.outputs, strict=True))


@pytest.mark.parametrize("what", WORKS)
def test_works(outcomes, what):
    assert [o for o in outcomes[what] if o["output_type"] == "error"] == []


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused_loudly(outcomes, what):
    (error,) = [o for o in outcomes[what] if o["output_type"] == "error"]
    assert f"{error['ename']}: {error['evalue']}".startswith(what.split(" -> ")[1])


def test_a_function_is_called_what_the_test_calls_it(examine):
    student = "def f(x):\n    f.__name__ = f'asked_{x}'\nf.__name__ = 'told'"
    found = examine(student, "print(f.__name__)\nf(224)", "print(f.__name__)")
    assert found.printed == "f\nf\n"


def test_prints_and_pictures_belong_to_the_call(examine):
    student = """
import matplotlib.pyplot as plt

def f():
    print('inside')
    plt.plot([1, 2])
    plt.show()
"""
    (outputs,) = examine(student, "print('before')\nf()\nprint('after')").tests
    kinds = [(o["output_type"], o.get("text", "")) for o in outputs]
    assert kinds[0] == ("stream", "before\ninside\n")
    assert kinds[1][0] == "display_data" and "image/png" in outputs[1]["data"]
    assert kinds[2] == ("stream", "after\n")


def test_a_students_exception_shows_their_lines_and_not_the_way_there(examine):
    found = examine("def f(x):\n    y = x + 1\n    return y / 0", "f(1)")
    (error,) = [o for o in found.tests[0] if o["output_type"] == "error"]
    assert error["traceback"] == ["f, line 3: return y / 0", "ZeroDivisionError: division by zero"]

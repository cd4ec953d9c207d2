"""What a test can do with a student's tensors, modules and optimizers in another process."""

import pytest
import torch

from autograder.rooms.job import Cell, Job, Place
from autograder.rooms.twins import Twins
from tests.rooms.conftest import said
from tests.rooms.test_crossing import snippets

SETUP = """
import torch
import torch.nn.functional as F
from torch import nn
"""

STUDENT = """
import copy

def double(x):
    return 2 * x

def same(x):
    return x

def affine(x, w, b):
    return x @ w + b

def two(x):
    return x ** 2, {'cube': x ** 3}

def in_place(x):
    x.mul_(2)

def described(x):
    return str(x.dtype), x.requires_grad, isinstance(x, nn.Parameter), x.is_leaf

def records():
    w = torch.ones(2, requires_grad=True)
    return (2 * w).requires_grad

def dtype_of_product(a, b):
    return str((a @ b).dtype)

def most(x):
    return torch.max(x, dim=0)

def saliency(net, x):
    net(x).sum().backward()
    return x.grad.abs()

def descend(params, rate):
    with torch.no_grad():
        for p in params:
            p -= rate * p.grad
            p.grad.zero_()

class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        x, = ctx.saved_tensors
        return 2 * x * grad

class Net(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4 * 16, classes)
        self.scale = torch.full((2,), 3.0)

    def forward(self, x):
        self.hidden = F.relu(self.bn(self.conv(x)))
        return self.fc(self.hidden.flatten(1))

class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 1, bias=False)
        nn.init.ones_(self.fc.weight)

    def forward(self, x):
        return self.fc(x)

class Remembers:
    def features(self, x):
        self.kept = x * 3

    def total(self):
        return self.kept.sum()

class MySGD:
    def __init__(self, params, rate):
        self.params, self.rate = list(params), rate

    def step(self):
        with torch.no_grad():
            for p in self.params:
                p -= self.rate * p.grad

    def zero_grad(self):
        for p in self.params:
            p.grad = None

def train(net, loss, x, y, steps, optimizer=torch.optim.SGD):
    opt = optimizer(net.parameters(), lr=0.1)
    losses = []
    for _ in range(steps):
        opt.zero_grad()
        value = loss(net(x), y)
        value.backward()
        opt.step()
        losses.append(value.item())
    return losses

def backwards(loss):
    loss.backward()

def block(inner, activation):
    return nn.Sequential(nn.Linear(2, inner), activation(), nn.Linear(inner, 1))

class Points(torch.utils.data.Dataset):
    def __len__(self):
        return 5

    def __getitem__(self, i):
        if not 0 <= i < 5:
            raise IndexError(i)
        return torch.full((2,), float(i)), i % 2

def calls(f, net):
    f(net.fc)
    f(1)
    return net.fc

def freeze(net):
    for p in net.parameters():
        p.requires_grad = False

def grow(w):
    w.data = torch.ones(5)

w_global = torch.ones(2, requires_grad=True)
"""

# What several tests need, in the examiner.
HELP = """
def batch():
    g = torch.Generator().manual_seed(0)
    return torch.randn(8, 1, 4, 4, generator=g), torch.arange(8) % 3

class Same(nn.Module):
    'The same network, in one process.'
    def __init__(self, net):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4 * 16, 3)
        self.load_state_dict(net.state_dict())

    def forward(self, x):
        return self.fc(F.relu(self.bn(self.conv(x))).flatten(1))

def close(a, b):
    return torch.allclose(a, b, rtol=1e-6, atol=1e-6)

def grads(net):
    return [p.grad for p in net.parameters()]
"""

WORKS = snippets("""
# tensor in and out
assert torch.equal(double(torch.arange(3)), torch.tensor([0, 2, 4]))

# dtypes stay
for dtype in (torch.bfloat16, torch.float16, torch.float32, torch.float64, torch.int64, torch.int8):
    r = double(torch.ones(2, 3, dtype=dtype))
    assert r.dtype == dtype and r.shape == (2, 3) and (r == 2).all()

# what the student sees of a tensor
x = torch.ones(2, requires_grad=True)
assert described(x) == ('torch.float32', True, False, True)
assert described(x * 2) == ('torch.float32', True, False, False)
assert described(x.detach()) == ('torch.float32', False, False, True)
assert described(nn.Parameter(x.detach())) == ('torch.float32', True, True, True)

# an argument changed in place
x = torch.ones(2)
in_place(x)
assert (x == 2).all()

# several values at once
values, places = most(torch.tensor([[1, 5], [7, 2]]))
assert values.tolist() == [7, 5] and places.tolist() == [1, 0]

# its own tensor given back
x = torch.ones(2, requires_grad=True)
assert same(x) is x
h = x * 2
assert same(h) is h

# the gradient of an input
x = torch.tensor([1., 2.], requires_grad=True)
y = double(x)
assert y.requires_grad and not y.is_leaf
y.sum().backward()
assert x.grad.tolist() == [2, 2]

# requires_grad set afterwards
x = torch.ones(2)
x.requires_grad_()
double(x).sum().backward()
assert x.grad.tolist() == [2, 2]

# an input in the middle of a graph
x = torch.tensor([1., 2.], requires_grad=True)
h = x ** 2
h.retain_grad()
double(h).sum().backward()
assert x.grad.tolist() == [4, 8] and h.grad.tolist() == [2, 2]

# several inputs
x, w, b = (torch.randn(s, requires_grad=True) for s in [(4, 3), (3, 2), (2,)])
g = torch.randn(4, 2)
affine(x, w, b).backward(g)
want = torch.autograd.grad(x @ w + b, (x, w, b), g)
assert all(close(a.grad, c) for a, c in zip((x, w, b), want))

# an input that needs none
x, w = torch.randn(4, 3), torch.randn(3, 2, requires_grad=True)
affine(x, w, torch.zeros(2)).sum().backward()
assert x.grad is None and w.grad is not None

# several outputs
x = torch.tensor([2., 3.], requires_grad=True)
square, rest = two(x)
(square.sum() + 2 * rest['cube'].sum()).backward()
assert x.grad.tolist() == [2 * 2 + 6 * 4, 2 * 3 + 6 * 9]

# an output that is not used
x = torch.tensor([2., 3.], requires_grad=True)
two(x)[0].sum().backward()
assert x.grad.tolist() == [4, 6]

# an input used twice
x = torch.tensor([2.], requires_grad=True)
(double(x) * double(double(x)) + affine(x, x[:, None], x)).sum().backward()
assert x.grad.tolist() == [16 * 2 + 2 * 2 + 1]

# torch.autograd.grad accumulates nothing
x = torch.ones(1, 2, requires_grad=True)
net = Tiny()
(g,) = torch.autograd.grad(net(x), x)
assert g.tolist() == [[1, 1]] and x.grad is None and net.fc.weight.grad is None

# torch.autograd.grad of parameters fetched afterwards
net = Tiny()
y = net(torch.tensor([[2., 5.]]))
(g,) = torch.autograd.grad(y, list(net.parameters()))
assert g.tolist() == [[2, 5]] and net.fc.weight.grad is None

# what an object keeps between calls
x = torch.ones(2, requires_grad=True)
r = Remembers()
r.features(x)
r.total().backward()
assert x.grad.tolist() == [3, 3]

# a hook of the test
seen = []
x = torch.ones(2, requires_grad=True)
y = double(x)
y.register_hook(seen.append)
y.sum().backward()
assert seen[0].tolist() == [1, 1]

# an autograd.Function
x = torch.tensor([3.], requires_grad=True)
y = Square.apply(x)
y.backward()
assert y.item() == 9 and x.grad.item() == 6

# gradcheck
x = torch.randn(3, dtype=torch.float64, requires_grad=True)
assert torch.autograd.gradcheck(Square.apply, (x,))
assert torch.autograd.gradcheck(Tiny().double(), (torch.randn(4, 2).double().requires_grad_(),))

# without gradients
with torch.no_grad():
    assert records() is False
    y = double(torch.ones(2, requires_grad=True))
assert not y.requires_grad and records() is True

# in inference mode
net = Tiny()
with torch.inference_mode():
    assert net(torch.ones(1, 2)).item() == 2
    w = net.fc.weight
net(torch.ones(1, 2)).sum().backward()
assert net.fc.weight.grad.tolist() == [[1, 1]]
(w * 2).sum().backward()

# autocast
a = torch.ones(2, 2)
with torch.autocast('cpu', dtype=torch.bfloat16):
    assert dtype_of_product(a, a) == 'torch.bfloat16'
assert dtype_of_product(a, a) == 'torch.float32'

# gradients of a network
x, t = batch()
net = Net()
same_net = Same(net)
loss = F.cross_entropy(net(x), t)
loss.backward()
F.cross_entropy(same_net(x), t).backward()
assert len(grads(net)) == 6 and all(map(close, grads(net), grads(same_net)))
assert net.fc.weight.grad.shape == net.fc.weight.shape == (3, 64)

# gradients accumulate
net, x = Tiny(), torch.tensor([[2., 5.]])
net(x).backward()
net(x).backward()
assert net.fc.weight.grad.tolist() == [[4, 10]]
net(x).backward()
assert net.fc.weight.grad.tolist() == [[6, 15]]
net.zero_grad()
assert net.fc.weight.grad is None

# gradients accumulate in a parameter that was fetched before
net, x = Tiny(), torch.tensor([[2., 5.]])
w = net.fc.weight
net(x).backward()
assert w.grad.tolist() == [[2, 5]]
net(x).backward()
assert w.grad.tolist() == [[4, 10]]
net.zero_grad()
assert w.grad is None

# a parameter is one object
net = Tiny()
assert net.fc.weight is next(iter(net.parameters())) is dict(net.named_parameters())['fc.weight']
assert isinstance(net.fc.weight, nn.Parameter) and net.fc.weight.is_leaf

# an optimizer of the test
net, x = Tiny(), torch.tensor([[2., 5.]])
opt = torch.optim.SGD(net.parameters(), lr=.1)
opt.zero_grad()
net(x).backward()
opt.step()
assert close(net.fc.weight, torch.tensor([[.8, .5]]))
assert close(net(x), torch.tensor([[.8 * 2 + .5 * 5]]))

# twenty steps, as in one process
x, t = batch()
net = Net()
losses = []
for one in (Same(net), net):
    opt = torch.optim.SGD(one.parameters(), lr=.1, momentum=.9)
    losses.append([])
    for _ in range(20):
        opt.zero_grad()
        loss = F.cross_entropy(one(x), t)
        loss.backward()
        opt.step()
        losses[-1].append(loss.item())
assert losses[0][-1] < losses[0][0] / 2
assert close(torch.tensor(losses[0]), torch.tensor(losses[1]))

# an optimizer of the student's
net, x = Tiny(), torch.tensor([[2., 5.]])
w = net.fc.weight
opt = MySGD(net.parameters(), .1)
net(x).backward()
opt.step()
assert close(w, torch.tensor([[.8, .5]]))
opt.zero_grad()
assert w.grad is None

# an optimizer of the student's over a parameter of the test's
w = nn.Parameter(torch.ones(2))
opt = MySGD([w], .1)
(w * torch.tensor([2., 5.])).sum().backward()
opt.step()
assert close(w, torch.tensor([.8, .5]))
opt.zero_grad()
assert w.grad is None

# a step of the student's over tensors of the test's
w = torch.ones(2, requires_grad=True)
(w * torch.tensor([2., 5.])).sum().backward()
descend([w], .1)
assert close(w, torch.tensor([.8, .5])) and w.grad.tolist() == [0, 0]

# training by the student
x, t = batch()
net = Net()
reference = Same(net)
w = net.fc.weight
before = w.detach().clone()
losses = train(net, F.cross_entropy, x, t, 5)
opt = torch.optim.SGD(reference.parameters(), lr=.1)
for _ in range(5):
    opt.zero_grad()
    F.cross_entropy(reference(x), t).backward()
    opt.step()
assert losses[-1] < losses[0]
assert not close(w, before) and close(w, reference.fc.weight)
assert close(w.grad, reference.fc.weight.grad)

# a loss of torch's given to the student
x, t = batch()
losses = train(Net(), nn.CrossEntropyLoss(label_smoothing=.1), x, t, 3)
assert losses[-1] < losses[0]

# a loss of the test's own given to the student
x, t = batch()
net = Net()
reference = Same(net)
losses = train(net, lambda p, t: F.cross_entropy(2 * p, t), x, t, 3)
opt = torch.optim.SGD(reference.parameters(), lr=.1)
for _ in range(3):
    opt.zero_grad()
    F.cross_entropy(2 * reference(x), t).backward()
    opt.step()
assert close(net.fc.weight, reference.fc.weight)

# a class of torch's given to the student
x, t = batch()
assert len(train(Net(), F.cross_entropy, x, t, 2, optimizer=torch.optim.Adam)) == 2
assert isinstance(block(3, nn.Tanh)[1], nn.Tanh)

# the student goes back through a loss that the test computed from theirs
net = Tiny()
backwards((3 * net(torch.tensor([[2., 5.]]))).sum())
assert net.fc.weight.grad.tolist() == [[6, 15]]

# the student goes back to an input
net = Tiny()
x = torch.ones(1, 2, requires_grad=True)
assert saliency(net, x).tolist() == [[1, 1]]
assert x.grad.tolist() == [[1, 1]]

# a leaf of the student's
(w_global * torch.tensor([2., 5.])).sum().backward()
assert w_global.grad.tolist() == [2, 5]

# setting parameters
net = Tiny()
with torch.no_grad():
    net.fc.weight.fill_(3)
assert net(torch.ones(1, 2)).item() == 6
net.fc.weight.data.mul_(2)
assert net(torch.ones(1, 2)).item() == 12
nn.init.constant_(net.fc.weight, 1.)
assert net(torch.ones(1, 2)).item() == 2
net.fc.weight = nn.Parameter(torch.full((1, 2), 4.))
assert net(torch.ones(1, 2)).item() == 8

# another shape given by the test
net = Tiny()
net(torch.ones(1, 2)).sum().backward()
net.fc.weight.data = torch.ones(3, 2)
assert net(torch.ones(1, 2)).shape == (1, 3) and net.fc.weight.shape == (3, 2)

# the test's graph keeps what it saved
net = Tiny()
penalty = (net.fc.weight ** 2).sum() + (3 * net.fc.weight).sum()
penalty.backward()
assert net.fc.weight.grad.tolist() == [[5, 5]]

# a step between forward and backward, as in one process
net = block(3, nn.ReLU)
y = net(torch.ones(1, 2)).sum()
with torch.no_grad():
    for p in net.parameters():
        p.add_(1)
try:
    y.backward()
    assert False
except RuntimeError as error:
    assert 'modified by an inplace operation' in str(error)

# a hook of the test's on a module
net, seen = Net(), []
handle = net.fc.register_forward_hook(lambda module, given, out: seen.append((given[0], out)))
y = net(batch()[0])
handle.remove()
net(batch()[0])
((given, out),) = seen
assert given.shape == (8, 64) and close(out, y) and out.requires_grad

# a gradient set to zero rather than None
net = Tiny()
w = net.fc.weight
net(torch.ones(1, 2)).backward()
net.zero_grad(set_to_none=False)
assert w.grad.tolist() == [[0, 0]]

# clipping gradients
net = Tiny()
net(torch.tensor([[3., 4.]])).backward()
nn.utils.clip_grad_norm_(net.parameters(), 1.)
MySGD(net.parameters(), 1.).step()
assert close(net.fc.weight, torch.tensor([[.4, .2]]))

# initializing by apply
def ones(m):
    if isinstance(m, nn.Linear):
        nn.init.ones_(m.weight)
        nn.init.zeros_(m.bias)
net = Net()
net.apply(ones)
assert (net.fc.weight == 1).all() and (net.fc.bias == 0).all()

# another dtype
net = Tiny()
w = net.fc.weight
net.double()
assert w.dtype == torch.float64 and net(torch.ones(1, 2).double()).dtype == torch.float64

# freezing
net = Net()
w = net.fc.weight
freeze(net)
assert not w.requires_grad and not any(p.requires_grad for p in net.parameters())
w.requires_grad_()
assert net.fc.weight.requires_grad
net(batch()[0]).sum().backward()
assert net.conv.weight.grad is None and w.grad is not None

# state_dict
net, other = Net(), Net()
state = net.state_dict()
assert list(state)[0] == 'conv.weight' and state['fc.bias'].shape == (3,)
assert 'bn.running_mean' in state
assert not close(other.conv.weight, net.conv.weight)
other.load_state_dict({name: value + 0 for name, value in state.items()})
assert close(other.conv.weight, net.conv.weight)

# train and eval
net = Net()
assert net.training and net.bn.training
net.eval()
assert not net.training and not net.bn.training
net.train()
assert net.training

# modules by kind
net = Net()
kinds = [m.__class__.__name__ for m in net.modules()]
assert kinds == ['Net', 'Conv2d', 'BatchNorm2d', 'Linear']
assert [isinstance(m, nn.Conv2d) for m in net.modules()] == [False, True, False, False]
assert all(isinstance(m, nn.Module) for m in net.modules())
assert [m.__class__ for m in net.children()] == [nn.Conv2d, nn.BatchNorm2d, nn.Linear]
assert [name for name, _ in net.named_children()] == ['conv', 'bn', 'fc']
assert isinstance(net, Net) and not isinstance(net.fc, Net) and issubclass(Net, nn.Module)

# the number of parameters
assert sum(p.numel() for p in Net().parameters() if p.requires_grad) == 4 * 9 + 4 + 8 + 64 * 3 + 3

# one module is one object
net = Net()
assert net.fc is net.fc and net.fc != net.conv and len({net.fc, net.fc, net.conv}) == 2

# a module that came again while it was about to be forgotten
fc = calls(lambda given: None, Net())
assert fc.out_features == 3 and fc.in_features == 64

# a Sequential
net = block(3, nn.ReLU)
assert len(net) == 3 and isinstance(net[0], nn.Linear) and net[0].out_features == 3
assert [isinstance(m, nn.ReLU) for m in net] == [False, True, False]

# copying a network
import copy
net = Tiny()
other = copy.deepcopy(net)
with torch.no_grad():
    other.fc.weight.zero_()
assert (net.fc.weight == 1).all() and (other.fc.weight == 0).all()

# a dataset and its loader
data = Points()
assert len(data) == 5 and data[3][0].tolist() == [3, 3] and data[3][1] == 1
assert [y for _, y in data] == [0, 1, 0, 1, 0]
assert isinstance(data, torch.utils.data.Dataset)
loader = torch.utils.data.DataLoader(list(data), batch_size=2)
assert [x.shape[0] for x, _ in loader] == [2, 2, 1]

# a function as another
x = torch.tensor([-1., 2.])
assert torch.equal(same(F.relu)(x), F.relu(x))

# a value in the middle of the network
net = Net()
net(batch()[0]).sum().backward()
assert net.hidden.shape == (8, 4, 4, 4) and net.hidden.requires_grad

# a buffer
net = Net()
before = net.bn.running_mean
net(batch()[0])
assert (before == 0).all() and (net.bn.running_mean != 0).any()

# showing it
net = Net()
assert repr(net) == "<the student's Net>"
net
""")

# After the arrow: how the error that the test meets begins.
REFUSED = snippets("""
# a network of the test's with weights -> GraderBroke: a test gives student code a Linear
train(nn.Linear(2, 2), F.cross_entropy, *batch(), 1)

# an optimizer of the test's -> GraderBroke: a test gives student code a SGD
same(torch.optim.SGD(Tiny().parameters(), lr=.1))

# a gradient of a gradient -> RuntimeError: create_graph=True: only first derivatives
x = torch.ones(2, requires_grad=True)
torch.autograd.grad(Square.apply(x).sum(), x, create_graph=True)

# changing in place what a gradient flows through -> TypeError: what came back
in_place(torch.ones(2, requires_grad=True) * 2)

# the student goes back through the test's own graph -> RuntimeError: RuntimeError: only a test
backwards(torch.ones(2, requires_grad=True).sum())

# changing a copy of a buffer -> GraderBroke: a test changes a copy
Net().bn.running_mean.fill_(7)

# the same, in several steps -> GraderBroke: a test changes a copy
net = Net()
mean = net.bn.running_mean
net.eval()
mean += 1

# another shape of the test's own parameter -> TypeError: a tensor was given another shape
w = nn.Parameter(torch.ones(2))
same(w)
grow(w)
""")


@pytest.fixture(scope="module")
def outcomes(house):
    cells = [
        Cell("setup", Place.BOTH, SETUP),
        Cell("answer", Place.STUDENT, STUDENT),
        Cell("help", Place.EXAMINER, HELP),
    ]
    cells += [Cell(name, Place.EXAMINER, code) for name, code in (WORKS | REFUSED).items()]
    result = house.run(Job(tuple(cells), torch=True))
    assert result.events == ()
    return dict(zip([cell.name for cell in cells], result.outputs, strict=True))


@pytest.mark.parametrize("what", WORKS)
def test_works(outcomes, what):
    assert said(outcomes[what]) == ""


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused_loudly(outcomes, what):
    assert said(outcomes[what]).startswith(what.split(" -> ")[1])


LIAR = """
import sys
from autograder.rooms.wire import Ref

student = sys.modules['autograder.rooms.student']
honest, lies = student.encode, []

def encode(value, *rest):
    if type(value) is tuple and len(value) == 4 and lies and value[0] != 'refused':
        value = lies.pop()(*value)
    return honest(value, *rest)

student.encode = encode
honest_about, claims = student._about, {}

def lying_about(value):
    told = {**honest_about(value), **claims}
    claims.clear()
    return told

student._about = lying_about

def answers(lie):
    'Forges the answer to the next question.'
    def once(*honest_answer):  # this one is the answer to this question
        lies.append(FORGED[lie])
        return honest_answer
    lies.append(once)

def value(new):
    return lambda verdict, old, outputs, changes: ('value', new(old), outputs, changes)

def change(*news):
    return lambda verdict, old, outputs, changes: (verdict, old, outputs, [*changes, *news])

def about(**claims):
    return value(lambda ref: Ref(ref.number, ref.mine, {**ref.about, **claims}))

def object_about(**claimed):
    return lambda *answer: claims.update(claimed) or answer

def sources(*claimed):
    return value(lambda ref: Ref(ref.number, True, {**ref.about, 'sources': list(claimed)}))

ones, size, f32 = torch.ones(2), torch.Size((2,)), torch.float32
FORGED = {
    'one gradient too few': value(lambda grads: grads[:-1]),
    'gradients in a list': value(list),
    'a gradient of another shape': value(lambda grads: tuple(g[0] for g in grads)),
    'a gradient of another dtype': value(lambda grads: tuple(g.double() for g in grads)),
    'a gradient that is a number': value(lambda grads: tuple(1.0 for g in grads)),
    'infinite gradients': value(lambda grads: tuple(g / 0 for g in grads)),
    'no gradients': value(lambda grads: tuple(None for g in grads)),
    'news of nothing': change((True, 5, {'data': ones}), (False, -1, {}), (True, 2**62, None)),
    'nonsense news': change((), (1,), (1, 2, 3, 4), ('a', 'b', {}), (True, 'x', {}), (0, 0, {})),
    'news of all the test has': change(*((False, n, {'data': -ones}) for n in range(300))),
    'a leaf without values': about(data=None),
    'a leaf with a gradient of another shape': about(grad=torch.ones(9)),
    'a leaf that may require a gradient': about(requires_grad='perhaps'),
    'whole numbers that require a gradient': about(data=torch.tensor([1, 2])),
    'a leaf with NaN': about(data=torch.tensor([[float('nan'), 1]])),
    'sources that are none': sources(1, 'a', ()),
    'a source of 2**60': sources((True, 7, torch.Size((2**30, 2**30)), f32, True)),
    'a source of whole numbers': sources((True, 7, size, torch.int64, True)),
    'too many sources': sources(*((True, 9 * n, size, f32, False) for n in range(20_001))),
    'sources of all the test has': sources(*((False, n) for n in range(300))),
    'a result that is a number': about(result=3.0),
    'a module that is a tensor': object_about(library='torch.nn.parameter.Parameter'),
    'a module that is a function': object_about(library='torch.relu'),
    'a module that is os': object_about(library='os', base='os.system'),
    'a module by a path': object_about(library='torch.nn.Module.__init__', type='x' * 999),
}

class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 1, bias=False)

    def forward(self, x):
        return self.fc(x)

def double(x):
    return 2 * x

kept = []

def keep(x):
    kept.append(x)

def uninvited(gradient, kept):
    said = set()
    frame = sys._getframe()
    while type(frame.f_locals.get('self')).__name__ != 'StudentRoom':
        frame = frame.f_back
    for number in range(300):
        try:
            frame.f_locals['self'].call_back(0, (number, gradient), {})
        except RuntimeError as error:
            said.add(str(error))
    return str(said)
"""

# After the arrow: what the error that the test meets says, if it meets one.
LIES = snippets("""
# one gradient too few -> TypeError: the student's room gave other gradients
backward('one gradient too few')

# gradients in a list -> TypeError: the student's room gave other gradients
backward('gradients in a list')

# a gradient of another shape -> TypeError: a gradient has another shape
backward('a gradient of another shape')

# a gradient of another dtype -> TypeError: a gradient has another shape or dtype
backward('a gradient of another dtype')

# a gradient that is a number -> TypeError: a gradient has another shape
backward('a gradient that is a number')

# infinite gradients ->
x = backward('infinite gradients')
assert torch.isinf(x.grad).all()

# no gradients ->
assert backward('no gradients').grad is None

# news of nothing ->
assert ask('news of nothing').tolist() == [2, 2]

# nonsense news ->
assert ask('nonsense news').tolist() == [2, 2]

# news of tensors that were given before, or never ->
x, h = torch.ones(2, requires_grad=True), torch.ones(2)
never = nn.Parameter(torch.ones(2))
keep(x), keep(h), keep(x * 2)
ask('news of all the test has')
assert (x == 1).all() and (h == 1).all() and (never == 1).all()

# a leaf without values -> TypeError: what came back cannot leave the student's room
leaf('a leaf without values')

# a leaf with a gradient of another shape -> could not be read: a gradient has another shape
leaf('a leaf with a gradient of another shape')

# a leaf that may require a gradient -> TypeError: what came back
leaf('a leaf that may require a gradient')

# whole numbers that require a gradient -> TypeError: what came back
leaf('whole numbers that require a gradient')

# a leaf with NaN ->
assert leaf('a leaf with NaN').isnan().any()

# sources that are none -> TypeError: what came back
result('sources that are none')

# a source of 2**60 -> TypeError: what came back
result('a source of 2**60')

# a source of whole numbers -> TypeError: what came back
result('a source of whole numbers')

# too many sources -> TypeError: what came back cannot leave the student's room: the answer could
result('too many sources')

# sources of all the test has ->
own = torch.ones(2, requires_grad=True)
result('sources of all the test has').sum().backward()
assert own.grad is None

# a result that is a number ->
assert not isinstance(result('a result that is a number'), torch.Tensor)

# a module that is a tensor ->
assert not isinstance(module('a module that is a tensor'), torch.Tensor)

# a module that is a function ->
assert not isinstance(module('a module that is a function'), nn.Module)

# a module that is os ->
m = module('a module that is os')
assert m.__class__.__mro__[1:] == (object,)

# a module by a path ->
assert module('a module by a path').__class__.__name__ == 'object'

# backward, uninvited ->
x = torch.ones(2, requires_grad=True)
w = nn.Parameter(torch.ones(2))
h = 3 * x * w
said = uninvited(torch.ones(2), h)
assert x.grad is None and w.grad is None
assert 'only a test can go back' in said and 'there is nothing to go back through' in said

# afterwards ->
x = torch.ones(2, requires_grad=True)
double(x).sum().backward()
assert x.grad.tolist() == [2, 2]
""")

LIED_TO = """
def ask(lie):
    answers(lie)
    return double(torch.ones(2))

def backward(lie):
    x = torch.ones(2, requires_grad=True)
    y = double(x)
    answers(lie)
    y.sum().backward()
    return x

def leaf(lie):
    net = Tiny()
    fc = net.fc
    answers(lie)
    return fc.weight

def result(lie):
    x = torch.ones(2, requires_grad=True)
    answers(lie)
    return double(x)

def module(lie):
    net = Tiny()
    answers(lie)
    return net.fc
"""


@pytest.fixture(scope="module")
def lied(house):
    cells = [
        Cell("setup", Place.BOTH, SETUP),
        Cell("answer", Place.STUDENT, LIAR),
        Cell("help", Place.EXAMINER, LIED_TO),
    ]
    cells += [Cell(name, Place.EXAMINER, code) for name, code in LIES.items()]
    result = house.run(Job(tuple(cells), torch=True))
    assert result.events == () and result.outputs[1] == ()
    return dict(zip([cell.name for cell in cells], result.outputs, strict=True))


@pytest.mark.parametrize("what", LIES)
def test_a_room_that_lies_about_tensors_harms_only_itself(lied, what):
    want = what.split(" ->")[1].strip()
    found = said(lied[what])
    assert want in found if want else found == ""


def test_what_was_lost_with_a_room_is_said_to_be_lost(examine):
    student = """
import os

class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 1)

    def forward(self, x):
        return self.fc(x)

def end():
    os._exit(0)
"""
    tests = [
        "net = Tiny()\nw = net.fc.weight\nend()",
        "net(torch.ones(1, 2))",
        "net = Tiny()\nnet(torch.ones(1, 2)).sum().backward()\nassert net.fc.bias.grad.item() == 1",
        "net.fc.weight = w",
    ]
    lost = "ObjectLostError: the object was lost when the program ended"
    found = examine(student, *tests, setup=SETUP, torch=True)
    assert found.errors[1:] == [lost, "", lost]


def test_a_tensor_is_not_taken_for_one_that_lay_there_before():
    twins = Twins(keeps=False)
    for number in range(100):
        twins.share((True, number), torch.ones(2, requires_grad=True))
    others = [torch.ones(2) for _ in range(300)]
    assert [twins.key(other) for other in others] == [None] * 300


def test_what_is_no_longer_needed_is_dropped_on_both_sides(examine):
    student = """
import gc
from autograder.rooms.student import StudentRoom

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)

    def forward(self, x):
        return self.fc(x)

def held():
    (room,) = [x for x in gc.get_objects() if type(x) is StudentRoom]
    return len(room._objects), len(room._known), len(room._times), len(room._tensors._twins._pairs)
"""
    setup = f"""{SETUP}
import gc

def counted(run):
    run(), gc.collect(), held(), held()
    (desk,) = [x for x in gc.get_objects() if type(x).__name__ == 'Desk']
    return *held(), len(desk._stand_ins), len(desk._times), len(desk._tensors._twins._pairs)
"""
    test = """
net = Net()

def run():
    x = torch.ones(1, 2, requires_grad=True)
    net(2 * x).sum().backward()
    list(net.modules())
    other = Net()
    list(other.parameters())
    other(x).sum()
    torch.optim.SGD(net.parameters(), lr=0.1).step()

first = counted(run)
for _ in range(5):
    run()
assert counted(run) == first and max(first) < 12, first
"""
    found = examine(student, test, setup=setup, torch=True)
    assert found.errors == [""]

import numpy as np
import pytest

from autograder.check.gradient import slopes

RNG = np.random.default_rng(3)
X, W = RNG.standard_normal((4, 5)), RNG.standard_normal((5, 3))
DOUT = RNG.standard_normal((4, 3))


def product(x, w):
    return np.maximum(x @ w, 0)


def right(forward_mask):
    d = DOUT * forward_mask
    return {"x": d @ W.T, "w": X.T @ d}


def agree(forward, gradients, **options):
    found = slopes(forward, {"x": X, "w": W}, gradients, DOUT, np.random.default_rng(0), **options)
    return {slope.argument: slope.agrees for slope in found}


def test_right_gradients_agree_to_rounding_across_kinks():
    gradients = right(X @ W > 0)
    assert agree(product, gradients) == {"x": True, "w": True}
    found = slopes(product, {"x": X, "w": W}, gradients, DOUT, np.random.default_rng(0))
    assert all(abs(s.numerical - s.analytic) < 1e-13 for s in found)


def test_each_wrong_gradient_is_found_and_only_that():
    gradients = right(X @ W > 0)
    slightly = {**gradients, "w": gradients["w"] * (1 + 1e-11)}
    assert agree(product, slightly) == {"x": True, "w": False}
    assert agree(product, {**gradients, "x": -gradients["x"]}) == {"x": False, "w": True}


@pytest.mark.parametrize(
    "drop",
    [
        lambda x, w: np.abs(x) @ w,
        lambda x, w: (np.sign(x) * x) @ w,
        lambda x, w: np.array(np.real(x), dtype=np.float64) @ np.abs(w),
        lambda x, w: np.var(x[:, :, None] * w, axis=1),
    ],
    ids=["abs", "sign", "real copies", "var"],
)
def test_code_that_drops_the_imaginary_part_is_not_punished(drop):
    import torch

    leaves = [torch.tensor(X, requires_grad=True), torch.tensor(W, requires_grad=True)]
    twin = {
        "abs": lambda x, w: x.abs() @ w,
        "real": lambda x, w: x @ w.abs(),
        "var": lambda x, w: (x[:, :, None] * w).var(dim=1, correction=0),
    }
    for forward in twin.values():
        out = forward(*leaves)
        if np.allclose(out.detach().numpy(), drop(X, W)):
            out.backward(torch.tensor(DOUT))
    gradients = {"x": leaves[0].grad.numpy(), "w": leaves[1].grad.numpy()}
    assert agree(drop, gradients) == {"x": True, "w": True}
    assert agree(drop, {**gradients, "x": 1.001 * gradients["x"]}) == {"x": False, "w": True}


def test_nan_never_agrees():
    gradients = right(X @ W > 0)
    gradients["x"] = np.full_like(X, np.nan)
    assert agree(product, gradients) == {"x": False, "w": True}


def test_single_precision_gradients_are_judged_as_such():
    gradients = {key: value.astype(np.float32) for key, value in right(X @ W > 0).items()}
    assert agree(product, gradients) == {"x": True, "w": True}
    gradients["x"] *= np.float32(1.001)
    assert agree(product, gradients) == {"x": False, "w": True}

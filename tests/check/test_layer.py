import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from autograder import check
from autograder.check.record import Outcome

CASES = [
    dict(x=(2, 3, 5, 6), w=(4, 3, 3, 2), b=(4,)),
    dict(x=(3, 4, 8, 7), w=(5, 4, 3, 2), b=(5,), stride=2, padding=1),
    dict(x=(2, 2, 10, 9), w=(3, 2, 3, 4), b=(3,), stride=3),
    dict(x=(2, 6, 9, 8), w=(3, 2, 2, 3), b=(3,), padding=2, dilation=3, groups=3),
    dict(x=(1, 1, 4, 3), w=(1, 1, 4, 3), b=(1,)),
]
STRIDED = CASES[1]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_right_answers_pass_every_check_without_a_hint(judged, loops, case):
    found = [judged(check.conv2d.forward, loops.conv_forward, **case)]
    found += [
        judged(check.conv2d.backward, loops.conv_forward, loops.conv_backward, name, **case)
        for name in ("dx", "dw", "db")
    ]
    found.append(judged(check.conv2d.gradients, loops.conv_forward, loops.conv_backward, **case))
    assert [record.outcome for record in found] == [Outcome.PASSED] * 5
    assert not any(record.hint for record in found)


def wrong_forward(loops, change):
    """conv_forward of changed arguments."""

    def forward(x, w, b, **options):
        x, w, b, options = change(x, w, b, dict(options))
        return loops.conv_forward(x, w, b, **options)

    return forward


FORWARD_BUGS = {
    "You flip the filter": lambda x, w, b, o: (x, w[:, :, ::-1, ::-1], b, o),
    "The bias b is missing": lambda x, w, b, o: (x, w, 0 * b, o),
    "once for every input channel": lambda x, w, b, o: (x, w, b * w.shape[1], o),
    "padding=0": lambda x, w, b, o: (x, w, b, {**o, "padding": 0}),
    "stride=1": lambda x, w, b, o: (x, w, b, {**o, "stride": 1}),
    "dilation=1": lambda x, w, b, o: (x, w, b, {**o, "dilation": 1}),
    "at the top and the left": lambda x, w, b, o: (
        np.pad(x, ((0, 0), (0, 0), (2 * o["padding"], 0), (2 * o["padding"], 0))),
        w,
        b,
        {**o, "padding": 0},
    ),
    "first C_in/groups channels": lambda x, w, b, o: (x[:, : w.shape[1]], w, b, {**o, "groups": 1}),
    "rows and columns are swapped": lambda x, w, b, o: (x, w.swapaxes(2, 3), b, o),
}


@pytest.mark.parametrize("says", FORWARD_BUGS)
def test_a_known_mistake_of_forward_is_named(judged, loops, says):
    case = dict(x=(2, 4, 9, 8), w=(6, 2, 3, 3), b=(6,), stride=2, padding=1, dilation=2, groups=2)
    record = judged(check.conv2d.forward, wrong_forward(loops, FORWARD_BUGS[says]), **case)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint


def test_padding_fixed_at_one_is_named_where_it_shows(judged, loops):
    forward = wrong_forward(loops, lambda x, w, b, o: (x, w, b, {**o, "padding": 1}))
    record = judged(check.conv2d.forward, forward, x=(2, 2, 5, 4), w=(3, 2, 2, 3), b=(3,))
    assert "padding=1, whatever" in record.hint


def wrong_backward(loops, change):
    """conv_backward with its gradients changed; ``change`` also sees dout and the cache."""

    def backward(dout, cache):
        return change(*loops.conv_backward(dout, cache), dout, cache)

    return backward


GRADIENT_BUGS = [
    ("db", "not the mean", lambda dx, dw, db, dout, cache: (dx, dw, dout.mean(axis=(0, 2, 3)))),
    ("db", "divided by N", lambda dx, dw, db, dout, cache: (dx, dw, db / len(dout))),
    ("db", "sum over N", lambda dx, dw, db, dout, cache: (dx, dw, dout.sum(axis=(2, 3)))),
    ("dw", "divided by N", lambda dx, dw, db, dout, cache: (dx, dw / len(dout), db)),
    ("dw", "flipped", lambda dx, dw, db, dout, cache: (dx, dw[:, :, ::-1, ::-1], db)),
    ("dx", "wrong sign", lambda dx, dw, db, dout, cache: (-dx, dw, db)),
    ("dx", "3 times what it should be", lambda dx, dw, db, dout, cache: (3 * dx, dw, db)),
]


@pytest.mark.parametrize(("gradient", "says", "change"), GRADIENT_BUGS)
def test_a_known_mistake_of_backward_is_named(judged, loops, gradient, says, change):
    backward = wrong_backward(loops, change)
    record = judged(check.conv2d.backward, loops.conv_forward, backward, gradient, **STRIDED)
    assert record.outcome is Outcome.FAILED
    assert says in record.hint
    for other in {"dx", "dw", "db"} - {gradient}:
        right = judged(check.conv2d.backward, loops.conv_forward, backward, other, **STRIDED)
        assert right.outcome is Outcome.PASSED
    numerical = judged(check.conv2d.gradients, loops.conv_forward, backward, **STRIDED)
    assert numerical.outcome is Outcome.FAILED


def test_an_empty_crop_at_padding_zero_is_named(judged, loops):
    def backward(dout, cache):
        dx, dw, db = loops.conv_backward(dout, cache)
        return dx[:, :, -0:-0, -0:-0], dw, db

    record = judged(check.conv2d.backward, loops.conv_forward, backward, "dx", **CASES[0])
    assert record.message == "dx: wrong shape"
    assert "is empty when p = 0" in record.hint


def test_only_the_asked_gradient_has_to_be_there(judged, loops):
    backward = wrong_backward(loops, lambda dx, dw, db, dout, cache: (None, None, db))
    assert judged(check.conv2d.backward, loops.conv_forward, backward, "db", **STRIDED).outcome is (
        Outcome.PASSED
    )
    missing = judged(check.conv2d.backward, loops.conv_forward, backward, "dx", **STRIDED)
    assert (missing.message, missing.got) == ("dx: did not return numbers", "None")


def test_a_right_backward_is_not_blamed_for_a_wrong_forward(judged, loops):
    forward = wrong_forward(loops, lambda x, w, b, o: (x, w, b, o))

    def no_bias(x, w, b, **options):
        out, cache = forward(x, w, b, **options)
        return out - b[:, None, None], cache

    assert judged(check.conv2d.forward, no_bias, **STRIDED).outcome is Outcome.FAILED
    found = judged(check.conv2d.backward, no_bias, loops.conv_backward, "dx", **STRIDED)
    assert found.outcome is Outcome.PASSED
    numerical = judged(check.conv2d.gradients, no_bias, loops.conv_backward, **STRIDED)
    assert numerical.outcome is Outcome.COULD_NOT_RUN


def test_state_kept_outside_the_cache_is_caught(judged, loops):
    kept = {}

    def forward(x, w, b, **options):
        out, kept["cache"] = loops.conv_forward(x, w, b, **options)
        return out, None

    def backward(dout, cache):
        return loops.conv_backward(dout, kept["cache"])

    record = judged(check.conv2d.backward, forward, backward, "dx", **STRIDED)
    assert record.outcome is Outcome.FAILED


@pytest.mark.parametrize("victim", ["x", "w", "b"])
def test_changing_an_argument_is_reported(judged, loops, victim):
    def forward(x, w, b, **options):
        out = loops.conv_forward(x, w, b, **options)
        {"x": x, "w": w, "b": b}[victim][...] = 0
        return out

    record = judged(check.conv2d.forward, forward, **STRIDED)
    assert record.outcome is Outcome.FAILED
    assert record.message == f"forward changes its argument {victim}"


def test_changing_the_upstream_gradient_is_reported(judged, loops):
    def backward(dout, cache):
        answer = loops.conv_backward(dout, cache)
        dout *= 2
        return answer

    record = judged(check.conv2d.backward, loops.conv_forward, backward, "dw", **STRIDED)
    assert record.message == "backward changes its argument dout"


def test_an_exception_is_reported_with_the_students_own_lines(judged):
    def forward(x, w, b, **options):
        return np.matmul(x, b[:2])

    record = judged(check.conv2d.forward, forward, **STRIDED)
    assert record.message == "forward raised ValueError"
    assert len(record.trace) == 1
    assert "return np.matmul(x, b[:2])" in record.trace[0]


def test_an_unwritten_function_could_not_run(judged, loops):
    def forward(x, w, b, **options):
        raise NotImplementedError

    for record in (
        judged(check.conv2d.forward, forward, **STRIDED),
        judged(check.conv2d.backward, forward, loops.conv_backward, "dx", **STRIDED),
        judged(check.conv2d.backward, loops.conv_forward, forward, "dx", **STRIDED),
    ):
        assert record.outcome is not Outcome.PASSED
    assert judged(check.conv2d.forward, forward, **STRIDED).message == "forward is not written yet"
    with pytest.raises(check.CheckFailed, match="not written yet"):  # or the cell would give points
        check.conv2d.forward(forward, **STRIDED)


ODD_RETURNS = [None, 3, "out", (1, 2, 3), np.zeros(3), {"out": 1}, (None, None), ([[1], [1, 2]], 0)]


@pytest.mark.parametrize("value", ODD_RETURNS, ids=str)
def test_odd_return_values_are_wrong_answers_not_grader_faults(judged, loops, value):
    found = [
        judged(check.conv2d.forward, lambda *a, **o: value, **STRIDED),
        judged(check.conv2d.backward, lambda *a, **o: value, loops.conv_backward, "dx", **STRIDED),
        judged(check.conv2d.backward, loops.conv_forward, lambda *a: value, "dx", **STRIDED),
        judged(check.conv2d.gradients, loops.conv_forward, lambda *a: value, **STRIDED),
    ]
    outcomes = [record.outcome for record in found]
    assert outcomes[0] is outcomes[2] is outcomes[3] is Outcome.FAILED
    # backward is not to blame for what forward returned
    assert outcomes[1] in (Outcome.COULD_NOT_RUN, Outcome.FAILED)


def test_not_finite_is_its_own_message(judged, loops):
    def forward(x, w, b, **options):
        out, cache = loops.conv_forward(x, w, b, **options)
        out[0, 1, 0, 2] = np.nan
        return out, cache

    record = judged(check.conv2d.forward, forward, **STRIDED)
    assert (record.message, record.got) == ("not finite", "nan at [0, 1, 0, 2]")
    assert record.where.startswith("1 of 240 numbers are off")


def test_a_hidden_check_shows_its_concept_and_no_values(judged, loops):
    forward = wrong_forward(loops, FORWARD_BUGS["You flip the filter"])
    record = judged(check.conv2d.forward, forward, **STRIDED, concept="a stride that does not fit")
    assert record.call == "forward: a stride that does not fit"
    assert "You flip the filter" in record.hint
    assert not (record.inputs or record.got or record.expected or record.where or record.arrays)


def test_a_fault_of_the_check_is_the_graders(loops):
    with pytest.raises(check.GraderBroke, match="this is not your mistake"):
        check.conv2d.forward(loops.conv_forward, x=(2, 3, 5, 6), w=(4, 2, 3, 2), b=(4,))


def test_seeds_change_the_inputs_and_repeat_them(judged, monkeypatch):
    seen = []

    def forward(x, w, b):
        seen.append(x)

    for seed in ("7", "7", "8"):
        monkeypatch.setenv("AUTOGRADER_SEED", seed)
        assert judged(check.conv2d.forward, forward, **CASES[0]).seed == int(seed)
    assert np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], seen[2])


@pytest.mark.parametrize("name", ["x", "w"])
def test_non_square_inputs_are_given_as_asked(judged, name):
    seen = {}

    def forward(x, w, b, **options):
        seen.update(x=x.shape, w=w.shape, options=options)

    judged(check.conv2d.forward, forward, **STRIDED)
    assert seen[name] == STRIDED[name]
    assert seen["options"] == {"stride": 2, "padding": 1}


def test_five_axes_are_reported_without_a_picture(judged, loops):
    def conv3d(x, w, b):
        return 2 * loops.conv3d(x, w, b)

    given = dict(x=(1, 2, 3, 4, 5), w=(2, 2, 2, 2, 3), b=(2,))
    record = judged(check.conv3d.forward, conv3d, **given)
    assert "2 times" in record.hint
    assert record.arrays is None
    assert judged(check.conv3d.forward, loops.conv3d, **given).outcome is Outcome.PASSED


def test_single_precision_inside_is_right_and_its_bugs_are_still_found(judged):
    path = Path(__file__).parents[1] / "submissions" / "2-convolution" / "correct" / "einsum.py"
    einsum = SimpleNamespace(**runpy.run_path(str(path), init_globals={"np": np}))

    def wrong(dout, cache):
        dx, dw, db = einsum.conv_backward(dout, cache)
        return dx, dw * 1.1, db

    for case in CASES:
        right = judged(check.conv2d.gradients, einsum.conv_forward, einsum.conv_backward, **case)
        assert right.outcome is Outcome.PASSED
    found = judged(check.conv2d.gradients, einsum.conv_forward, wrong, **STRIDED)
    assert found.message == "dw is not the gradient of your forward"


def test_a_layer_without_a_cache_is_not_asked_for_one(judged):
    record = judged(check.corr2d.forward, lambda X, K: None, X=(3, 4), K=(2, 2))
    assert (record.message, record.got) == ("did not return numbers", "None")
    record = judged(check.conv2d.forward, lambda *a, **o: (None, None), **STRIDED)
    assert (record.message, record.got) == ("did not return numbers", "None")


@pytest.mark.parametrize("then", [ValueError("no more"), None, "text", np.zeros(3)], ids=str)
def test_a_forward_that_answers_only_at_first_is_not_the_graders_fault(judged, loops, then):
    calls = []

    def forward(x, w, b, **options):
        calls.append(1)
        if len(calls) <= 3:
            return loops.conv_forward(x, w, b, **options)
        if isinstance(then, Exception):
            raise then
        return then, None

    record = judged(check.conv2d.gradients, forward, loops.conv_backward, **STRIDED)
    assert record.outcome is Outcome.FAILED
    assert "called again" in record.message or record.message == "forward raised ValueError"


def test_an_object_that_refuses_to_be_an_array_is_a_wrong_answer(judged):
    class Odd:
        def __array__(self, *args, **kwargs):
            raise KeyError("no array")

    record = judged(check.corr2d.forward, lambda X, K: Odd(), X=(3, 4), K=(2, 2))
    assert (record.outcome, record.got) == (Outcome.FAILED, "a Odd")


def test_a_forward_that_stands_still_while_it_is_measured_earns_nothing(judged, loops):
    """Right at first; then always the same numbers, so that every slope is 0."""
    kept = []

    def forward(x, w, b, **options):
        if len(kept) < 3:
            kept.append(loops.conv_forward(x, w, b, **options))
        return kept[-1] if len(kept) < 3 else (kept[0][0].copy(), kept[0][1])

    def backward(dout, cache):
        return tuple(np.zeros(STRIDED[name]) for name in ("x", "w", "b"))

    found = judged(check.conv2d.gradients, forward, backward, **STRIDED)
    assert found.outcome is Outcome.FAILED

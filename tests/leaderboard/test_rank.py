from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.leaderboard.rank import disagreements, mcnemar, rank, wilson
from autograder.leaderboard.score import MISSED, Score
from autograder.problem import BadInputError

entries = st.integers(1, 30).flatmap(
    lambda total: st.dictionaries(
        st.text(max_size=3),
        st.binary(min_size=total, max_size=total).map(
            lambda raw: Score(bytes(byte % (MISSED + 1) for byte in raw), "truth")
        ),
        max_size=6,
    )
)


def entry(first=0, later=0, missed=0):
    """A score with so many images right at once, right by the fifth guess, and missed."""
    return Score(bytes([0] * first + [3] * later + [MISSED] * missed), "truth")


def test_top5_decides_then_top1():
    rows = rank({"a": entry(5, 0, 5), "b": entry(1, 6, 3), "c": entry(2, 5, 3)})
    assert [(row.rank, row.name) for row in rows] == [(1, "c"), (2, "b"), (3, "a")]
    assert (rows[0].total, rows[0].top1, rows[0].top5) == (10, 2, 7)
    assert (rows[0].top1_error, rows[0].top5_error) == (0.8, 0.3)


def test_equal_scores_share_a_rank_and_the_next_is_skipped():
    tied = entry(2, 2, 2)
    rows = rank({"d": entry(1, 1, 4), "b": tied, "a": tied, "top": entry(6)})
    assert [(row.rank, row.name) for row in rows] == [(1, "top"), (2, "a"), (2, "b"), (4, "d")]


@given(entries, st.randoms(use_true_random=False))
def test_the_board_does_not_depend_on_the_order_of_entries(scores, shuffler):
    shuffled = dict(shuffler.sample(list(scores.items()), len(scores)))
    assert rank(shuffled) == rank(scores)


@given(entries)
def test_a_rank_is_one_more_than_the_number_of_better_entries(scores):
    for row in rank(scores):
        better = [s for s in scores.values() if (s.top5, s.top1) > (row.top5, row.top1)]
        assert row.rank == 1 + len(better)


def test_a_later_hit_is_no_disagreement():
    assert disagreements(entry(2, 1, 1), entry(0, 2, 2)) == (1, 0)


def test_neighbours_are_compared_image_by_image():
    """Both pairs differ by 8 hits of 100: only disagreements tell chance from skill."""
    nested = rank({"a": entry(60, 0, 40), "b": entry(52, 0, 48)})
    crossed = Score(entry(52, 0, 48).places[::-1], "truth")
    scattered = rank({"a": entry(60, 0, 40), "b": crossed})
    assert nested[0].p_next == 2 / 2**8
    assert nested[0].distinguishable_from_next is True
    assert disagreements(entry(60, 0, 40), crossed) == (48, 40)
    assert scattered[0].distinguishable_from_next is False
    assert scattered[1].p_next is None
    assert scattered[1].distinguishable_from_next is None


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_twice_the_binomial_tail(b, c):
    tail = sum(comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert mcnemar(b, c) == mcnemar(c, b) == pytest.approx(min(1.0, 2 * tail), rel=1e-12)


def test_mcnemar_by_hand():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(1, 9) == 22 / 1024
    assert mcnemar(0, 6) == 2 / 64
    assert 0 < mcnemar(4500, 5500) < 1e-20
    assert mcnemar(0, 10_000) == 0.0  # smaller than any float, and no overflow on the way


def test_wilson_by_hand():
    """Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20 and 1 of 29."""
    for hits, total, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson(hits, total) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share(counts):
    hits, total = counts
    low, high = wilson(hits, total)
    assert 0 <= low <= hits / total <= high <= 1
    assert (1 - high, 1 - low) == pytest.approx(wilson(total - hits, total), abs=1e-12)


def test_the_interval_in_a_row_is_that_of_its_error():
    (row,) = rank({"a": entry(70, 0, 30)})
    assert (row.top5_error_low, row.top5_error_high) == wilson(30, 100)


def test_scores_on_other_images_are_refused():
    other = Score(entry(5).places, "other")
    with pytest.raises(BadInputError) as refusal:
        rank({"a": entry(5), "b": other, "c": entry(4, 1), "d": other})
    assert [problem.where for problem in refusal.value.problems] == ["entry 'b'", "entry 'd'"]
    assert "other images" in refusal.value.problems[0].got
    assert "'a'" in refusal.value.problems[0].expected


def test_an_empty_board_has_no_rows():
    assert rank({}) == []

import pytest

from autograder.problem import BadInputError
from autograder.show import bars


def test_each_bar_says_its_value_and_how_much_slower_than_the_fastest(texts):
    figure = bars(["loops", "im2col"], [3120, 24], "conv_forward")
    figure.draw_without_rendering()  # which is when the names are written
    written = texts(figure)
    assert {"loops", "im2col", "conv_forward", "3120 ms 130× slower"} <= set(written)
    assert "24 ms the reference" in written


def test_a_reference_may_be_named(texts):
    written = texts(bars(["ours", "torch", "b"], [10, 40, 64], unit="s", reference="torch"))
    assert {"10 s 4.0× faster", "40 s the reference", "64 s 1.6× slower"} <= set(written)


@pytest.mark.parametrize(
    ("value", "text"),
    [(100, "as fast"), (102, "as fast"), (3.55, "28× faster"), (96000, "960× slower")],
)
def test_what_is_as_fast_as_the_reference_is_neither_faster_nor_slower(value, text, texts):
    written = texts(bars(["one", "other"], [100, value], reference="one"))
    assert any(line.endswith(text) for line in written)


def test_the_axis_is_logarithmic_and_the_first_name_is_on_top():
    (axes,) = bars(["a", "b", "c"], [5, 50, 1]).axes
    assert axes.get_xscale() == "log"
    assert [bar.get_width() for bar in axes.patches] == [5, 50, 1]
    low, high = axes.get_ylim()
    assert low > high


@pytest.mark.parametrize("values", [[1, 1], [1e-6, 3000], [2, 3]])
def test_no_text_runs_out_of_the_axes(values):
    figure = bars(["first", "second"], values)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    for text in axes.texts:
        assert text.get_window_extent().x1 <= axes.get_window_extent().x1


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((["a"], [1, 2]), {}, "1 names"),
        ((["a", "b"], [1, 0]), {}, "numbers above 0"),
        ((["a", "b"], [1, float("inf")]), {}, "numbers above 0"),
        ((["a"], [1]), {"reference": "z"}, "one of a"),
    ],
)
def test_bars_refuses(arguments, options, message):
    with pytest.raises(BadInputError, match=message):
        bars(*arguments, **options)

import pytest

from autograder.rooms.outputs import MOST_OUTPUTS, PICTURE, Recorder, cleaned, cut, error

TEXT = {"output_type": "stream", "name": "stdout", "text": "hello"}
SHOWN = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": "1"}}
VALUE = SHOWN | {"output_type": "execute_result", "execution_count": 3}


def test_what_is_printed_in_a_row_is_one_output():
    recorder = Recorder(100)
    for name, text in (("stdout", "a"), ("stdout", "b"), ("stderr", "c"), ("stdout", "d")):
        recorder.write(name, text)
    assert [(o["name"], o["text"]) for o in recorder.outputs] == [
        ("stdout", "ab"),
        ("stderr", "c"),
        ("stdout", "d"),
    ]


def test_a_picture_stands_between_texts():
    recorder = Recorder(100)
    recorder.write("stdout", "a")
    recorder.show({"image/png": b"\x00", "text/plain": "p"}, {}, None)
    recorder.write("stdout", "b")
    assert [o["output_type"] for o in recorder.outputs] == ["stream", "display_data", "stream"]
    assert recorder.outputs[1]["data"] == {"image/png": "AA==", "text/plain": "p"}


def test_a_flood_keeps_its_ends():
    recorder = Recorder(100)
    for number in range(10_000):
        recorder.write("stdout", f"{number}\n")
    (output,) = recorder.outputs
    assert output["text"].startswith("0\n1\n") and output["text"].endswith("9999\n")
    assert len(output["text"]) < 300


def test_an_error_behind_a_flood_is_kept():
    recorder = Recorder(100)
    for number in range(2 * MOST_OUTPUTS):
        recorder.write("stdout" if number % 2 else "stderr", "x")
    recorder.error("ValueError", "no", [])
    for found in (recorder.outputs, cleaned(recorder.outputs, 100)):
        assert len(found) == MOST_OUTPUTS + 1
        assert (found[-1]["output_type"], found[-1]["ename"]) == ("error", "ValueError")


def test_a_flood_of_pictures_is_bounded():
    recorder = Recorder(100)
    for _ in range(3 * MOST_OUTPUTS):
        recorder.show({"text/plain": "p"}, {}, None)
    assert len(recorder.outputs) == MOST_OUTPUTS


def test_clearing_forgets_what_was_printed():
    recorder = Recorder(100)
    recorder.write("stdout", "a")
    recorder.clear()
    recorder.write("stdout", "b")
    assert [o["text"] for o in recorder.outputs] == ["b"]


def test_a_short_text_is_not_cut():
    assert cut("x" * 10, 10) == "x" * 10
    assert "characters left out: more than 10" in cut("x" * 11, 10)


PICTURED = SHOWN | {"data": {"image/png": "AAAA", "text/plain": "p"}}


@pytest.mark.parametrize(
    "output", [TEXT, SHOWN, VALUE, PICTURED, error("E", "m", "line 1", "line 2")]
)
def test_what_is_in_order_stays(output):
    assert cleaned([output], 100) == (output,)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("text/html", "<script>"),
        ("image/svg+xml", "<svg/>"),
        ("application/javascript", "1"),
        ("text/latex", "<b>"),
        ("text/markdown", "m"),
        ("image/png", 'AA"><script>'),
        ("image/png", ""),
    ],
)
def test_only_texts_and_pictures_come_from_a_student(kind, data):
    shown = SHOWN | {"data": {kind: data, "text/plain": "p"}}
    assert cleaned([shown], 100) == (SHOWN | {"data": {"text/plain": "p"}},)
    assert cleaned([shown], 100, trusted=True) == (shown,)


@pytest.mark.parametrize(
    "claimed",
    [
        None,
        7,
        "text",
        {"output_type": "stream"},
        [7, None, [TEXT], {}],
        [TEXT | {"name": "stdlog"}],
        [TEXT | {"text": 7}],
        [{"output_type": "error", "ename": 7, "evalue": ""}],
        [{"output_type": "update_display_data", "data": {}}],
        [SHOWN | {"data": "text"}],
    ],
)
def test_what_is_not_an_output_is_dropped(claimed):
    assert cleaned(claimed, 100) == ()


def test_claims_within_an_output_are_checked_too():
    data = {"a": 7, "b": "x" * (PICTURE * 100 + 1), "text/plain": "y"}
    shown = SHOWN | {"metadata": {"a": 1}, "data": data}
    assert cleaned([shown], 100) == (SHOWN | {"data": {"text/plain": "y"}},)
    assert cleaned([VALUE | {"execution_count": "x"}], 100)[0]["execution_count"] is None
    told = cleaned([error("E" * 999, "m" * 999, *["l" * 999] * 999)], 100)[0]
    assert len(told["ename"]) < 300 and len(told["evalue"]) < 200
    assert len(told["traceback"]) == MOST_OUTPUTS and len(told["traceback"][0]) < 200
    assert len(cleaned([TEXT] * 10_000, 100)) == MOST_OUTPUTS


def test_many_large_pictures_are_too_many():
    large = SHOWN | {"data": {"image/png": "x" * 1600}}
    told = error("E", "m", "l")
    assert cleaned([large] * 9 + [told], 100) == (large, large, told)

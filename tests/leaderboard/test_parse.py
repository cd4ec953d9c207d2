import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.leaderboard.parse import parse, parse_images, parse_labels
from autograder.problem import BadInputError

IMAGE = "val/00000003.jpg"  # the image of line 3
ROW = f"{IMAGE} 21 40 60 80 99"
SHAPE = "<filename> l1 l2 l3 l4 l5"

image_names = st.text(st.sampled_from("abcxyz0189_-/.é京"), min_size=1, max_size=12)
guesses = st.lists(st.integers(0, 99), min_size=5, max_size=5).map(tuple)
predictions = st.dictionaries(image_names, guesses, min_size=1, max_size=20)


def problems_of(data, truth, **options):
    with pytest.raises(BadInputError) as refusal:
        parse(data, "team.txt", truth, **options)
    return refusal.value.problems


@pytest.fixture
def rows(truth):
    """A perfect file's lines, with `ROW` as its third."""
    lines = [f"{image} {label} 40 60 80 99" for image, label in truth.items()]
    assert lines[2] == ROW
    return lines


def joined(rows):
    return "".join(f"{row}\n" for row in rows).encode()


@given(predictions)
def test_what_is_written_is_read_back(written, labels):
    assert parse(written(labels), "team.txt", labels).labels == labels


@given(predictions, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(written, labels, shuffler: random.Random):
    shuffled = dict(shuffler.sample(list(labels.items()), len(labels)))
    assert parse(written(shuffled), "team.txt", labels).labels == labels


@given(
    st.text(st.characters(categories=["Nd", "No", "Nl", "Po", "Sm", "Pc"]), min_size=1, max_size=3)
)
def test_only_the_plain_spelling_of_a_label_is_a_label(word):
    """Full-width and superscript digits, signs, underscores and leading zeros are none."""
    data = f"val/1.jpg {word} 1 2 3 4\n".encode()
    plain = {str(label) for label in range(100)}
    if word in plain:
        assert parse(data, "team.txt", ["val/1.jpg"]).labels["val/1.jpg"][0] == int(word)
    else:
        problems_of(data, ["val/1.jpg"])


def test_any_blanks_separate_fields(truth, rows):
    data = joined(rows).replace(b" ", b" \t ")
    assert parse(data, "team.txt", truth).labels[IMAGE] == (21, 40, 60, 80, 99)


RANGE = "a label from 0 to 99"
BAD_THIRD_LINE = {
    "four labels": (f"{IMAGE} 1 2 3 4", f"4 labels for '{IMAGE}'", "exactly 5", SHAPE),
    "one label": (f"{IMAGE} 1", f"1 label for '{IMAGE}'", "exactly 5", SHAPE),
    "no label": (IMAGE, f"0 labels for '{IMAGE}'", "exactly 5", SHAPE),
    "six labels": (f"{IMAGE} 1 2 3 4 5 6", f"6 labels for '{IMAGE}'", "exactly 5", SHAPE),
    "too large": (f"{IMAGE} 100 2 3 4 5", "the label '100'", RANGE, "count from 0"),
    "negative": (f"{IMAGE} 1 2 3 4 -1", "the label '-1'", RANGE, "count from 0"),
    "very large": (f"{IMAGE} 1 2 3 4 {'9' * 5000}", "the label '9999", RANGE, "count from 0"),
    "float": (f"{IMAGE} 1 2 3.0 4 5", "the number '3.0'", RANGE, "an integer"),
    "score": (f"{IMAGE} 1e-05 2 3 4 5", "the number '1e-05'", RANGE, "an integer"),
    "not a number": (f"{IMAGE} nan 2 3 4 5", "the number 'nan'", RANGE, "an integer"),
    "class name": (f"{IMAGE} abbey 2 3 4 5", "the word 'abbey'", RANGE, "not its name"),
    "plus sign": (f"{IMAGE} +1 2 3 4 5", "'+1'", RANGE, "no sign"),
    "minus zero": (f"{IMAGE} -0 2 3 4 5", "'-0'", RANGE, "no sign"),
    "leading zero": (f"{IMAGE} 07 2 3 4 5", "'07'", RANGE, "no leading zero"),
    "underscore": (f"{IMAGE} 1_0 2 3 4 5", "'1_0'", RANGE, "no separator"),
    "full width": (f"{IMAGE} １ 2 3 4 5", "'１'", RANGE, "0 to 9 alone"),
    "superscript": (f"{IMAGE} ² 2 3 4 5", "'²'", RANGE, "0 to 9 alone"),
    "CSV": (f"{IMAGE},1,2,3,4,5", "commas, semicolons or quotes", "blanks between", SHAPE),
    "quotes": (f'"{IMAGE}" 1 2 3 4 5', "commas, semicolons or quotes", "blanks between", SHAPE),
    "semicolons": (f"{IMAGE};1;2;3;4;5", "commas, semicolons or quotes", "blanks between", SHAPE),
}


@pytest.mark.parametrize("case", BAD_THIRD_LINE)
def test_a_bad_line_is_refused(truth, rows, case):
    line, found, expected, fix = BAD_THIRD_LINE[case]
    (problem,) = problems_of(joined([*rows[:2], line, *rows[3:]]), truth)
    assert problem.where == "team.txt, line 3"
    assert problem.got.startswith(found)
    assert len(problem.got) < 150
    assert expected in problem.expected
    assert fix in problem.fix


def test_a_header_is_refused(truth, rows):
    for header in ("filename l1 l2 l3 l4 l5", "image,label1,label2,label3,label4,label5"):
        (problem,) = problems_of(joined([header, *rows]), truth)
        assert problem.where == "team.txt, line 1"
        assert problem.got == f"the header {header!r}"
        assert problem.expected == SHAPE
        assert problem.fix.startswith("Delete this line")


def test_another_courses_csv_is_refused_for_its_header_and_its_commas_only(truth):
    rows = [f"{image},{label}" for image, label in truth.items()]
    header, *commas = problems_of(joined(["Id,Category", *rows]), truth)
    assert "header" in header.got
    assert all(problem.got.startswith("commas") for problem in commas)


@pytest.mark.parametrize("image", ["val/x.jpg", "img1"])
def test_a_first_row_about_an_image_is_no_header(image):
    words = problems_of(f"{image} abbey yard alley attic bar\n".encode(), ["img1"])
    assert "the word 'abbey'" in [problem.got for problem in words]
    assert not any("header" in problem.got for problem in words)


def test_missing_images_are_refused(truth, rows):
    (problem,) = problems_of(joined(rows[:8]), truth)
    assert problem.where == "team.txt, line 8"
    assert "no line for 4 of the images: 'val/00000009.jpg', " in problem.got
    assert problem.got.endswith("...")
    assert problem.expected == "a line for each of the 12 images"
    assert problem.fix.startswith("Predict these as well")


def test_one_missing_image_is_named(truth, rows):
    (problem,) = problems_of(joined([*rows[:2], *rows[3:]]), truth)
    assert problem.got.endswith(f"no line for 1 of the images: '{IMAGE}'")


def test_a_second_row_for_an_image_is_refused(truth, rows):
    (problem,) = problems_of(joined([*rows, ROW]), truth)
    assert problem.where == "team.txt, line 13"
    assert problem.got == f"'{IMAGE}' a second time (first on line 3)"
    assert problem.expected == "each image once"
    assert problem.fix.startswith("Delete")


def test_a_third_row_is_told_of_the_first(truth, rows):
    again = problems_of(joined([*rows, ROW, ROW]), truth)
    assert [problem.got[-10:] for problem in again] == ["on line 3)"] * 2


@pytest.mark.parametrize("name", ["test/00000003.jpg", "00000003.jpg", "./" + IMAGE, "3"])
def test_an_unknown_image_is_refused_and_its_place_is_no_excuse(truth, rows, name):
    unknown, missing = problems_of(joined([*rows[:2], f"{name} 1 2 3 4 5", *rows[3:]]), truth)
    assert unknown.where == "team.txt, line 3"
    assert unknown.got == f"the unknown image '{name}'"
    assert "like 'val/00000001.jpg'" in unknown.expected
    assert unknown.fix.startswith("Write names exactly")
    assert IMAGE in missing.got


def test_all_problems_are_listed_at_once(truth, rows):
    lines = ["a b c d e f", f"{IMAGE} 100 1.5 3 4", *rows[3:], "val/x.jpg 1 2 3 4 5"]
    found = [problem.got.split()[1] for problem in problems_of(joined(lines), truth)]
    assert found == ["header", "labels", "label", "number", "unknown", "end"]


def test_a_line_is_refused_once_for_each_kind_of_label(truth, rows):
    bad = f"{IMAGE} abbey 100 yard 101 5"
    word, label = problems_of(joined([*rows[:2], bad, *rows[3:]]), truth)
    assert (word.got, label.got) == ("the word 'abbey'", "the label '100'")


def test_many_problems_of_a_kind_are_counted(truth, rows):
    problems = problems_of(joined([row.replace(" 99", " 100") for row in rows]), truth)
    assert [problem.where for problem in problems] == [f"team.txt, line {k}" for k in (1, 2, 3)]
    assert problems[-1].fix.endswith("\n... and 9 more lines like this.")
    assert "more" not in problems[0].fix


def test_one_more_problem_is_one_line(truth, rows):
    bad = [row.replace(" 99", " 100") for row in rows[:4]]
    assert "1 more line like this." in problems_of(joined(bad + rows[4:]), truth)[-1].fix


@pytest.mark.parametrize("word", ["shop", "bakery/shop", "b/bakery/shop", "/b/bakery/shop"])
def test_a_category_is_translated_where_its_number_is_known(truth, rows, word):
    categories = {"/b/bakery/shop": 8, "/a/abbey": 0}
    lines = [*rows[:2], f"{IMAGE} {word} 2 3 4 5", *rows[3:]]
    (problem,) = problems_of(joined(lines), truth, categories=categories)
    assert problem.fix == f"Write the category's number: '{word}' is 8."


@pytest.mark.parametrize("word", ["indoor", "door", "art"])
def test_an_uncertain_category_is_not_guessed(truth, rows, word):
    categories = {"/a/art/indoor": 1, "/c/church/indoor": 2, "/t/trapdoor": 2, "/d/dart": 1}
    lines = [*rows[:2], f"{IMAGE} {word} 2 3 4 5", *rows[3:]]
    (problem,) = problems_of(joined(lines), truth, categories=categories)
    assert "is 1" not in problem.fix
    assert "is 2" not in problem.fix


def test_fewer_classes_have_fewer_labels(truth, rows):
    problems = problems_of(joined(rows), truth, num_classes=99)
    assert problems[0].got == "the label '99'"
    assert problems[0].expected == "a label from 0 to 98"


def test_a_repeated_label_is_a_warning(truth, rows):
    data = joined([*rows[:2], f"{IMAGE} 1 2 2 3 2", *rows[3:]])
    parsed = parse(data, "team.txt", truth)
    assert parsed.labels[IMAGE] == (1, 2, 2, 3, 2)
    (warning,) = parsed.warnings
    assert warning.where == "team.txt, line 3"
    assert warning.got == f"the label 2 3 times for '{IMAGE}'"


def test_a_good_file_has_no_warning(truth, rows):
    assert parse(joined(rows), "team.txt", truth).warnings == ()


def test_what_a_terminal_would_act_on_is_not_repeated(truth, rows):
    odd = "val/\u202egpj.exe"
    unknown, _ = problems_of(joined([*rows[:2], f"{odd} 1 2 3 4 5", *rows[3:]]), truth)
    assert "\u202e" not in str(unknown)


@given(st.dictionaries(image_names, st.integers(0, 99), min_size=1))
def test_labels_are_read_back(labels):
    data = "".join(f"{image} {label}\r\n" for image, label in labels.items()).encode()
    assert parse_labels(data, "val.txt") == labels


BAD_LABELS = {
    "a prediction file": ("val/2.jpg 1 2 3 4 5", "5 labels for 'val/2.jpg'", "exactly 1"),
    "no label": ("val/2.jpg", "0 labels for 'val/2.jpg'", "exactly 1"),
    "out of range": ("val/2.jpg 100", "the label '100'", RANGE),
    "swapped": ("71 val/2.jpg", "the word 'val/2.jpg'", RANGE),
    "class name": ("val/2.jpg abbey", "the word 'abbey'", RANGE),
    "CSV": ("val/2.jpg,7", "commas", "blanks between"),
    "duplicate": ("val/1.jpg 7", "'val/1.jpg' a second time (first on line 1)", "once"),
}


@pytest.mark.parametrize("case", BAD_LABELS)
def test_a_bad_label_file_is_refused(case):
    line, found, expected = BAD_LABELS[case]
    with pytest.raises(BadInputError) as refusal:
        parse_labels(f"val/1.jpg 7\n{line}\nval/3.jpg 8\n".encode(), "val.txt")
    (problem,) = refusal.value.problems
    assert problem.where == "val.txt, line 2"
    assert problem.got.startswith(found)
    assert expected in problem.expected
    assert problem.fix


def test_a_label_files_header_is_refused():
    with pytest.raises(BadInputError, match="line 1: found the header 'filename label'"):
        parse_labels(b"filename label\nval/1.jpg 7\n", "val.txt")


def test_a_repeated_category_is_refused_though_it_has_no_ending():
    with pytest.raises(BadInputError, match="'/a/abbey' a second time"):
        parse_labels(b"/a/abbey 0\n/a/abbey 1\n", "categories.txt")


@pytest.mark.parametrize("end", ["", " 3", "\t99"])
def test_names_of_images_are_read_with_and_without_labels(end):
    data = f"val/2.jpg{end}\n\nval/1.jpg{end}\n".encode()
    assert parse_images(data, "test.txt") == ("val/2.jpg", "val/1.jpg")


@pytest.mark.parametrize(
    ("text", "where", "got"),
    [
        ("a\nb\na\n", "test.txt, line 3", "'a' a second time (first on line 1)"),
        ("a.jpg 1\na.jpg 2\n", "test.txt, line 2", "'a.jpg' a second time (first on line 1)"),
        ("a.jpg 1\nb.jpg\n", "test.txt, line 2", "0 labels for 'b.jpg'"),
        ("a.jpg 1 2 3 4 5\n", "test.txt, line 1", "5 labels for 'a.jpg'"),
        ("a.jpg,3\n", "test.txt, line 1", "commas, semicolons or quotes: 'a.jpg,3'"),
        ("a.jpg 100\n", "test.txt, line 1", "the label '100'"),
        ("", "test.txt, line 1", "an empty file"),
    ],
)
def test_a_bad_list_of_images_is_refused(text, where, got):
    with pytest.raises(BadInputError) as refusal:
        parse_images(text.encode(), "test.txt")
    (problem,) = refusal.value.problems
    assert (problem.where, problem.got) == (where, got)


def test_images_may_have_more_classes_than_usual():
    assert parse_images(b"a.jpg 364\n", "test.txt", 365) == ("a.jpg",)

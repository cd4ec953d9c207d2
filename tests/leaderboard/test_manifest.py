import json
from dataclasses import MISSING, asdict, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.leaderboard.manifest import (
    FORMAT,
    MAX_BYTES,
    MAX_CLASSES,
    Manifest,
    build,
    images_digest,
    parse_manifest,
    sha256,
    to_json,
)
from autograder.problem import BadInputError

FACTS = {
    "predictions_sha256": "ab" * 32,
    "images": 12,
    "images_sha256": "cd" * 32,
    "classes": 100,
    "split": "val",
    "net": "ResNet-18",
    "recipe": "fine-tuned, fc at 0.01 and the rest at 0.001",
    "data": "miniPlaces",
    "data_sha256": "ef" * 32,
    "epochs": 5,
    "batch_size": 64,
    "learning_rate": 0.01,
    "seed": 0,
    "versions": {"python": "3.11.7", "torch": "2.13.0"},
    "device": "Tesla T4",
    "when": "2027-02-09T23:59:00Z",
}
RESULTS = {"seconds": 812.5, "top1": 0.505, "top5": 0.8, "settings": {"nesterov": True, "decay": 1}}


def written(**changes):
    table = {"format": FORMAT, **FACTS, **RESULTS, **changes}
    return json.dumps({key: value for key, value in table.items() if value is not ...}).encode()


def problems_of(data):
    with pytest.raises(BadInputError) as refusal:
        parse_manifest(data, "run.json")
    return refusal.value.problems


words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(
    lambda text: text.isprintable() and text.strip()
)
numbers = st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)


@given(
    net=words,
    seed=st.integers(0, 2**64),
    top1=st.none() | st.floats(0, 0.5),
    rate=st.floats(0, 1e300),
    settings=st.dictionaries(words, words | numbers | st.booleans(), max_size=5),
)
def test_what_is_written_is_read_back(net, seed, top1, rate, settings):
    changes = {"net": net, "seed": seed, "learning_rate": rate, "settings": settings}
    run = build(FACTS | changes | ({} if top1 is None else {"top1": top1}), "run.json")
    assert parse_manifest(to_json(run).encode(), "run.json") == run


def test_the_text_is_the_same_whatever_the_order_of_facts():
    facts = FACTS | RESULTS
    backwards = dict(reversed(facts.items())) | {"settings": {"decay": 1, "nesterov": True}}
    text = to_json(build(facts, "run.json"))
    assert to_json(build(backwards, "run.json")) == text
    assert text.isascii()
    assert list(json.loads(text)) == ["format", *asdict(Manifest(**facts))]


def test_what_is_not_known_is_left_out():
    text = to_json(build(FACTS, "run.json"))
    assert not {"seconds", "top1", "top5", "settings"} & set(json.loads(text))


def test_digests_are_those_of_sha256sum():
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert images_digest(["b", "a", "b"]) == sha256(b"a\nb\n")


REQUIRED = [
    one.name
    for one in fields(Manifest)
    if one.default is MISSING and one.default_factory is MISSING
]


def test_the_facts_of_these_tests_are_those_that_are_required():
    assert list(FACTS) == REQUIRED


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_field_is_named(name):
    (problem,) = problems_of(written(**{name: ...}))
    assert (problem.where, problem.got) == (f"run.json, {name}", "nothing")
    assert len(problem.expected) > 5


WRONG = {
    "an empty word": ("net", "", "''", "1 to 1,000 characters"),
    "blanks": ("net", "  ", "'  '", "1 to 1,000 characters"),
    "two lines": ("recipe", "a\nb", r"'a\nb'", "on one line"),
    "terminal codes": ("device", "\x1b[2J", r"'\x1b[2J'", "on one line"),
    "half a character": ("net", "\ud800", r"'\ud800'", "on one line"),
    "a long word": ("net", "x" * 1001, "'xxx", "1 to 1,000 characters"),
    "a number for a word": ("net", 18, "18", "the architecture"),
    "a word for a number": ("epochs", "5", "'5'", "a whole number of 0 or more"),
    "half an epoch": ("epochs", 0.5, "0.5", "a whole number"),
    "negative": ("epochs", -1, "-1", "of 0 or more"),
    "no images a step": ("batch_size", 0, "0", "of 1 or more"),
    "truth for a number": ("batch_size", True, "true", "a whole number"),
    "a large seed": ("seed", 2**64 + 1, "a very large number", "a whole number"),
    "many classes": ("classes", MAX_CLASSES + 1, "10001", "from 1 to 10,000"),
    "not a number": ("learning_rate", float("nan"), "nan", "a number of 0 or more"),
    "infinity": ("learning_rate", float("inf"), "inf", "a number of 0 or more"),
    "a huge rate": ("learning_rate", 10**400, "a very large number", "a number of 0 or more"),
    "percent": ("top1", 50.5, "50.5", "a number from 0 to 1"),
    "a negative share": ("top5", -0.1, "-0.1", "a number from 0 to 1"),
    "null": ("seconds", None, "null", "a number of 0 or more"),
    "MD5": ("data_sha256", "ab" * 16, "'abab", "64 hexadecimal digits"),
    "capitals": ("data_sha256", "AB" * 32, "'ABAB", "64 hexadecimal digits"),
    "a day": ("when", "2027-02-09", "'2027-02-09'", "a time in UTC"),
    "no zone": ("when", "2027-02-09T23:59:00", "'2027", "a time in UTC"),
    "another zone": ("when", "2027-02-09T23:59:00+01:00", "'2027", "a time in UTC"),
    "no date": ("when", "yesterday", "'yesterday'", "a time in UTC"),
    "a list for an object": ("settings", [1], "a list of 1", "up to 100 names and values"),
    "many settings": ("settings", dict.fromkeys(map(str, range(101)), 1), "an object", "up to 100"),
    "no Python": ("versions", {"torch": "2"}, "no 'python'", "its version"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_refused(case):
    name, value, got, expected = WRONG[case]
    (problem,) = problems_of(written(**{name: value}))
    assert problem.where == f"run.json, {name}"
    assert problem.got.startswith(got)
    assert expected in problem.expected
    assert len(problem.got) < 80 and problem.got.isprintable()


@pytest.mark.parametrize(
    ("name", "key", "value", "got"),
    [
        ("settings", "x", [1], "a list of 1"),
        ("settings", "x", {"y": 1}, "an object of 1 entries"),
        ("settings", "x", None, "null"),
        ("settings", "x", float("-inf"), "-inf"),
        ("settings", "x", "a\nb", r"'a\nb'"),
        ("settings", "\x1b", 1, r"'\x1b'"),
        ("versions", "torch", 2.13, "2.13"),
    ],
)
def test_what_stands_in_an_object_is_refused_by_its_name(name, key, value, got):
    (problem,) = problems_of(written(**{name: {"python": "3", key: value}}))
    assert problem.where.startswith(f"run.json, {name}, ")
    assert problem.where.isprintable()
    assert problem.got == got


@pytest.mark.parametrize(
    ("key", "fix"),
    [
        ("batchsize", "Call it 'batch_size'."),
        ("top_1", "Call it 'top1'."),
        ("Epochs", "Call it 'epochs'."),
        ("weight_decay", "Put it into 'settings', where any name is allowed."),
        ("\x1b", "Put it into 'settings', where any name is allowed."),
    ],
)
def test_an_unknown_field_is_refused_with_the_nearest_name(key, fix):
    (problem,) = problems_of(written(**{key: 1}))
    assert problem.got.startswith("the unknown field ")
    assert problem.got.isprintable()
    assert problem.fix == fix


def test_of_many_unknown_fields_the_first_few_are_told():
    problems = problems_of(written(**{f"epoch{k}": 1 for k in range(4000)}))
    assert len(problems) == 3
    assert problems[-1].fix == "Call it 'epochs'.\n... and 3,997 more like this."
    assert "more like this" not in problems_of(written(a=1, b=1, c=1))[-1].fix


def test_of_many_repeated_fields_the_first_few_are_told():
    again = "".join(f', "epochs": {{"{k}": 1, "{k}": 1}}' for k in range(4))
    problems = problems_of(written()[:-1] + again.encode() + b"}")
    assert [problem.got for problem in problems[:3]] == [f"'{k}' more than once" for k in range(3)]
    assert problems[2].fix == "Delete all but one.\n... and 2 more like this."


def test_more_right_at_once_than_within_five_is_refused():
    (problem,) = problems_of(written(top1=0.8, top5=0.5))
    assert (problem.where, problem.got) == ("run.json, top5", "0.5")
    assert parse_manifest(written(top1=0.5, top5=0.5), "run.json").top5 == 0.5
    assert parse_manifest(written(top1=0.5, top5=...), "run.json").top5 is None


@pytest.mark.parametrize("value", [..., 2, "1", True, None])
def test_another_format_is_refused(value):
    (problem,) = problems_of(written(format=value))
    assert problem.where == "run.json, format"
    assert "update" in problem.fix


def test_all_problems_are_told_at_once():
    data = written(net="", epochs="3", top1=50, batchsize=64, batch_size=..., settings={"x": []})
    wheres = [problem.where for problem in problems_of(data[:-1] + b', "seed": 1}')]
    assert wheres == [
        "run.json",  # the seed twice
        "run.json",  # batchsize
        "run.json, batch_size",
        "run.json, net",
        "run.json, epochs",
        "run.json, top1",
        "run.json, settings, 'x'",
    ]


@pytest.mark.parametrize(
    ("data", "where", "got"),
    [
        (b"", "run.json, line 1", "an empty file"),
        (b"\x1f\x8bx", "run.json, line 1", "a damaged gzip archive"),
        (b"\x80\x04\x95", "run.json, line 1", "the byte 0x80"),
        (b'{"net": "\xff"}', "run.json, line 1", "the byte 0xff"),
        ("{}".encode("utf-16"), "run.json, line 1", "UTF-16 text"),
        (b"val/1.jpg 1 2 3 4 5\n", "run.json, line 1", "no JSON at column 1"),
        (b'{"net": 1\n,}', "run.json, line 2", "no JSON at column 2"),
        (b"{'net': 1}", "run.json, line 1", "no JSON at column 2"),
        (b"[1, 2]", "run.json", "a list of 2"),
        (b"NaN", "run.json", "nan"),
        (b"null", "run.json", "null"),
        (b"[" * 60_000, "run.json", "JSON larger than anybody needs"),
        (b"1" * 60_000, "run.json", "JSON larger than anybody needs"),
        (b" " * MAX_BYTES + b"{}", "run.json, line 1", "more than the 65,536 bytes"),
    ],
)
def test_what_is_no_json_object_is_refused(data, where, got):
    (problem,) = problems_of(data)
    assert problem.where == where
    assert problem.got.startswith(got)
    assert problem.expected == "one JSON object with the fields of a run"


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*FACTS, *RESULTS]), inner),
    ).map(lambda value: json.dumps(value).encode())
)
def test_nothing_but_a_refusal_comes_of_nonsense(data):
    with pytest.raises(BadInputError) as refusal:
        parse_manifest(data, "run.json")
    assert all(problem.got and problem.fix for problem in refusal.value.problems)

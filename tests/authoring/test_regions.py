from autograder.authoring import regions

CELL = (
    "a\n### BEGIN SOLUTION\nb\n### END SOLUTION\nc\n    # BEGIN HIDDEN TESTS\nd\n# END HIDDEN TESTS"
)


def test_split_tells_public_from_secret_lines():
    assert regions.split(CELL) == (["a", "c"], ["b", "d"])


def test_without_delimiters_keeps_the_rest():
    assert regions.without_delimiters(CELL) == "a\nb\nc\nd"

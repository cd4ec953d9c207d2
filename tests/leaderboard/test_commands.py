import argparse
import json
import sys

import pytest

from autograder.leaderboard import commands
from autograder.leaderboard.text import MAX_BYTES
from autograder.problem import BadInputError

TEAMS = ["fine-tuned-longer", "from-scratch", "three-nets", "fine-tuned", "linear-probe"]


def run(*words):
    parser = argparse.ArgumentParser(prog="autograder")
    commands.add_to(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["leaderboard", *map(str, words)])
    return arguments.run(arguments)


@pytest.fixture
def truth_file(samples):
    return samples / "truth.txt"


def files(samples):
    return [samples / f"{team}.txt" for team in TEAMS]


def test_score_prints_counts_accuracy_and_error(samples, truth_file, capsys):
    assert run("score", samples / "fine-tuned.txt", "--truth", truth_file) == 0
    printed = capsys.readouterr()
    assert "300 images" in printed.out
    top1, top5 = (line.split() for line in printed.out.splitlines()[-2:])
    assert top1[:6] == ["top-1", "127", "of", "300", "42.33%", "57.67%"]
    assert top5[:6] == ["top-5", "219", "of", "300", "73.00%", "27.00%"]
    assert top5[6:] == ["22.29%", "to", "32.29%"]
    assert printed.err == ""


def test_score_warns_of_repeated_labels(samples, truth_file, capsys):
    assert run("score", samples / "from-scratch.txt", "--truth", truth_file) == 0
    printed = capsys.readouterr().err
    assert printed.count("warning: ") == 3
    assert "line 173: found the label 89 2 times" in printed
    assert printed.endswith("... and 3 more lines like this.\n")


def test_score_refuses_a_bad_file_with_all_its_problems(samples, truth_file):
    with pytest.raises(BadInputError) as refusal:
        run("score", samples / "bad" / "many-problems.txt", "--truth", truth_file)
    assert len(refusal.value.problems) == 10
    assert "many-problems.txt, line 42: found the word 'abbey'" in str(refusal.value)


def test_score_translates_a_category(samples, truth_file, tmp_path):
    categories = tmp_path / "categories.txt"
    categories.write_text("/a/abbey 0\n")
    options = ("--truth", truth_file, "--categories", categories)
    with pytest.raises(BadInputError, match="'abbey' is 0"):
        run("score", samples / "bad" / "many-problems.txt", *options)


def test_board_ranks_the_samples(samples, truth_file, capsys):
    assert run("board", *files(samples), "--truth", truth_file) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [tuple(line.split()[:3]) for line in lines] == [
        ("1", "three-nets", "12.00%"),
        ("2", "fine-tuned", "27.00%"),
        ("3", "fine-tuned-longer", "27.67%"),
        ("4", "linear-probe", "41.67%"),
        ("5", "from-scratch", "61.67%"),
    ]
    assert ["not distinguishable" in line for line in lines] == [False, True, False, False, False]
    assert [" distinguishable, p < 0.001" in line for line in lines] == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_board_goes_on_past_bad_files(samples, truth_file, tmp_path, capsys):
    missing = tmp_path / "nobody.txt"
    bad = samples / "bad" / "many-problems.txt"
    assert run("board", bad, samples / "fine-tuned.txt", missing, "--truth", truth_file) == 1
    printed = capsys.readouterr()
    assert [line.split()[1] for line in printed.out.splitlines()[2:]] == ["fine-tuned"]
    assert f"{bad}, line 1: found the header" in printed.err
    assert f"{missing}: found No such file or directory" in printed.err


def test_board_of_bad_files_only_is_empty(samples, truth_file, capsys):
    assert run("board", samples / "bad" / "many-problems.txt", "--truth", truth_file) == 1
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_board_writes_its_rows_as_json(samples, truth_file, tmp_path):
    board = tmp_path / "board.json"
    assert run("board", *files(samples), "--truth", truth_file, "--json", board) == 0
    rows = json.loads(board.read_text())
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[1]["name"] == "fine-tuned"
    assert (rows[1]["total"], rows[1]["top1"], rows[1]["top5"]) == (300, 127, 219)
    assert rows[1]["top5_error_low"] < rows[1]["top5_error"] == 0.27 < rows[1]["top5_error_high"]
    assert rows[1]["distinguishable_from_next"] is False
    assert rows[4]["p_next"] is None


def test_json_that_cannot_be_written_is_a_clear_refusal(samples, truth_file, tmp_path):
    nowhere = tmp_path / "no" / "board.json"
    with pytest.raises(BadInputError, match="a folder that exists"):
        run("board", *files(samples), "--truth", truth_file, "--json", nowhere)


def test_two_files_of_one_name_are_refused(samples, truth_file, tmp_path):
    twin = tmp_path / "fine-tuned.csv"
    with pytest.raises(BadInputError) as refusal:
        run("board", *files(samples), twin, "--truth", truth_file)
    both = {str(samples / "fine-tuned.txt"), str(twin)}
    assert {problem.where for problem in refusal.value.problems} == both
    assert "the team name 'fine-tuned' more than once" in str(refusal.value)


@pytest.mark.parametrize("command", ["score", "board"])
def test_a_bad_truth_stops_the_command(samples, command):
    bad = samples / "fine-tuned.txt"
    with pytest.raises(
        BadInputError, match=r"5 labels for 'val/00000001\.jpg', expected exactly 1"
    ):
        run(command, samples / "three-nets.txt", "--truth", bad)


def test_a_folder_is_no_prediction_file(samples, truth_file):
    with pytest.raises(BadInputError, match="Is a directory"):
        run("score", samples, "--truth", truth_file)


def test_an_endless_file_is_not_read_to_its_end(tmp_path, truth_file):
    large = tmp_path / "large.txt"
    with large.open("wb") as file:
        file.truncate(1000 * MAX_BYTES)  # sparse: takes no room on the disk
    with pytest.raises(BadInputError, match="more than the 4,194,304 bytes"):
        run("score", large, "--truth", truth_file)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows no such file names")
@pytest.mark.parametrize(
    ("stem", "shown"),
    [
        ("1e3", "1e3"),
        ("<b>&amp;", "<b>&amp;"),
        ("équipe 京", "équipe 京"),
        ("-0", "-0"),
        ("a\nb", r"'a\nb'"),
        ("\x1b[31mred", r"'\x1b[31mred'"),
        ("\udcff", r"'\udcff'"),
    ],
)
def test_a_team_may_be_called_anything(samples, truth_file, tmp_path, capsys, stem, shown):
    entry = tmp_path / f"{stem}.txt"
    entry.write_bytes((samples / "from-scratch.txt").read_bytes())
    board = tmp_path / "board.json"
    assert run("board", entry, "--truth", truth_file, "--json", board) == 0
    printed = capsys.readouterr()
    assert shown in printed.out.splitlines()[2]
    assert "\x1b" not in printed.out + printed.err
    assert json.loads(board.read_text())[0]["name"] == stem


@pytest.fixture
def names_file(samples, tmp_path):
    """The samples' images without labels, as miniPlaces' test.txt has them."""
    path = tmp_path / "test.txt"
    lines = (samples / "truth.txt").read_text().splitlines()
    path.write_text("".join(f"{line.split()[0]}\n" for line in lines))
    return path


def test_check_says_that_a_file_is_valid(samples, truth_file, names_file, capsys):
    for images in (truth_file, names_file):
        assert run("check", samples / "fine-tuned.txt", "--images", images) == 0
        said = "fine-tuned.txt: valid, 300 images with 5 labels each, from 0 to 99\n"
        assert capsys.readouterr().out.endswith(said)


def test_check_reads_the_manifest_beside_it(samples, truth_file, capsys):
    options = ("--images", truth_file, "--manifest", samples / "fine-tuned.json")
    assert run("check", samples / "fine-tuned.txt", *options) == 0
    assert "validation top-1 42.3%, top-5 73.0%" in capsys.readouterr().out


def test_check_prints_warnings(samples, truth_file, capsys):
    assert run("check", samples / "from-scratch.txt", "--images", truth_file) == 0
    assert capsys.readouterr().out.count("warning: ") == 3


def test_check_refuses_with_all_problems_and_status_1(samples, truth_file, tmp_path, capsys):
    categories = tmp_path / "categories.txt"
    categories.write_text("/a/abbey 0\n")
    options = ("--images", truth_file, "--categories", categories)
    manifest = ("--manifest", samples / "fine-tuned.json")
    assert run("check", samples / "bad" / "many-problems.txt", *options, *manifest) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "'abbey' is 0" in printed.err
    assert "fine-tuned.json, predictions_sha256: found " in printed.err
    assert sum(": found " in line for line in printed.err.splitlines()) == 11


def test_check_knows_fewer_classes(samples, names_file, capsys):
    path = samples / "fine-tuned.txt"
    assert run("check", path, "--images", names_file, "--classes", 90) == 1
    assert "expected a label from 0 to 89" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["0", "-1", "x", "1.5", "²"])
def test_check_wants_a_number_of_classes(samples, names_file, word, capsys):
    with pytest.raises(SystemExit) as end:
        run("check", samples / "fine-tuned.txt", "--images", names_file, f"--classes={word}")
    assert end.value.code == 2
    assert "is no number of classes" in capsys.readouterr().err


def test_check_cannot_begin_without_the_files(samples, names_file, tmp_path):
    for predictions, images in ((tmp_path / "no", names_file), (names_file, tmp_path / "no")):
        with pytest.raises(BadInputError, match="No such file or directory"):
            run("check", predictions, "--images", images)


@pytest.mark.parametrize("command", ["check", "score", "board"])
def test_help_has_an_example_and_the_form_of_a_line(command, capsys):
    with pytest.raises(SystemExit) as end:
        run(command, "--help")
    assert end.value.code == 0
    printed = capsys.readouterr().out
    assert "val/00000001.jpg 71 12 5 99 0" in printed
    assert f"  autograder leaderboard {command} " in printed

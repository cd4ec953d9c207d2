import pytest

from autograder.places import manifest
from autograder.problem import BadInputError

GOOD = """
[archive]
file = "data.tar.gz"
md5 = "265825ec94f79390e4f1e38045a69059"
max_bytes = 10
mirrors = ["https://example.org/data.tar.gz"]
[unpacked]
max_files = 1
max_file_bytes = 1
max_bytes = 1
[contents]
images = "images"
objects = "objects"
categories = "categories.txt"
labels = []
test_images = 0
objects_train = 0
objects_val = 0
[files]
"""


def test_the_packages_own():
    what = manifest.load()
    assert what.archive.digests == {"md5": "265825ec94f79390e4f1e38045a69059"}
    assert len(what.archive.mirrors) == 4
    assert set(what.files) == {"train.txt", "val.txt", "categories.txt", "object_categories.txt"}
    assert {name: item.classes for name, item in what.weights.items()} == {
        "imagenet": 1000,
        "places365": 365,
    }
    assert "f37072fd" in what.weights["imagenet"].name
    assert what.contents.annotations == {"train": 3502, "val": 371}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"data.tar.gz"', '"../data"', "the name '../data', expected a plain file name"),
        ("https://", "ftp://", "the address 'ftp://example.org/data.tar.gz', expected http"),
        ("265825ec94", "265825ec", "expected 32 hexadecimal digits"),
        ("max_bytes = 10\n", "", "no setting 'max_bytes'"),
        ("md5 =", "md6 =", "the setting 'md6', expected only"),
        ('images = "images"', 'images = "/etc"', "the name '/etc'"),
        ("[files]", "[files", "expected TOML"),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path, old, new, said):
    path = tmp_path / "manifest.toml"
    path.write_text(GOOD)
    assert manifest.load(path).archive.name == "data.tar.gz"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(BadInputError) as caught:
        manifest.load(path)
    assert said in str(caught.value)


def test_no_manifest(tmp_path):
    with pytest.raises(BadInputError, match="--manifest"):
        manifest.load(tmp_path / "none.toml")


def test_another_mirror_is_tried_first():
    archive = manifest.load().archive
    assert manifest.with_mirrors(archive, ["http://a/b"]).mirrors == (
        "http://a/b",
        *archive.mirrors,
    )
    with pytest.raises(BadInputError, match="--archive FILE"):
        manifest.with_mirrors(archive, ["/content/drive/data.tar.gz"])

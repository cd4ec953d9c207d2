import io
import pickle
import shutil

import numpy as np
import pytest
from PIL import Image

from autograder.places import packing
from autograder.places.packed import Packed
from autograder.places.packing import pack
from autograder.problem import BadInputError


@pytest.fixture
def images(tmp_path, make_jpeg):
    """Ten images in two classes."""
    folder = tmp_path / "images"
    for k in range(10):
        path = folder / f"train/{'ab'[k % 2]}/{k:08d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make_jpeg(k, (12, 8)))
    return folder


@pytest.fixture
def labels():
    return {f"train/{'ab'[k % 2]}/{k:08d}.jpg": k % 2 for k in range(10)}


def decoded(images, name):
    with Image.open(images / name) as image:
        return np.asarray(image.convert("RGB"))


def test_every_image_is_where_its_label_is(images, labels, tmp_path):
    pack(labels, images, tmp_path / "train", workers=1)
    found = Packed(tmp_path / "train")
    assert len(found) == 10 and found.images.shape == (10, 8, 12, 3)
    assert list(found.names) == list(labels)
    assert found.labels.tolist() == list(labels.values())
    for k, name in enumerate(labels):
        assert np.array_equal(found.images[k], decoded(images, name))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "train"]


def test_several_processes_make_the_same(images, labels, tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "_CHUNK", 3)
    pack(labels, images, tmp_path / "one", workers=1)
    pack(labels, images, tmp_path / "two", workers=2)
    for name in ("images.npy", "labels.npy", "set.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_mean_and_deviation_are_those_of_all_pixels(images, labels, tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "_CHUNK", 4)
    pack(labels, images, tmp_path / "train", workers=1)
    found = Packed(tmp_path / "train")
    pixels = np.stack([decoded(images, name) for name in labels]) / 255
    np.testing.assert_allclose(found.mean, pixels.mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(found.std, pixels.std((0, 1, 2)), rtol=1e-12)


def test_shuffled_images_keep_their_labels(images, labels, tmp_path):
    pack(labels, images, tmp_path / "train", workers=1, shuffle=0)
    pack(labels, images, tmp_path / "again", workers=1, shuffle=0)
    found = Packed(tmp_path / "train")
    assert list(found.names) != list(labels) and sorted(found.names) == sorted(labels)
    assert list(Packed(tmp_path / "again").names) == list(found.names)
    for k, name in enumerate(found.names):
        assert found.labels[k] == labels[name]
        assert np.array_equal(found.images[k], decoded(images, name))


@pytest.mark.parametrize("rows", [[3, 0, 3], [-1, 2], np.array([], int), np.array([9])])
def test_a_batch_is_any_rows_in_any_order(images, labels, tmp_path, rows):
    pack(labels, images, tmp_path / "train", workers=1)
    found = Packed(tmp_path / "train")
    x, y = found.batch(rows)
    assert np.array_equal(x, found.images[rows]) and np.array_equal(y, found.labels[rows])
    assert type(x) is np.ndarray and x.flags.c_contiguous and x.flags.writeable
    assert x.dtype == np.uint8 and y.dtype == np.int64


@pytest.mark.parametrize("rows", [[10], [0, -11]])
def test_a_row_that_is_not_there(images, labels, tmp_path, rows):
    pack(labels, images, tmp_path / "train", workers=1)
    with pytest.raises(IndexError):
        Packed(tmp_path / "train").batch(rows)


def test_a_batch_goes_where_it_is_wanted(images, labels, tmp_path):
    pack(labels, images, tmp_path / "train", workers=1)
    found, out = Packed(tmp_path / "train"), np.zeros((2, 8, 12, 3), np.uint8)
    x, _ = found.batch([4, 7], out=out)
    assert x is out and np.array_equal(out, found.images[[4, 7]])


def test_torch_takes_a_batch_channels_last(images, labels, tmp_path):
    torch = pytest.importorskip("torch")
    pack(labels, images, tmp_path / "train", workers=1)
    x, _ = Packed(tmp_path / "train").batch([0, 1])
    nchw = torch.from_numpy(x).permute(0, 3, 1, 2)
    assert nchw.shape == (2, 3, 8, 12)
    assert nchw.is_contiguous(memory_format=torch.channels_last)


def test_an_epoch_has_every_image_once(images, labels, tmp_path):
    pack(labels, images, tmp_path / "train", workers=1)
    found = Packed(tmp_path / "train")
    plain = [x for x, _ in found.batches(4)]
    assert [len(x) for x in plain] == [4, 4, 2]
    assert np.array_equal(np.concatenate(plain), found.images)
    mixed = np.concatenate([x for x, _ in found.batches(4, np.random.default_rng(0))])
    assert not np.array_equal(mixed, found.images)
    key = [x.tobytes() for x in mixed]
    assert sorted(key) == sorted(x.tobytes() for x in found.images)
    assert [len(x) for x, _ in found.batches(4, drop_last=True)] == [4, 4]


def test_the_set_on_the_disk_cannot_be_changed_by_accident(images, labels, tmp_path):
    pack(labels, images, tmp_path / "train", workers=1)
    with pytest.raises(ValueError, match="read-only"):
        Packed(tmp_path / "train").images[0] = 0


def refusal(labels, images, into, **options):
    with pytest.raises(BadInputError) as caught:
        pack(labels, images, into, **{"workers": 1, **options})
    assert sorted(path.name for path in into.parent.iterdir()) == ["images"]
    return str(caught.value)


@pytest.mark.parametrize("workers", [1, 2])
def test_broken_images_are_all_named(images, labels, tmp_path, make_jpeg, monkeypatch, workers):
    monkeypatch.setattr(packing, "_CHUNK", 2)
    broken = list(labels)[2:6]
    (images / broken[0]).write_bytes(make_jpeg(0, (12, 8))[:-30])
    (images / broken[1]).write_bytes(b"<html>")
    (images / broken[2]).unlink()
    (images / broken[3]).write_bytes(make_jpeg(0, (8, 12)))
    lines = refusal(labels, images, tmp_path / "train", workers=workers).splitlines()
    assert len(lines) == 4
    said = {line.split(":")[0]: line for line in lines}
    expected = ["truncated", "no JPEG or PNG image", "No such file", "12×8 pixels and not 8×12"]
    for name, words in zip(broken, expected, strict=True):
        assert words in said[str(images / name)]


def test_many_broken_images_are_counted(images, labels, tmp_path):
    for name in list(labels)[1:]:
        (images / name).write_bytes(b"")
    lines = refusal(labels, images, tmp_path / "train").splitlines()
    assert len(lines) == 6 and "found 4 more images that cannot be decoded" in lines[-1]


def test_an_image_of_enormous_size_is_not_decoded(images, labels, tmp_path):
    stream = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(stream, "PNG")
    (images / list(labels)[1]).write_bytes(stream.getvalue())
    assert "9000×9000 pixels" in refusal(labels, images, tmp_path / "train")


def test_nor_is_room_made_for_one(images, labels, tmp_path):
    Image.new("1", (9_000, 9_000)).save(images / next(iter(labels)), "PNG")
    assert "9000×9000 pixels, expected at most 1024×1024" in refusal(
        labels, images, tmp_path / "train"
    )


def test_a_disk_without_room(images, labels, tmp_path, monkeypatch):
    room = shutil.disk_usage(tmp_path)._replace(free=10 * 8 * 12 * 3 - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room)
    assert "found 0.0 GB of room, expected 0.0 GB" in refusal(labels, images, tmp_path / "train")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room._replace(free=room.free + 1))
    pack(labels, images, tmp_path / "train", workers=1)


def test_grey_images_have_three_equal_channels(images, labels, tmp_path):
    Image.new("L", (12, 8), 77).save(images / next(iter(labels)))
    pack(labels, images, tmp_path / "train", workers=1)
    assert (Packed(tmp_path / "train").images[0] == 77).all()


def test_a_first_image_that_is_none(images, labels, tmp_path):
    (images / next(iter(labels))).unlink()
    assert "found No such file" in refusal(labels, images, tmp_path / "train")


def test_what_is_there_is_not_overwritten(images, labels, tmp_path):
    (tmp_path / "train").mkdir()
    with pytest.raises(BadInputError, match="found something, expected nothing yet"):
        pack(labels, images, tmp_path / "train")


@pytest.mark.parametrize("step", ["_decode", "_statistics", "json.dumps"])
def test_interrupted_it_leaves_nothing_that_looks_done(images, labels, tmp_path, monkeypatch, step):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"autograder.places.packing.{step}", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pack(labels, images, tmp_path / "train", workers=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]
    (tmp_path / "train.partial").mkdir()  # as after a loss of power
    pack(labels, images, tmp_path / "train", workers=1)
    assert len(Packed(tmp_path / "train")) == 10


def test_another_process_is_not_sent_the_pixels(images, labels, tmp_path):
    pack(labels, images, tmp_path / "train", workers=1)
    found = Packed(tmp_path / "train")
    sent = pickle.dumps(found)
    assert len(sent) < 500 < found.images.nbytes
    assert np.array_equal(pickle.loads(sent).images, found.images)


def test_no_packed_set(tmp_path):
    with pytest.raises(BadInputError, match=r"set.json: found .* expected a packed set"):
        Packed(tmp_path)

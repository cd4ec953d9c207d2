import collections
import io
import math
import pickle
import types
from typing import ClassVar

import pytest

from autograder.places.manifest import Item, Manifest, load
from autograder.places.weights import pretrained, read, require, resnet18_shapes
from autograder.problem import BadInputError

torch = pytest.importorskip("torch")
STATISTICS = ("running_mean", "running_var")


def state(classes, prefix=""):
    """A network's worth of tensors; views of one number, so that they take no time."""
    return collections.OrderedDict(
        (prefix + name, torch.full((1,), 0.5).expand(shape))
        for name, shape in resnet18_shapes(classes).items()
    )


def small(classes, prefix=""):
    """The same names with one number each."""
    return collections.OrderedDict(
        (prefix + name, torch.zeros(1)) for name in resnet18_shapes(classes)
    )


def saved(content, path, **options):
    torch.save(content, path, **options)
    return path


def test_the_parameters_of_resnet18():
    shapes = resnet18_shapes(1000)
    parameters = [s for name, s in shapes.items() if not name.endswith(STATISTICS)]
    assert sum(map(math.prod, parameters)) == 11_689_512
    assert len(parameters) == 62 and len(shapes) == 102
    assert shapes["layer2.0.downsample.0.weight"] == (128, 64, 1, 1)
    assert "layer1.0.downsample.0.weight" not in shapes


def item_on(site, tmp_path, content, digests=None):
    data = saved(content, tmp_path / "made").read_bytes()
    url = site.put("/w.pth", data)
    return Item("w.pth", [url], 200_000_000, digests or {}, classes=10)


def manifest_of(item):
    own = load()
    return Manifest(own.archive, own.bounds, own.contents, own.files, {"mine": item})


def test_weights_come_from_a_mirror_and_fit(site, tmp_path):
    what = manifest_of(item_on(site, tmp_path, state(10)))
    found = pretrained("mine", tmp_path / "w", what, say=lambda _: None)
    assert {name: tuple(value.shape) for name, value in found.items()} == resnet18_shapes(10)
    again = pretrained("mine", tmp_path / "w", what, say=lambda _: None)
    assert again.keys() == found.keys() and len(site.requests) == 1


def test_weights_of_another_network_are_refused(site, tmp_path):
    what = manifest_of(item_on(site, tmp_path, state(11)))
    with pytest.raises(BadInputError, match=r"of another shape: fc\.weight \(11, 512\)"):
        pretrained("mine", tmp_path / "w", what, say=lambda _: None)


def test_a_wrong_checksum_is_refused_before_reading(site, tmp_path):
    item = item_on(site, tmp_path, state(10), digests={"sha256": "f37072fd"})
    with pytest.raises(BadInputError, match=r"sha256 .* where sha256 f37072fd\.\.\. was expected"):
        pretrained("mine", tmp_path / "w", manifest_of(item), say=lambda _: None)


def test_places365s_form_is_read(tmp_path):
    content = {"epoch": 9, "arch": "resnet18", "best_prec1": 54.7}
    path = saved({**content, "state_dict": small(365, "module.")}, tmp_path / "p.pth.tar")
    assert list(read(path)) == list(resnet18_shapes(365))


def test_the_format_of_old_files_is_read(tmp_path):
    path = saved(
        {"state_dict": small(5, "module.")}, tmp_path / "p", _use_new_zipfile_serialization=False
    )
    assert list(read(path)) == list(resnet18_shapes(5))


def test_counters_of_batches_may_be_there(tmp_path):
    with_counters = small(5)
    with_counters["bn1.num_batches_tracked"] = torch.tensor(3)
    assert list(read(saved(with_counters, tmp_path / "p"))) == list(resnet18_shapes(5))


class Evil:
    def __reduce__(self):
        return print, ("run",)


def test_nothing_in_a_file_is_run(tmp_path, capsys):
    path = tmp_path / "p"
    torch.save({"state_dict": Evil()}, path)
    with pytest.raises(BadInputError, match="a checkpoint of tensors alone"):
        read(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"<html>", pickle.dumps({"a": 1})])
def test_a_file_that_is_no_checkpoint(tmp_path, content):
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(BadInputError, match=r"p: found .*, expected a checkpoint of tensors"):
        read(tmp_path / "p")


def test_a_cut_file(tmp_path):
    stream = io.BytesIO()
    torch.save(small(5), stream)
    (tmp_path / "p").write_bytes(stream.getvalue()[:-1000])
    with pytest.raises(BadInputError, match="expected a checkpoint"):
        read(tmp_path / "p")


@pytest.mark.parametrize("content", [[1, 2], {"state_dict": {"a": 1}}, {"epoch": 3}])
def test_something_else_than_tensors(tmp_path, content):
    with pytest.raises(BadInputError, match="something else than named tensors"):
        read(saved(content, tmp_path / "p"))


def test_all_that_does_not_fit_is_listed():
    found = state(10)
    del found["bn1.weight"], found["layer4.1.conv2.weight"]
    found["extra"] = torch.zeros(3)
    with pytest.raises(BadInputError) as caught:
        require(found, resnet18_shapes(20), "w.pth")
    assert str(caught.value).startswith(
        "w.pth: found missing: bn1.weight, layer4.1.conv2.weight; unexpected: extra; "
        "of another shape: fc.weight (10, 512) and not (20, 512), fc.bias (10,) and not (20,), "
        "expected the 102 tensors of the network."
    )


def test_many_are_counted():
    with pytest.raises(BadInputError, match=r"missing: (\S+ ){5}and 97 more"):
        require({}, resnet18_shapes(10), "w.pth")


def test_an_unknown_name():
    with pytest.raises(BadInputError, match="expected one of imagenet, places365"):
        pretrained("resnet50")


class Python2(pickle._Pickler):
    """Writes text as Python 2 wrote its ``str``, which old checkpoints may have."""

    def save_str(self, text):
        data = text.encode("latin1")
        self.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
        self.memoize(text)

    dispatch: ClassVar = {**pickle._Pickler.dispatch, str: save_str}


def test_strings_of_python_2_are_read(tmp_path):
    module = types.ModuleType("python2")
    module.Pickler = Python2
    module.dump = lambda made, file, protocol: Python2(file, protocol).dump(made)
    path = saved(
        {"arch": "resnet18", "state_dict": small(5, "module.")},
        tmp_path / "p",
        pickle_module=module,
        _use_new_zipfile_serialization=False,
    )
    assert b"\x08resnet18" in path.read_bytes()
    assert list(read(path)) == list(resnet18_shapes(5))

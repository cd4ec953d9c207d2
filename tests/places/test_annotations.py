import numpy as np
import pytest

from autograder.places.annotations import Box, annotation_of, parse
from autograder.problem import BadInputError


def test_an_annotation_as_miniplaces_writes_it(xml):
    """No root; coordinates from 1; here from 0, boxes as slices."""
    found = parse(xml.encode(), "1.xml")
    assert (found.folder, found.category) == ("/a/abbey", 0)
    (thing,) = found.things
    assert (thing.label, thing.box) == (169, Box(10, 20, 30, 60))
    assert thing.polygon.tolist() == [[10, 20], [29, 20], [10, 59]]
    assert found.of(169) == [thing] and found.of(7) == []


def test_a_mask_fills_its_box_from_edge_to_edge(xml):
    (thing,) = parse(xml.encode(), "1.xml").things
    mask = thing.mask()
    assert mask.shape == (128, 128) and mask.dtype == bool
    rows, columns = np.nonzero(mask)
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (10, 20, 30, 60)
    assert mask[20, 10:30].all() and mask[20:60, 10].all()  # the two straight sides
    assert not mask[59, 11:].any()
    assert abs(mask.sum() / thing.box.area - 0.5) < 0.05  # a right triangle


def test_a_whole_image_is_a_whole_mask(xml):
    points = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in [(1, 1), (128, 1), (128, 128)])
    text = f"<class>1</class><objects><class>5</class><polygon>{points}"
    text += "<pt><x>1</x><y>128</y></pt></polygon></objects>"
    (thing,) = parse(text.encode(), "1.xml").things
    assert thing.box == Box(0, 0, 128, 128)
    assert thing.mask().all()


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: f"<annotation>{xml}</annotation>",
        lambda xml: f'<?xml version="1.0" encoding="utf-8"?>\n<annotation>{xml}</annotation>',
        lambda xml: f'<?xml version="1.0"?>\n{xml}',
        lambda xml: xml.replace("objects>", "object>"),
        lambda xml: xml.replace("<x>30</x>", "<x> 30.0 </x>"),
        lambda xml: xml[: xml.index("\t<bndbox>")] + "</objects>",
    ],
)
def test_other_spellings_are_read_as_well(xml, change):
    (thing,) = parse(change(xml).encode(), "1.xml").things
    assert thing.box == Box(10, 20, 30, 60)


def test_a_box_without_a_polygon_is_its_own_polygon(xml):
    text = xml[: xml.index("\t<polygon>")] + xml[xml.index("\t<bndbox>") :]
    (thing,) = parse(text.encode(), "1.xml").things
    expected = np.zeros((128, 128), bool)
    expected[20:60, 10:30] = True
    assert np.array_equal(thing.mask(), expected)


def test_what_reaches_beyond_the_image_is_cut_off(xml):
    text = xml.replace("<x>30</x>", "<x>140</x>").replace("<xmax>30<", "<xmax>140<")
    (thing,) = parse(text.replace("<ymin>21<", "<ymin>0<").encode(), "1.xml").things
    assert thing.box == Box(10, 0, 128, 60)
    assert thing.polygon.max() == 127


def test_an_image_without_objects():
    assert parse(b"<folder>/a/abbey</folder><class>0</class>", "1.xml").things == ()


def test_most_images_have_none(tmp_path, xml):
    path = tmp_path / "train/b/bakery/shop/00000001.xml"
    path.parent.mkdir(parents=True)
    path.write_text(xml)
    assert annotation_of(tmp_path, "train/b/bakery/shop/00000002.jpg") is None
    assert annotation_of(tmp_path, "train/b/bakery/shop/00000001.jpg").category == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<y>60</y>", "<y>six</y>", "1.xml, object 1, point 3, y: found 'six', expected a pixel's"),
        ("<y>60</y>", "", "1.xml, object 1, point 3, y: found '', expected"),
        ("<y>60</y>", "<y>nan</y>", "point 3, y: found 'nan'"),
        ("<y>60</y>", "<y>1e9</y>", "point 3, y: found '1e9'"),
        ("<xmin>11", "<xmin>-", "1.xml, object 1, bndbox, xmin: found '-'"),
        ("<class>169", "<class>175", "object 1, class: found 175, expected a number from 0 to 174"),
        ("<class>169", "<class>wall", "object 1, class: found 'wall', expected a category's"),
        ("<class>0", "<class>", "1.xml, class: found ''"),
        ("<xmin>11", "<xmin>31", "object 1, box: found columns 31 to 30, rows 21 to 60, expected"),
        ("<ymin>21", "<ymin>129", "object 1, box: found columns 11 to 30, rows 129 to 60"),
        ("</polygon>", "", "1.xml, line 26: found broken XML (mismatched tag)"),
        ("<filename>", '<!DOCTYPE a [<!ENTITY b "c">]><filename>', "1.xml, line 1: found broken"),
    ],
)
def test_errors_name_the_place(xml, old, new, said):
    assert old in xml
    with pytest.raises(BadInputError) as caught:
        parse(xml.replace(old, new).encode(), "1.xml")
    assert said in str(caught.value)


def test_bombs_are_refused(xml):
    """A billion laughs, in the only place where a declaration of entities would be read."""
    head = '<?xml version="1.0"?>'
    bomb = '<!DOCTYPE annotation [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    with pytest.raises(BadInputError, match=r"1\.xml, line 1: found broken XML"):
        parse((head + bomb + f"<annotation>{xml}</annotation>").encode(), "1.xml")
    with pytest.raises(BadInputError, match=r"1\.xml, line 1: found broken XML \(undefined entity"):
        parse(xml.replace("169", "&lol;").replace("\n", "").encode(), "1.xml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b" " * (2**20 + 1), "more than 1,048,576 bytes"),
        (b"<class>0</class>" + b"<objects/>" * 1_001, "1,001 objects, expected at most 1,000"),
        (b"<class>0</class><objects><class>1</class></objects>", "neither a box nor a polygon"),
        (
            b"<class>0</class><objects><class>1</class><polygon><pt><x>1</x><y>1</y></pt>"
            b"</polygon></objects>",
            "object 1, polygon: found one point, expected at least two",
        ),
        (
            b"<class>0</class><objects><class>1</class><polygon>"
            + b"<pt/>" * 10_001
            + b"</polygon></objects>",
            "10,001 points, expected at most 10,000",
        ),
        (b"\xff\xfe\x00", "broken XML"),
        (b"", "class: found ''"),
    ],
)
def test_bounds(text, said):
    with pytest.raises(BadInputError) as caught:
        parse(text, "1.xml")
    assert said in str(caught.value)

"""CVAT's XML is read in one pass, and what is no file of CVAT's, or a dangerous one, is refused in a sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datakit.datasets.json_files import Broken
from datakit.datasets.tools.cvat_file import read_cvat
from tests import tiny

FILE = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<meta><task><size>4</size><mode>interpolation</mode><original_size><width>64</width><height>48</height></original_size>
</task><source>clip &amp; more.mp4</source></meta>
<image id="0" name="a.jpg" width="64" height="48">
<box label="dog" xtl="1.00" source="auto"><attribute name="points">nonsense</attribute></box><tag label="x"></tag>
<skeleton label="man" z_order="1"><points label="head" points="1,1"></points></skeleton></image>
<track id="0" label="cat" group_id="3"><polygon frame="2" outside="0" points="1,1;2,2;3,1"/></track></annotations>"""


def written(folder: Path, text: str | bytes) -> Path:
    """A file that holds this."""
    path = folder / "a.xml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_photos_tracks_and_meta_data_are_found(tmp_path: Path) -> None:
    """Attributes that say nothing of a shape are not kept, and what lies deeper is no shape."""
    found = read_cvat(written(tmp_path, FILE))
    (photo,), (track,) = found.photos, found.tracks
    assert photo.head == {"id": "0", "name": "a.jpg", "width": "64", "height": "48"}
    assert photo.shapes == [("box", {"label": "dog", "xtl": "1.00"}), ("skeleton", {"label": "man", "z_order": "1"})]
    assert track.head == {"id": "0", "label": "cat", "group_id": "3"}
    assert track.shapes == [("polygon", {"frame": "2", "outside": "0", "points": "1,1;2,2;3,1"})]
    assert found.meta == {"size": "4", "mode": "interpolation", "width": "64", "height": "48"}
    assert (found.number("size"), found.number("mode"), found.number("stop_frame")) == (4, None, None)


ENTITIES = '<?xml version="1.0"?><!DOCTYPE annotations [%s]><annotations><image id="0" name="&a;"/></annotations>'


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a "b">',
        '<!ENTITY a SYSTEM "file:///etc/hostname">',
        '<!ENTITY a "1"><!ENTITY b "&a;&a;">',
        '<!ENTITY % a SYSTEM "a.dtd"> %a;',
        '<!ELEMENT annotations ANY><!ENTITY a SYSTEM "photo.jpg" NDATA jpeg>',
    ],
)
def test_entities_are_refused_in_a_sentence(tmp_path: Path, declared: str) -> None:
    """Whatever they would stand for; none is looked up."""
    with pytest.raises(Broken, match="holds XML entities, which CVAT never writes; export it anew") as caught:
        read_cvat(written(tmp_path, ENTITIES % declared))
    assert caught.value.is_damage


@pytest.mark.parametrize("share", [0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_cut_file_is_damaged(tmp_path: Path, share: float) -> None:
    """Wherever it ends, the first byte included."""
    with pytest.raises(Broken, match="cannot be read as XML") as caught:
        read_cvat(written(tmp_path, FILE[: int(share * len(FILE))]))
    assert caught.value.is_damage


@pytest.mark.parametrize(
    "text",
    [
        "<annotations><a></b></annotations>",
        "<annotations>&unknown;</annotations>",
        '<annotations a="1" a="2"/>',
        b"<annotations>\xff\xfe</annotations>",
        b"\0\0\0\0",
        "{}",
        '<?xml version="1.0" encoding="no-such-code"?><annotations/>',
        "<annotations/><annotations/>",
    ],
)
def test_text_that_is_no_xml_is_damaged(tmp_path: Path, text: str | bytes) -> None:
    """With what the parser found and the way out."""
    with pytest.raises(Broken, match=r"cannot be read as XML.*export it anew"):
        read_cvat(written(tmp_path, text))


def test_another_tools_xml_is_named_as_such(tmp_path: Path) -> None:
    """VOC's files begin with `annotation`; they are strays, not damage."""
    with pytest.raises(Broken, match="begins with <annotation>, CVAT's files with <annotations>") as caught:
        read_cvat(written(tmp_path, "<annotation><object/></annotation>"))
    assert not caught.value.is_damage


def test_elements_in_elements_without_end_are_refused(tmp_path: Path) -> None:
    """No tree is built that could be too deep."""
    with pytest.raises(Broken, match="nested deeper than 32 elements"):
        read_cvat(written(tmp_path, "<annotations>" + "<a>" * 50_000))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """It is no regular file."""
    os.mkfifo(tmp_path / "a.xml")
    with pytest.raises(Broken, match="not a regular file"):
        read_cvat(tmp_path / "a.xml")


def test_a_file_in_another_encoding_is_read(tmp_path: Path) -> None:
    """As its first line says."""
    text = FILE.replace("utf-8", "utf-16").replace("a.jpg", "ä.jpg")
    assert read_cvat(written(tmp_path, text.encode("utf-16"))).photos[0].head["name"] == "ä.jpg"


def test_the_miniature_set_is_read_as_written(tmp_path: Path) -> None:
    """Three photos of two shapes."""
    tiny.LAYOUTS["cvat"](tmp_path)
    assert [len(photo.shapes) for photo in read_cvat(tmp_path / "annotations.xml").photos] == [2, 2, 2]

"""JPEGs whose data are damaged are told from those that are merely odd."""

from __future__ import annotations

import io
import random

import cv2
import numpy as np
import pytest
import simplejpeg
from PIL import Image as PillowImage

from datakit.jpeg import DAMAGE, jpeg_complaint, jpeg_size, tidied

SIZE = (90, 133)
SMALL = (12, 17)
NOISE = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
PHOTO = PillowImage.fromarray(cv2.GaussianBlur(NOISE, (0, 0), 2))


def jpeg(image: PillowImage.Image = PHOTO, **settings: object) -> bytes:
    """The photo as a JPEG."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90, **settings)
    return stream.getvalue()


PLAIN = jpeg()
SCAN = PLAIN.find(b"\xff\xda")
NO_JFIF = PLAIN[:2] + PLAIN[20:]


def edited(data: bytes, at: int, value: int) -> bytes:
    """The bytes with one of them set."""
    return data[:at] + bytes([value]) + data[at + 1 :]


def with_restarts() -> bytes:
    """A JPEG with a restart marker every four blocks."""
    return cv2.imencode(".jpg", np.asarray(PHOTO), [cv2.IMWRITE_JPEG_RST_INTERVAL, 4])[1].tobytes()


WHOLE = {
    "plain": PLAIN,
    "progressive": jpeg(progressive=True),
    "grey": jpeg(PHOTO.convert("L")),
    "CMYK": jpeg(PHOTO.convert("CMYK")),
    "full colour": jpeg(subsampling=0),
    "RGB": jpeg(keep_rgb=True),
    "restart markers": with_restarts(),
    "bytes behind its end": PLAIN + b"video" * 30,
    "zeros behind its end": PLAIN + bytes(500),
    "two JPEGs, as phones write them": PLAIN + PLAIN,
    "zeros before its end": PLAIN[:-2] + bytes(100) + PLAIN[-2:],
    "bytes between segments": PLAIN[:SCAN] + b"\x00\x01\x02" + PLAIN[SCAN:],
    "filled up between segments": PLAIN[:SCAN] + b"\xff\xff" + PLAIN[SCAN:],
    "unknown JFIF": edited(PLAIN, 11, 2),
    "unknown transform of Adobe": NO_JFIF[:2] + b"\xff\xee\x00\x0eAdobe\0\x64\0\0\0\0\x09" + NO_JFIF[2:],
    "odd scan parameters": edited(PLAIN, SCAN + int.from_bytes(PLAIN[SCAN + 2 : SCAN + 4], "big"), 0),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_jpeg_passes_however_odd(name: str) -> None:
    """Its size is that of an eighth; what OpenCV reads without loss is no damage."""
    assert jpeg_size(memoryview(WHOLE[name])) == SMALL
    assert cv2.imdecode(np.frombuffer(WHOLE[name], np.uint8), cv2.IMREAD_COLOR).shape == (*SIZE, 3)


MIDDLE = len(PLAIN) // 2
END = PLAIN[-2:]
DAMAGED = {
    "zeros in the middle": PLAIN[:MIDDLE] + bytes(300) + PLAIN[MIDDLE + 300 :],
    "zeros up to the end mark": PLAIN[:MIDDLE] + bytes(len(PLAIN) - MIDDLE - 2) + PLAIN[-2:],
    "a gap": PLAIN[:MIDDLE] + PLAIN[MIDDLE + 700 :],
    "no end": PLAIN[:-2],
    "zeros in a progressive one": WHOLE["progressive"][:MIDDLE] + bytes(300) + WHOLE["progressive"][MIDDLE + 300 :],
    "a harmless oddity before the damage": WHOLE["unknown JFIF"][:MIDDLE] + bytes(300) + PLAIN[MIDDLE + 300 :],
    "zeros in its middle and before its end": PLAIN[:MIDDLE] + bytes(300) + PLAIN[MIDDLE + 300 : -2] + bytes(9) + END,
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_told_in_the_words_of_libjpeg(name: str) -> None:
    """Also where libjpeg's first word is about something harmless."""
    with pytest.raises(ValueError) as caught:
        jpeg_size(DAMAGED[name])
    assert str(caught.value).startswith(DAMAGE)


def test_a_harmless_complaint_is_told_apart_from_none() -> None:
    """Zeros before the end mark are one; an unknown revision of JFIF is no word on the data."""
    assert jpeg_complaint(PLAIN) == jpeg_complaint(WHOLE["unknown JFIF"]) == ""
    assert jpeg_complaint(PLAIN[:-2] + bytes(100) + END).startswith(DAMAGE)


def test_an_eighth_finds_what_full_size_finds() -> None:
    """300 copies with a flipped bit, zeros or a gap: the same answer at both sizes."""
    draw, found = random.Random(3), 0
    for number in range(300):
        data = bytearray(WHOLE["progressive"] if number % 2 else PLAIN)
        at = draw.randrange(SCAN + 20, len(data) - 100)
        if number % 3 == 0:
            data[at] ^= 1 << draw.randrange(8)
        elif number % 3 == 1:
            data[at : at + 60] = bytes(60)
        else:
            del data[at : at + 40]
        answers = []
        for look in (simplejpeg.decode_jpeg, jpeg_size):
            try:
                look(bytes(data))
                answers.append("")
            except ValueError as error:
                answers.append(str(error))
        assert bool(answers[0]) == bool(answers[1]) or not answers[0].startswith(DAMAGE), (number, answers)
        found += bool(answers[1])
    assert found > 100


def test_what_is_no_jpeg_is_left_to_others() -> None:
    """No word on text, nor on a header without a picture."""
    for data in (b"", b"<html>", b"\xff\xd8\xff", PLAIN[:40]):
        assert jpeg_size(data) is None
        assert tidied(data) == data

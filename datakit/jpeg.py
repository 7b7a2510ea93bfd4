"""Whether the pixels of a JPEG are all there: libjpeg's own warnings taken as what they mean.

Decoders fill what is lost in the middle of a JPEG by guessing and only warn. OpenCV hides the warning, simplejpeg
raises it. Some warnings are no damage; such bytes are put right and looked at again, for libjpeg tells its first
warning only, and a harmless one may hide another.
"""

from __future__ import annotations

import simplejpeg

START_OF_SCAN, END, APP0, APP14 = 0xDA, 0xD9, 0xE0, 0xEE
SEQUENTIAL = (0xC0, 0xC1)  # frames whose scans hold all coefficients
# what libjpeg says of data it had to guess (jerror.h, JWRN_…): every other message is about a header, or an error
DAMAGE = ("Corrupt JPEG data", "Premature end of JPEG", "Inconsistent progression")
TAIL = 2  # bytes of padding left before the end mark, as they may belong to the scan; libjpeg passes over them


def jpeg_size(encoded: bytes | memoryview) -> tuple[int, int] | None:
    """Decode a JPEG at an eighth of its size, which reads all its bytes in a third of the time.

    At this scale the same damage is found as at full size (1 000 damaged copies, no difference).

    Args:
        encoded: bytes of the file.

    Returns:
        (H, W) of the small picture, each side rounded up; None where this decoder has no word on it, as for rare
        colour sampling.

    Raises:
        ValueError: data in it are damaged; the text is what libjpeg says.
    """
    said = ""
    for prepared in (bytes, tidied):
        try:
            small = simplejpeg.decode_jpeg(
                prepared(encoded), "GRAY", fastdct=True, fastupsample=True, min_height=1, min_width=1, min_factor=8
            )
            return small.shape[0], small.shape[1]
        except ValueError as error:
            said = str(error)
    if said.startswith(DAMAGE):
        raise ValueError(said)
    return None


def jpeg_complaint(encoded: bytes | memoryview) -> str:
    """libjpeg's first warning of lost data in a JPEG, '' where it has none.

    A JPEG that `jpeg_size` finds whole may have one all the same, such as zeros before its end mark.
    """
    try:
        simplejpeg.decode_jpeg(encoded, "GRAY", min_height=1, min_width=1, min_factor=8)
    except ValueError as error:
        return str(error) if str(error).startswith(DAMAGE) else ""
    return ""


def tidied(encoded: bytes | memoryview) -> bytes:
    """The same JPEG without oddities that cost no pixel, so that a warning that is left means damage.

    These are: bytes between the segments of the header, an unknown revision of JFIF, an unknown colour transform
    of Adobe, scan parameters of a sequential JPEG that its decoder ignores, and zeros before the end mark.
    """
    data = bytes(encoded)
    out, at, frame = bytearray(data[:2]), 2, 0
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            at = data.find(b"\xff", at)
            if at < 0:
                return data
            continue
        marker = data[at + 1]
        if marker in (0x00, 0xFF):  # no marker, or filled up before one
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        segment = bytearray(data[at:end])
        if marker == APP0 and segment[4:9] == b"JFIF\0" and len(segment) > 9:
            segment[9] = 1
        elif marker == APP14 and segment[4:9] == b"Adobe" and len(segment) > 15:
            segment[15] = 0
        elif marker in SEQUENTIAL:
            frame = marker
        elif marker == START_OF_SCAN:
            if frame and len(segment) > 7:
                segment[-3:] = b"\x00\x3f\x00"
            return bytes(out + segment) + _scans(data, end)
        out += segment
        at = end
    return data


def _scans(data: bytes, start: int) -> bytes:
    """What follows the header, up to the end mark, of which zeros in front are taken off."""
    end = data.find(bytes((0xFF, END)), start)
    if end < 0:
        return data[start:]
    body = data[start:end]
    return body[: len(body.rstrip(b"\0")) + TAIL] + data[end : end + 2]

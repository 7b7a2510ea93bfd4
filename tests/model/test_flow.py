"""Movement becomes grey levels: what moves against the rest is bright, whoever computed the flow."""

import struct

import cv2
import numpy as np
import pytest

from model.flow import FlowError, dis_optical_flow, dis_pictures, flow_of_files, read_flo, speed_image

SIZE = (64, 80)


def scene(shift, pan=0):
    """Noise with a square of other noise that moved `shift` pixels to the right, seen by a camera that moved `pan`."""
    rng = np.random.default_rng(0)
    ground = cv2.GaussianBlur(rng.integers(0, 256, (SIZE[0], SIZE[1] + 20, 3), np.uint8), (0, 0), 1.5)
    square = cv2.GaussianBlur(rng.integers(0, 256, (24, 24, 3), np.uint8), (0, 0), 1.5)
    ground[20:44, 30 + shift : 54 + shift] = square
    return np.ascontiguousarray(ground[:, pan : pan + SIZE[1]])


def constant(x, y):
    return np.full((*SIZE, 2), (x, y), np.float32)


def write_flo(path, flow):
    H, W = flow.shape[:2]
    path.write_bytes(struct.pack("<4s2i", b"PIEH", W, H) + flow.astype("<f4").tobytes())


def test_dis_sees_a_square_move():
    """Inside the square the flow is the shift, far from it nothing."""
    flow = dis_optical_flow()(scene(0), scene(3))
    assert np.median(flow[26:38, 36:48, 0]) == pytest.approx(3, abs=0.5)
    assert np.abs(flow[:10]).max() < 0.5


def test_the_camera_s_movement_is_taken_away():
    """With a panning camera the square alone is bright."""
    image = speed_image([dis_optical_flow()(scene(0, pan=0), scene(4, pan=6))])
    assert image[26:38, 36:48].mean() > 4 * image[:10, :60].mean()


def test_the_fastest_pixel_is_white_and_a_still_frame_black():
    """Grey levels are scaled frame by frame, in three equal channels."""
    flow = constant(5, 5)
    flow[:8, :8] += 3
    image = speed_image([flow])
    assert image.shape == (*SIZE, 3) and image.dtype == np.uint8
    assert image[0, 0].tolist() == [255, 255, 255]
    assert not image[20:].any()
    assert not speed_image([constant(2, 1)]).any()


def test_both_directions_are_averaged():
    """What moves in one direction of time only is half as bright as what moves in both."""
    one, two = constant(0, 0), constant(0, 0)
    one[:8, :8] = two[:8, :8] = (4, 0)
    one[:8, 40:48] = (4, 0)
    image = speed_image([one, -two])
    assert image[0, 0, 0] == 255
    assert image[0, 40, 0] == 128


def test_a_frame_s_picture_is_made_of_the_flow_to_its_neighbours():
    """The first and the last have one neighbour, the one between them two; a single frame has no movement."""
    frames = [scene(0), scene(3), scene(6)]
    pictures, flow = dis_pictures(frames), dis_optical_flow()
    for place, others in ((0, [1]), (1, [0, 2]), (2, [1])):
        expected = speed_image([flow(frames[place], frames[other]) for other in others])
        assert np.array_equal(pictures(place), expected)
    assert dis_pictures(frames[:1])(0) is None


def test_flo_files_are_read_back(tmp_path):
    """Every number as it was written; unknown pixels stand still."""
    flow = np.random.default_rng(1).normal(0, 5, (*SIZE, 2)).astype(np.float32)
    flow[0, 0] = 1.7e9
    write_flo(tmp_path / "a.flo", flow)
    read = read_flo(tmp_path / "a.flo", SIZE)
    assert np.array_equal(read[1:], flow[1:])
    assert not read[0, 0].any()


def test_files_of_both_directions_make_the_picture(tmp_path):
    """As with flows at hand; without a file there is no picture."""
    flow = constant(0, 0)
    flow[:8, :8] = (4, 0)
    back = constant(0, 0)
    back[:8, :4] = (2, 0)
    write_flo(tmp_path / "00001.flo", flow)
    write_flo(tmp_path / "00001.back.flo", back)
    assert np.array_equal(flow_of_files(tmp_path, "00001", SIZE), speed_image([flow, back]))
    assert flow_of_files(tmp_path, "00002", SIZE) is None


def test_files_that_are_no_flow_are_named(tmp_path):
    """Another size, half a file, another format, a size beyond all memory, no file."""
    flow = constant(1, 1)
    write_flo(tmp_path / "size.flo", flow[:9])
    write_flo(tmp_path / "half.flo", flow)
    (tmp_path / "half.flo").write_bytes((tmp_path / "half.flo").read_bytes()[:-400])
    (tmp_path / "other.flo").write_bytes(b"HEIP" + bytes(8))
    (tmp_path / "huge.flo").write_bytes(struct.pack("<4s2i", b"PIEH", 2**31 - 1, 2**31 - 1))
    whole = "is not a whole flow"
    for name, told in (("size", "80x9"), ("half", whole), ("other", whole), ("huge", whole), ("none", whole)):
        with pytest.raises(FlowError, match=rf"{name}.flo: .*{told}.*80x64"):
            read_flo(tmp_path / f"{name}.flo", SIZE)

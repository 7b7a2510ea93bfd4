"""Arrays of a foreign HDF5 file."""

import h5py
import numpy as np
import pytest

from datakit.errors import DatakitError
from datakit.hdf5 import read_arrays


def test_every_float_array_comes_by_its_path(tmp_path):
    """Groups at any depth; text and integers are left out."""
    kernel = np.arange(6, dtype=np.float32).reshape(2, 3)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["a/vars/0"] = kernel
        file["b"] = np.float16(2)
        file["steps"] = 5
        file["name"] = "text"
    arrays = read_arrays(tmp_path / "w.h5")
    assert set(arrays) == {"a/vars/0", "b"}
    assert np.array_equal(arrays["a/vars/0"], kernel) and arrays["b"].shape == ()


def test_links_to_other_files_are_not_followed(tmp_path):
    """Neither links nor datasets whose bytes lie elsewhere."""
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = np.ones(3)
    (tmp_path / "raw").write_bytes(np.ones(3).tobytes())
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["link"] = h5py.ExternalLink("other.h5", "/secret")
        file.create_dataset("raw", (3,), "f8", external=[(str(tmp_path / "raw"), 0, 24)])
    assert read_arrays(tmp_path / "w.h5") == {}


def test_what_is_no_hdf5_is_named(tmp_path):
    """Path, reason and way out."""
    (tmp_path / "w.h5").write_bytes(b"no")
    with pytest.raises(DatakitError, match=r"w\.h5: cannot be read as HDF5 .*; give a whole \.h5 file"):
        read_arrays(tmp_path / "w.h5")


@pytest.mark.parametrize("mode", ["r", "r+"])
@pytest.mark.parametrize("locking", [None, False, True])
def test_a_file_that_is_open_already_is_read(tmp_path, mode, locking):
    """HDF5 refuses a second handle with another locking flag in one process."""
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file["a"] = np.ones(3)
    with h5py.File(path, mode, **({} if locking is None else {"locking": locking})):
        assert read_arrays(path)["a"].tolist() == [1, 1, 1]

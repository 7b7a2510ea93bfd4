"""The same pixels from any processor: libraries told to use none of their special instructions give the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

from numpy._core._multiarray_umath import __cpu_dispatch__ as numpy_features

ROOT = Path(__file__).parents[3]
DIGEST = """
import hashlib, cv2, numpy as np
from datakit.transforms import PRESETS, configure, deform
from datakit.transforms.rotate_flip import turned_image
from datakit.seeds import generator
digest = hashlib.sha256()
recipes = [PRESETS["masktrack"], *configure([PRESETS["masktrack"]], ["tps.spline=interpolating"])]
for size, axes in (((300, 400), (90, 60)), ((480, 854), (12, 20)), ((120, 1300), (600, 40))):
    mask = np.zeros(size, np.uint8)
    cv2.ellipse(mask, (size[1] // 2, size[0] // 2), axes, 20, 0, 360, 1, -1)
    for recipe in recipes:
        for variant in range(20):
            rough = deform(mask, recipe, generator(0, str(size), variant))
            digest.update(rough.mask.tobytes() + rough.parameters.tobytes())
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    digest.update(turned_image(image, 14, True).tobytes())
print(digest.hexdigest())
"""
PLAIN = {
    "NPY_DISABLE_CPU_FEATURES": " ".join(numpy_features),
    "OPENBLAS_CORETYPE": "Nehalem",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_CPU_DISABLE": "AVX512_SKX,AVX2,FMA3,AVX",
    "OPENCV_IPP": "disabled",
}


def digest(**environment):
    """Digest of many draws, made by a fresh process."""
    command = [sys.executable, "-W", "ignore", "-c", DIGEST]
    ran = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True, cwd=ROOT)
    return ran.stdout.split()[-1]


def test_draws_and_views_do_not_hang_on_the_processor():
    """NumPy's logarithm, BLAS and OpenCV with and without AVX, FMA and IPP."""
    assert digest() == digest(**PLAIN)

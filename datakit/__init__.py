"""Data floor: static images with masks in, verified shards of (image, deformed mask, target) out."""

__version__ = "0.1.0"

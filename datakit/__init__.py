"""Data floor: static images with masks in, verified shards of (image, deformed mask, target) out."""

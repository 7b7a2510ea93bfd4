"""Shards: the HDF5 format, its writer, reader, manifest and verification."""

from .manifest import Manifest, ShardEntry, read_manifest, write_manifest
from .merge import merge_shards
from .reader import Shard, ShardReader
from .writer import ShardHeader, ShardStats, ShardWriter

__all__ = [
    "Manifest",
    "Shard",
    "ShardEntry",
    "ShardHeader",
    "ShardReader",
    "ShardStats",
    "ShardWriter",
    "merge_shards",
    "read_manifest",
    "write_manifest",
]

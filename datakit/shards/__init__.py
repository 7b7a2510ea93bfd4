"""Shards: the HDF5 format, its writer, reader, manifest and verification."""

from .join import join_shards
from .manifest import Manifest, ShardEntry, read_manifest, write_manifest
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
    "join_shards",
    "read_manifest",
    "write_manifest",
]

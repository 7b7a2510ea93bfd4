"""Shards: the HDF5 format, its writer, reader, manifest, verification, and views of finished folders."""

from .contents import Contents, read_contents
from .manifest import Manifest, ShardEntry, read_manifest, write_manifest
from .merge import merge_shards
from .reader import ShardReader, collate
from .shard import Shard
from .writer import ShardHeader, ShardStats, ShardWriter

__all__ = [
    "Contents",
    "Manifest",
    "Shard",
    "ShardEntry",
    "ShardHeader",
    "ShardReader",
    "ShardStats",
    "ShardWriter",
    "collate",
    "merge_shards",
    "read_contents",
    "read_manifest",
    "write_manifest",
]

"""The small files beside the shards: error log, settings and records, compared byte for byte with the manifest.

They serve the next run of the build; a folder of shards and manifest alone, as one would publish it, is whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..files import digest_json, json_text
from ..places import Place, exists, files_in, is_file, is_folder, read_bytes, read_text, sha256_at
from ..stores import StoreError
from .examine import Finding
from .manifest import ERROR_LOG, NAME, RECORDS, SETTINGS, Manifest


def settings_body(settings: Mapping[str, Any], tools: Mapping[str, str]) -> dict[str, Any]:
    """What `settings.json` holds; its digest is what every record of the build carries."""
    return {"settings": dict(settings), "tools": dict(tools)}


def settings_text(manifest: Manifest) -> str:
    """What `settings.json` of this build holds, as text."""
    return json_text(settings_body(manifest.settings, manifest.tools))


def settings_digest(manifest: Manifest) -> str:
    """The digest of settings and tools that every record of this build carries."""
    return digest_json(settings_body(manifest.settings, manifest.tools))


def record_name(file: str) -> str:
    """Path of the record of a shard, relative to the folder."""
    return f"{RECORDS}/{Path(file).stem}.json"


def build_state_findings(folder: Place, manifest: Manifest) -> Iterator[Finding]:
    """What is changed, missing or too many among the files that are no shards."""
    yield from text_findings(folder, NAME, json_text(manifest.to_dict()))
    error_log = folder / ERROR_LOG
    if not is_file(error_log) or sha256_at(error_log) != manifest.ledger_sha256:
        yield Finding(ERROR_LOG, "file", "", "missing or changed: its SHA-256 is not the manifest's")
    if exists(folder / SETTINGS):
        yield from text_findings(folder, SETTINGS, settings_text(manifest))
    if is_folder(folder / RECORDS):
        yield from _record_findings(folder, manifest)
    named = {shard.file for shard in manifest.shards}
    for path in files_in(folder, ".h5"):
        if path.name not in named:
            yield Finding(path.name, "file", "", "the manifest does not name it")


def text_findings(folder: Place, name: str, expected: str) -> Iterator[Finding]:
    """Whether a text file of ours is there, byte for byte."""
    found = read_bytes(folder / name) if is_file(folder / name) else b""
    if found != expected.encode():
        yield Finding(name, "file", "", "changed: is not, byte for byte, what the manifest's values are written as")


def _record_findings(folder: Place, manifest: Manifest) -> Iterator[Finding]:
    names = {record_name(shard.file): shard for shard in manifest.shards}
    digest = settings_digest(manifest)
    for name, shard in names.items():
        path = folder / name
        try:
            text = read_text(path)
            body = json.loads(text)
            whole = json_text(body) == text and body.pop("digest") == digest_json(body)
            fits = whole and (body["entry"], body["settings_digest"]) == (asdict(shard), digest)
        except FileNotFoundError:
            yield Finding(name, "file", "", "missing")
            continue
        except StoreError:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            whole = fits = False
        if not fits:
            text = "does not say what the manifest says of its shard" if whole else "damaged: its digest does not fit"
            yield Finding(name, "file", "", text)
    for path in files_in(folder / RECORDS, ".json"):
        if f"{RECORDS}/{path.name}" not in names:
            yield Finding(f"{RECORDS}/{path.name}", "file", "", "the record of no shard of the manifest")

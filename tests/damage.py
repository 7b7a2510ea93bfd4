"""Damage as disks and cables do it: one flipped bit, or a file cut short, anywhere in a folder of shards."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from datakit.shards.sandbox import SandboxedVerifier
from datakit.shards.verify import verify
from tests.runs import draw_source

WEIGHTS = {".h5": 6, ".json": 3, ".jsonl": 1}


def troubled_source(root: Path) -> Path:
    """Twelve photos, one of them without a mask and one cut short, so that ledger and records have something to say."""
    draw_source(root)
    (root / "ground_truth_mask" / "0002.png").unlink()
    photo = root / "images" / "0007.jpg"
    photo.write_bytes(photo.read_bytes()[:500])
    return root


def published(out: Path) -> list[Path]:
    """Every file of a folder of shards whose bytes the manifest accounts for."""
    return sorted([*out.glob("*.h5"), *out.glob("records/*.json"), out / "manifest.json", out / "settings.json",
                   out / "errors.jsonl"])  # fmt: skip


def damage(out: Path, flips: int, cuts: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Damage one file at a time, verify, and put it right again.

    Returns:
        `FILE KIND: found` -> number, and what was not found or blamed on another file.
    """
    generator, files, outcomes, wrong = random.Random(seed), published(out), Counter(), []
    weights = [WEIGHTS[path.suffix] for path in files]
    with SandboxedVerifier(seconds=20) as sandbox:
        for number in range(flips + cuts):
            path = generator.choices(files, weights)[0]
            sound = path.read_bytes()
            damaged = bytearray(sound)
            if number < flips:
                damaged[generator.randrange(len(damaged))] ^= 1 << generator.randrange(8)
            else:
                del damaged[generator.randrange(len(damaged)) :]
            path.write_bytes(damaged)
            name = str(path.relative_to(out))
            found = {finding.shard for finding in verify(out, sandbox=sandbox)}
            path.write_bytes(sound)
            outcomes[f"{'flip' if number < flips else 'cut'} in {_kind(name)}"] += 1
            if found != {name}:
                wrong.append(f"{number}: {name} was damaged, {sorted(found) or 'nothing'} found")
        outcomes["children that died of it"] = sandbox.deaths
    return outcomes, wrong


def _kind(name: str) -> str:
    return "a shard" if name.endswith(".h5") else "a record" if name.startswith("records") else name


def lose_the_middle(path: Path) -> Path:
    """Zeros over a fifth of a file, as a download in pieces leaves them; its length and its end stay."""
    data = bytearray(path.read_bytes())
    start, stop = 2 * len(data) // 5, 3 * len(data) // 5
    data[start:stop] = bytes(stop - start)
    path.write_bytes(data)
    return path

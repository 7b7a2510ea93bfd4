"""From bucket to bucket while workers and client are killed: python -m benchmarks.store SOURCE [--kills 10] [--seed 0]

moto's server is the store. A Dask scheduler and two workers run in folders of their own, without credentials or data:
tasks bring what they need. At random moments one of the workers, or the client, gets SIGKILL and is started again; half
of the moments wait until a shard goes up in parts. In the end every object is compared with the files of a build on a
disk.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from datakit import stores
from datakit.places import place_of

from . import common

DELAYS = (0.5, 6.0)  # seconds between two kills, drawn evenly
PATIENCE = 20.0  # seconds that a kill waits for an upload to be under way
RUNS = 60  # of the client, after which something is wrong
SECRETS = {"key": "the-key-id", "secret": "the-secret-key"}
OUT = "shards/out"  # bucket and folder
DIFFERENT = ("sources.json",)  # says where the photos lie, which is elsewhere
Process = subprocess.Popen[bytes]


class Machines:
    """Every process of the test, each the leader of a group of its own."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.running: dict[str, Process] = {}

    def start(self, name: str, *words: object) -> Process:
        """Start Python with these words, in a folder of that name and with no credentials around."""
        home = self.folder / name
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        unknown = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = {**unknown, "PYTHONPATH": str(common.HERE.parent), "TMPDIR": str(home / "tmp"), "HOME": str(home)}
        with (home / "log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-P", *map(str, words)],
                cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        return self.running[name]

    def kill(self, name: str) -> None:
        """SIGKILL, to all of it."""
        process = self.running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def log(self, name: str) -> str:
        """What it has said."""
        return (self.folder / name / "log").read_text(errors="replace")


@contextlib.contextmanager
def machines() -> Iterator[Machines]:
    """Processes that are all ended in the end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        found = Machines(Path(folder))
        try:
            yield found
        finally:
            for name in list(found.running):
                found.kill(name)


def start_store(all_: Machines) -> str:
    """A server with the two buckets; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    all_.start("store", "-m", "moto.server", "-H", "127.0.0.1", "-p", port)
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return f"http://127.0.0.1:{port}"
        time.sleep(0.1)
    raise TimeoutError("moto's server does not start")


def start_cluster(all_: Machines) -> str:
    """A scheduler and two workers; the scheduler's address."""
    file = all_.folder / "scheduler.json"
    where = ("--host", "127.0.0.1", "--port", 0, "--no-dashboard", "--scheduler-file", file)
    all_.start("scheduler", "-m", "dask", "scheduler", *where)
    while not (file.exists() and file.read_text().strip()):
        time.sleep(0.1)
    address = str(json.loads(file.read_text())["address"])
    for name in ("worker-1", "worker-2"):
        start_worker(all_, name, address)
    from distributed import Client

    with Client(address) as client:
        client.wait_for_workers(2, timeout=120)
    return address


def start_worker(all_: Machines, name: str, address: str) -> None:
    """A worker with its nanny."""
    all_.start(name, "-m", "dask", "worker", address, "--no-dashboard", "--nthreads", 1, "--nworkers", 1)


def build_words(source: object, out: object, shard_bytes: str, recipes: Sequence[str]) -> list[object]:
    """The command that builds, behind `python`."""
    chosen = [word for recipe in recipes for word in ("--recipe", recipe)]
    return ["-m", "pipelines", "build-shards", f"photos:ecssd={source}", "--out", out, "--shard-bytes", shard_bytes,
            *chosen]  # fmt: skip


def kill_and_go_on(
    all_: Machines, endpoint: str, address: str, command: Sequence[object], kills: int, seed: int
) -> dict[str, Any]:
    """Build; kill somebody at random moments; start whoever was killed again, until the client ends by itself."""
    rng = random.Random(seed)
    killed: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    halves: set[str] = set()
    client = all_.start("client", *command)
    moment, in_upload = time.monotonic() + rng.uniform(*DELAYS), False
    while sum(codes.values()) < RUNS:
        if (code := client.poll()) is not None:
            codes[str(code)] += 1
            if code == 0 and sum(killed.values()) >= kills:
                break
            if code == 0:  # too quick: what it made is taken away, and it makes it again
                _empty(place_of(f"s3://{OUT}"))
            client = all_.start("client", *command)
        late = time.monotonic() - moment
        if sum(killed.values()) < kills and late >= 0 and (not in_upload or late > PATIENCE or uploads_at(endpoint)):
            name = rng.choice(["client", "worker-1", "worker-2"])
            all_.kill(name)
            killed[name] += 1
            halves |= uploads_at(endpoint) if name != "client" else set()
            if name == "client":
                client = all_.start("client", *command)
            else:
                start_worker(all_, name, address)
            moment, in_upload = time.monotonic() + rng.uniform(*DELAYS), rng.random() < 0.5
        time.sleep(0.02)
    else:
        raise AssertionError(f"the client does not come to an end:\n{all_.log('client')[-3000:]}")
    ended = {"killed": dict(sorted(killed.items())), "how clients ended": dict(sorted(codes.items()))}
    return {**ended, "uploads under way when a worker was killed": len(halves)}


def uploads_at(endpoint: str) -> set[str]:
    """Uploads in parts that are under way, or were left."""
    found = client_of(endpoint).list_multipart_uploads(Bucket=OUT.partition("/")[0])
    return {each["UploadId"] for each in found.get("Uploads", ())}


def _empty(folder: Any) -> None:
    client = stores.filesystem(folder)
    client.rm(str(folder.path), recursive=True)


@functools.cache
def client_of(endpoint: str) -> Any:
    """A client of boto3, which looks past the code that is tested."""
    import boto3

    keys = {"aws_access_key_id": SECRETS["key"], "aws_secret_access_key": SECRETS["secret"]}
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)


def files_of(folder: Path) -> dict[str, str]:
    """Path below a folder -> SHA-256, of what a build on a disk leaves."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def compare(endpoint: str, folder: Path, logs: str) -> dict[str, Any]:
    """What the bucket holds, beside what a build on a disk left."""
    client = client_of(endpoint)
    bucket, _, prefix = OUT.partition("/")
    stored: dict[str, str] = {}
    digests = secrets = 0
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for each in page.get("Contents", ()):
            answer = client.get_object(Bucket=bucket, Key=each["Key"])
            data = answer["Body"].read()
            name = each["Key"].removeprefix(f"{prefix}/")
            stored[name] = hashlib.sha256(data).hexdigest()
            digests += name.endswith(".h5") and answer["Metadata"].get("sha256") == stored[name]
            secrets += any(value.encode() in data for value in (*SECRETS.values(), endpoint))
    expected = files_of(folder)
    compared = [name for name in expected if name not in DIFFERENT]
    return {
        "shards": sum(name.endswith(".h5") for name in expected),
        "of them equal": sum(name.endswith(".h5") and stored.get(name) == expected[name] for name in expected),
        "with their SHA-256 beside them": digests,
        "objects compared": len(compared),
        "objects that differ": [name for name in compared if stored.get(name) != expected[name]],
        "objects too many": sorted(set(stored) - set(expected)),
        "uploads half done": sorted(uploads_at(endpoint)),
        "objects with a secret in them": secrets,
        "secrets in messages": sum(logs.count(value) for value in SECRETS.values()),
    }


def run(source: Path, kills: int = 10, seed: int = 0, shard_bytes: str = "18MB", recipes: Sequence[str] = ()) -> None:
    """Build on a disk, then from bucket to bucket, and compare."""
    with machines() as all_:
        on_disk = all_.folder / "on-disk"
        began = time.perf_counter()
        if code := all_.start("disk", *build_words(source.absolute(), on_disk, shard_bytes, recipes), "-j", 2).wait():
            raise AssertionError(f"exit code {code}:\n{all_.log('disk')}")
        disk_s = time.perf_counter() - began
        endpoint = start_store(all_)
        options = {"endpoint_url": endpoint, **SECRETS}
        stores.use_storage_options(options)
        for bucket in ("photos", "shards"):
            client_of(endpoint).create_bucket(Bucket=bucket)
        stores.filesystem(place_of("s3://photos")).put(str(source.absolute()), "photos/set", recursive=True)
        address = start_cluster(all_)
        words = [
            word
            for name, value in options.items()
            for word in ("--storage-option", f"{name}={value if isinstance(value, str) else json.dumps(value)}")
        ]
        command = [*build_words("s3://photos/set", f"s3://{OUT}", shard_bytes, recipes), "--scheduler", address, *words]
        began = time.perf_counter()
        figures = kill_and_go_on(all_, endpoint, address, command, kills, seed)
        store_s = time.perf_counter() - began
        if code := all_.start("client", *command).wait():
            raise AssertionError(f"exit code {code}:\n{all_.log('client')[-3000:]}")
        logs = "".join(all_.log(name) for name in ("client", "worker-1", "worker-2", "scheduler"))
        figures |= compare(endpoint, on_disk, logs)
        figures["errors that clients told"] = [line for line in all_.log("client").splitlines() if "Error" in line]
        left = [path for name in ("client", "worker-1", "worker-2") for path in (all_.folder / name / "tmp").glob("*")]
        figures["left in workers' temporary folders"] = len([path for path in left if path.name.startswith(".part-")])
        figures |= {"seconds on a disk": round(disk_s, 1), "seconds with kills": round(store_s, 1), "seed": seed}
        print(all_.log("client")[-1500:])
    common.save("store", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="a folder in ECSSD's layout")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shard-bytes", default="18MB")
    parser.add_argument("--recipe", dest="recipes", action="append", default=[])
    run(**vars(parser.parse_args()))

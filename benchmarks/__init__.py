"""Benchmarks as ratios: both sides run by turns, in one process tree, on the same bytes."""

from pipelines.process import let_idle_threads_sleep

let_idle_threads_sleep()  # as the commands do, before a benchmark imports torch

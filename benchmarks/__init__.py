"""Speed as ratios: every figure's two sides run in one process tree, on the same bytes, by turns."""

from pipelines.process import let_idle_threads_sleep

let_idle_threads_sleep()  # as the commands do, before a benchmark imports torch

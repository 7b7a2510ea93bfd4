"""Speed as ratios: every figure's two sides run in one process tree, on the same bytes, by turns."""

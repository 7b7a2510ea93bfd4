"""The embedded sample: a small drawn data set in true on-disk layouts, for demo, tests and documentation."""

from __future__ import annotations

from .layouts import SampleData, draw_sample_data

__all__ = ["SampleData", "draw_sample_data"]

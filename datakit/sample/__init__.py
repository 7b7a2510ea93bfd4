"""A small drawn data set in ECSSD, COCO and DAVIS layout, for the demo, the tests and the documentation."""

from __future__ import annotations

from .layouts import SampleData, draw_sample_data

__all__ = ["SampleData", "draw_sample_data"]

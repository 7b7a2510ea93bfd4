"""Previews of guide masks, as a contact sheet or an HTML page."""

from __future__ import annotations

from .document import picture_bytes
from .overlay import chosen_frames, overlay, shown_size, video_sheet
from .page import DrawnSample, PageCounts, PageSettings, draw_sample, write_page
from .results import results_sheet
from .sheet import MOST_SHOWN, contact_sheet

__all__ = [
    "MOST_SHOWN",
    "DrawnSample",
    "PageCounts",
    "PageSettings",
    "chosen_frames",
    "contact_sheet",
    "draw_sample",
    "overlay",
    "picture_bytes",
    "results_sheet",
    "shown_size",
    "video_sheet",
    "write_page",
]

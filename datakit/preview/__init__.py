"""Contact sheets: what a deformation does to real masks, and where it fails, seen at once."""

from __future__ import annotations

from .sheet import MOST_SHOWN, contact_sheet

__all__ = ["MOST_SHOWN", "contact_sheet"]

"""Settings of deformations and recipes: names of `datakit.config`."""

from ..config import checked, from_mapping, parsed, refuse_unknown, setting, settings_of
from ..config import validate as settle

__all__ = ["checked", "from_mapping", "parsed", "refuse_unknown", "setting", "settings_of", "settle"]

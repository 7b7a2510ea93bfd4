"""Our package `model` under a name that nobody else has: `datakit.model.clip_dataset` is `model/clip_dataset.py`.

For scripts that are run in a repository with a `model` of its own, as those of STCN, XMem and RDE-VOS are: there
`import model` means theirs.
"""

from .extras import require
from .shadowed import HOME

require("network", "what is made for networks (package `datakit.model`)")

__path__ = [str(HOME / "model")]

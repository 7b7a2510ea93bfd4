"""Network floor: MaskTrack's network, its training and its propagation, fed by shards."""

from datakit.extras import require

require("network", "the network (package `model`)")

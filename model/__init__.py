"""Network floor: MaskTrack's network, its training and its propagation, fed by shards."""

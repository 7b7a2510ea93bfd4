"""`datakit annotate`: masks drawn on a page of this machine, carried through a film by the network, kept as files."""

"""Command floor: one file per command, run in this process or through Dask."""

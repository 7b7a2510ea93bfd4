"""`python -m pipelines`, as `torchrun -m` wants it: the `datakit` command."""

from .cli import cli

cli(prog_name="datakit")

"""Snakemake with its own arguments, whose Slurm plugin asks every two seconds how its jobs are.

The plugin waits ten seconds longer after every question without news, up to three minutes: right for a cluster, and
most of the time of a test whose jobs last seconds. Nothing else is changed.
"""

import sys

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

RemoteExecutor.next_seconds_between_status_checks = property(lambda self: 2, lambda self, seconds: None)

if __name__ == "__main__":
    sys.exit(main())

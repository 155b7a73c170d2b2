"""Jobs without the seconds that their imports take: ``python -m workflow.forked_jobs snakemake ...``.

A study's jobs are processes, ``python -m echo STAGE ...``, and each imports torch, diffusers and the like for 4 to 7
seconds: in the default study a tenth of its time, in a tiny one nearly all. Here one process imports these once
(``__main__``); bash, in which Snakemake runs its commands, takes ``python -m echo`` for a function (``python.sh``, by
BASH_ENV) that asks it for a fork (``ask.py``) with the caller's folder, environment and streams. What a fork computes
is what a new process does: only packages of others are imported before it, and it imports this project from the folder
that it runs in.

For one machine with Linux: ``./run study`` and ``quick`` and the check run so. Elsewhere, and where an import has
started a thread, which a fork would lack, the command is run as it is. Jobs of a cluster are processes of their own.
Snakemake measures the memory of who asked, not of the fork; a stage's own record has the fork's.
"""

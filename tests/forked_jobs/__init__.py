"""Jobs without the seconds that their imports take: ``python -m tests.forked_jobs snakemake ...``.

A study's jobs are processes, ``python -m echo STAGE ...``, and in a tiny study most of their time goes into importing
torch, diffusers and the like. Here one process imports these once (``__main__``); bash, in which Snakemake runs its
commands, takes ``python -m echo`` for a function (``python.sh``, by BASH_ENV) that asks it for a fork (``ask.py``) with
the caller's folder, environment and streams. What a fork computes is what a new process does: only packages of others
are imported before it, and it imports this project from the folder that it runs in.

Of the parts of ``.ci/run``, those that run tiny studies here run so; Slurm's jobs are processes of their own.
"""

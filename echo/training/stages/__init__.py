"""Stages: each reads files, writes files and a record of the run, and knows nothing of Snakemake."""

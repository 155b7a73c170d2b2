"""The workflow: Snakemake itself is run, on copies of the project."""

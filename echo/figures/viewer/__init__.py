"""One case after the other, in a browser: a page that holds all it needs (``snakemake viewer``)."""

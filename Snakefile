# Echo: from rendered rooms to tables and figures. `snakemake --cores all` runs the study in config/config.yaml;
# `snakemake figures --cores all` redraws the figures from the committed tables. config/README.md has every key.
from snakemake.utils import min_version

min_version("9.0")

if "study" not in config:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/slurm.smk"
include: "workflow/rules/world.smk"
include: "workflow/rules/rig.smk"
include: "workflow/rules/rows.smk"
include: "workflow/rules/measures.smk"
include: "workflow/rules/figures.smk"


rule all:
    default_target: True
    input:
        # The measures are never committed: in a fresh clone it is they that make the whole study run.
        expand(f"{RUN}/measures/{{run}}/record.json", run=RUNS),
        f"{RESULTS}/tables/tables.md",
        expand(f"{RESULTS}/figures/{{figure}}.png", figure=FIGURES),
        expand(f"{RUN}/notebooks/{{notebook}}.ipynb", notebook=NOTEBOOKS),

# Echo: from rendered rooms to tables and figures. `snakemake --cores all` runs the study in config/config.yaml;
# `snakemake figures --cores all` redraws the figures from the committed tables. config/README.md has every key.
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

# The project's folder. Runs, results and resources lie in the working directory, which may be another one.
ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).resolve()

# Without a study of your own (--configfile, or the `config` of a module), config/config.yaml is the study, whatever
# single keys --config changes.
if (
    not workflow.config_settings.configfiles
    and Path(workflow.basedir).resolve() == ROOT
):

    configfile: str(ROOT / "config" / "config.yaml")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/slurm.smk"
include: "workflow/rules/world.smk"
include: "workflow/rules/rig.smk"
include: "workflow/rules/base.smk"
include: "workflow/rules/rows.smk"
include: "workflow/rules/measures.smk"
include: "workflow/rules/people.smk"
include: "workflow/rules/viewer.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/video.smk"
include: "workflow/rules/site.smk"
include: "workflow/rules/open_domain.smk"
include: "workflow/rules/protocol.smk"


onstart:
    refuse_jobs_of_an_earlier_snakemake()
    # Snakemake looks at the inputs of all waiting jobs again when its rate limit's second is over, for ever, and once
    # more for each job that has ended: up to half a core was measured (docs/log.md). Its default limit is never reached
    # here and goes; another one was asked for and stays.
    if limit := workflow.scheduler.job_rate_limiter:
        if (limit.max_jobs, limit.timespan) == (100, 1):
            workflow.scheduler.job_rate_limiter = None


# The study's file is written, and downloads run, where Snakemake runs: the nodes of a cluster often have no network.
# Figures are drawn there too: each takes two seconds, a job of its own on a cluster several times that.
localrules:
    study,
    assets,
    weights,
    vgg16,
    pretrained,
    released_file,
    publish,
    figure,
    findings,
    leaderboard,
    policies,


rule all:
    default_target: True
    input:
        f"{RUN}/study.json",
        # The measures are never committed: in a fresh clone it is they that make the whole study run.
        expand(f"{RUN}/measures/{{run}}/record.json", run=MEASURED),
        expand(f"{RESULTS}/tables/{{file}}", file=TABLES),
        expand(f"{RESULTS}/figures/{{file}}", file=FIGURE_FILES),
        VIDEOS,
        expand(f"{RUN}/notebooks/{{notebook}}.ipynb", notebook=NOTEBOOKS),
        ["docs/findings.md"] if STUDY.study in FOUND_IN else [],
        COMPARISON,
        OPEN_TABLES,
        OPEN_STRIPS,

# A video of each branch, from the rollouts themselves: the truth, a copy, and two rows side by side.
FILMED = [
    row if row in REFERENCES else f"{row}-{STUDY.train_seeds[0]}"
    for row in filmed_rows(STUDY)
]
VIDEOS = expand(f"{RESULTS}/videos/{{branch}}.mp4", branch=STUDY.evaluate.branches)


def filmed(wildcards):
    """The rollouts of a branch that its video shows."""
    folders = ["reference" if run in REFERENCES else "rollout" for run in FILMED]
    return [
        f"{RUN}/{folder}/{run}/{wildcards.branch}.safetensors"
        for folder, run in zip(folders, FILMED)
    ]


def filmed_pool(wildcards):
    """The pool of a branch's cases."""
    split = BRANCHES[wildcards.branch].split(STUDY.evaluate.splits)
    return f"{RIG}/pool/{split}/record.json"


def video_labels(wildcards):
    """The video's line in the report's menu."""
    return {"item": BRANCHES[wildcards.branch].label}


def video_text(wildcards):
    """What happens on the branch, for the video's caption."""
    return BRANCHES[wildcards.branch].explained


# `update` keeps committed videos until the new ones are whole.
rule video:
    input:
        rollout=filmed,
        pool=filmed_pool,
    output:
        video=report(
            update(f"{RESULTS}/videos/{{branch}}.mp4"),
            caption="../report/video.rst",
            category="Videos",
            labels=video_labels,
        ),
        moving=update(f"{RESULTS}/videos/{{branch}}.gif"),
        record=update(f"{RESULTS}/videos/{{branch}}.record.json"),
    log:
        f"{RUN}/logs/video_{{branch}}.log",
    benchmark:
        f"{RUN}/benchmarks/video_{{branch}}.tsv"
    wildcard_constraints:
        branch="|".join(STUDY.evaluate.branches),
    conda:
        ENVIRONMENT
    resources:
        **resources("video"),
    params:
        study=STUDY_OPTION,
        fingerprint=fingerprint("video"),
        rollout=option("--rollout", "rollout"),
        pool=folder("pool"),
        about=video_text,
    shell:
        "python -m echo video --study {params.study} --branch {wildcards.branch} {params.rollout}"
        " --pool {params.pool} --out {output.video} --fingerprint {params.fingerprint} > {log} 2>&1"


rule videos:
    input:
        VIDEOS,

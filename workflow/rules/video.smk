# A video of each branch, from the rollouts themselves: the truth, a copy, and two rows side by side.
VIDEOS = expand(f"{RESULTS}/videos/{{branch}}.mp4", branch=STUDY.evaluate.branches)


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

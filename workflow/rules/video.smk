# A video of each branch, from the rollouts themselves: the truth, a copy, and two rows side by side. Snakemake's report
# shows pages and lets mp4s be downloaded only: each has a page around it.
VIDEOS = [
    *expand(f"{RESULTS}/videos/{{branch}}.mp4", branch=STUDY.evaluate.branches),
    *expand(f"{RUN}/videos/{{branch}}.html", branch=STUDY.evaluate.branches),
]


# `update` keeps committed videos until the new ones are whole.
rule video:
    input:
        rollout=filmed,
        pool=filmed_pool,
    output:
        video=update(f"{RESULTS}/videos/{{branch}}.mp4"),
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
    shell:
        "python -m echo video --study {params.study} --branch {wildcards.branch} {params.rollout}"
        " --pool {params.pool} --out {output.video} --fingerprint {params.fingerprint} > {log} 2>&1"


rule video_page:
    input:
        f"{RESULTS}/videos/{{branch}}.mp4",
    output:
        report(
            f"{RUN}/videos/{{branch}}.html",
            caption="../report/video.rst",
            category="Videos",
            labels=video_labels,
        ),
    log:
        f"{RUN}/logs/video_page_{{branch}}.log",
    wildcard_constraints:
        branch="|".join(STUDY.evaluate.branches),
    conda:
        ENVIRONMENT
    resources:
        **resources("publish"),
    params:
        about=video_text,
    shell:
        "{{ echo '<!doctype html><video controls autoplay loop muted style=\"max-width: 100%\"'"
        " && echo ' src=\"data:video/mp4;base64,' && base64 -w 0 {input} && echo '\"></video>'; }} > {output} 2> {log}"


rule videos:
    input:
        VIDEOS,

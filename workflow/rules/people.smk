# The page on which people judge returned views; asked for by its name (`snakemake people`), as no table waits for it.
SEEN_BY_PEOPLE = [f"{row}-{STUDY.train_seeds[0]}" for row in STUDY.rows] + REFERENCES


rule people:
    input:
        rollout=[
            f"{RUN}/{'reference' if run in REFERENCES else 'rollout'}/{run}/record.json"
            for run in SEEN_BY_PEOPLE
        ],
        frames=[file for run in SEEN_BY_PEOPLE for file in rollouts(run)],
        pool=held_out(f"{RIG}/pool/{{split}}/record.json"),
        codec=f"{RIG}/codec.safetensors",
        parts=sorted(
            path
            for kind in ("html", "css", "js")
            for path in ROOT.joinpath("echo", "judge", "people").glob(f"*.{kind}")
        ),
    output:
        page=f"{RUN}/people/page.html",
        pairs=f"{RUN}/people/pairs.csv",
        record=f"{RUN}/people/page.record.json",
    log:
        f"{RUN}/logs/people.log",
    benchmark:
        f"{RUN}/benchmarks/people.tsv"
    conda:
        ENVIRONMENT
    resources:
        **resources("people"),
    params:
        study=STUDY_OPTION,
        fingerprint=fingerprint("people"),
        rollout=option("--rollout", "rollout", parents=True),
        pool=option("--pool", "pool", parents=True),
    shell:
        "python -m echo people --study {params.study} {params.rollout} {params.pool} --codec {input.codec}"
        " --out {output.page} --fingerprint {params.fingerprint} --threads {threads} > {log} 2>&1"

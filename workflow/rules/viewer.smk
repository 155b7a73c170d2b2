# The page on which to look at one case after the other; asked for by its name (`snakemake viewer`).
rule viewer:
    input:
        rollout=[
            f"{RUN}/{'reference' if run in REFERENCES else 'rollout'}/{run}/record.json"
            for run in SEEN_BY_PEOPLE
        ],
        frames=[file for run in SEEN_BY_PEOPLE for file in rollouts(run)],
        probes=expand(
            f"{RUN}/probes/{{row}}-{STUDY.train_seeds[0]}.safetensors", row=STUDY.rows
        ),
        pool=held_out(f"{RIG}/pool/{{split}}/record.json"),
        parts=sorted(
            path
            for kind in ("html", "css", "js")
            for path in ROOT.joinpath("echo", "figures", "viewer").glob(f"*.{kind}")
        ),
    output:
        page=f"{RUN}/viewer.html",
        record=f"{RUN}/viewer.record.json",
    log:
        f"{RUN}/logs/viewer.log",
    benchmark:
        f"{RUN}/benchmarks/viewer.tsv"
    conda:
        ENVIRONMENT
    resources:
        **resources("viewer"),
    params:
        study=STUDY_OPTION,
        fingerprint=fingerprint("viewer"),
        rollout=option("--rollout", "rollout", parents=True),
        probes=option("--probes", "probes"),
        pool=option("--pool", "pool", parents=True),
    shell:
        "python -m echo viewer --study {params.study} {params.rollout} {params.probes} {params.pool}"
        " --out {output.page} --fingerprint {params.fingerprint} > {log} 2>&1"

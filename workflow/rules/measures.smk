# From rollouts to the study's tables. What is measured is a run (a row with a training seed) or a reference row.
rule seen:
    input:
        pool=held_out(f"{RIG}/pool/{{split}}/record.json"),
    output:
        seen=f"{RUN}/seen.safetensors",
        record=f"{RUN}/seen.record.json",
    log:
        f"{RUN}/logs/seen.log",
    benchmark:
        f"{RUN}/benchmarks/seen.tsv"
    conda:
        ENVIRONMENT
    resources:
        **resources("seen"),
    params:
        study=STUDY_OPTION,
        fingerprint=fingerprint("seen"),
        pool=option("--pool", "pool", parents=True),
    shell:
        "python -m echo seen --study {params.study} {params.pool} --out {output.seen}"
        " --fingerprint {params.fingerprint} > {log} 2>&1"


rule measure:
    input:
        rollout=measured_rollouts,
        pool=held_out(f"{RIG}/pool/{{split}}/record.json"),
        seen=SEEN,
        weights=ancient("resources/weights/alexnet.safetensors"),
    output:
        record=f"{RUN}/measures/{{measured}}/record.json",
        cases=f"{RUN}/measures/{{measured}}/cases.csv",
        frames=f"{RUN}/measures/{{measured}}/frames.parquet",
    log:
        f"{RUN}/logs/measure_{{measured}}.log",
    benchmark:
        f"{RUN}/benchmarks/measure_{{measured}}.tsv"
    conda:
        ENVIRONMENT
    threads: threads("measure")
    resources:
        **resources("measure"),
    params:
        study=STUDY_OPTION,
        row=measured_row,
        seed=measured_seed,
        fingerprint=fingerprint("measure"),
        rollout=option("--rollout", "rollout"),
        pool=option("--pool", "pool", parents=True),
        seen=option("--seen", "seen"),
        weights=folder("weights"),
        out=out_folder,
    shell:
        "python -m echo measure --study {params.study} --row {params.row} --seed {params.seed} {params.rollout}"
        " {params.pool} {params.seen} --weights {params.weights} --out {params.out} --fingerprint {params.fingerprint}"
        " --threads {threads} > {log} 2>&1"


# How far generated frames are, as a set, from true ones, whose features all rows share.
rule true_features:
    input:
        pool=held_out(f"{RIG}/pool/{{split}}/record.json"),
        weights=ancient("resources/weights/efficientnet_lite0.safetensors"),
    output:
        features=f"{RUN}/realism/true.safetensors",
        record=f"{RUN}/realism/true.record.json",
    log:
        f"{RUN}/logs/true_features.log",
    benchmark:
        f"{RUN}/benchmarks/true_features.tsv"
    conda:
        ENVIRONMENT
    threads: threads("true_features")
    resources:
        **resources("true_features"),
    params:
        study=STUDY_OPTION,
        fingerprint=fingerprint("true_features"),
        pool=option("--pool", "pool", parents=True),
        weights=folder("weights"),
    shell:
        "python -m echo true-features --study {params.study} {params.pool} --weights {params.weights}"
        " --out {output.features} --fingerprint {params.fingerprint} --threads {threads} > {log} 2>&1"


rule realism:
    input:
        rollout=measured_rollouts,
        pool=held_out(f"{RIG}/pool/{{split}}/record.json"),
        true=f"{RUN}/realism/true.safetensors",
        weights=ancient("resources/weights/efficientnet_lite0.safetensors"),
    output:
        distances=f"{RUN}/realism/{{measured}}.safetensors",
        record=f"{RUN}/realism/{{measured}}.record.json",
    log:
        f"{RUN}/logs/realism_{{measured}}.log",
    benchmark:
        f"{RUN}/benchmarks/realism_{{measured}}.tsv"
    conda:
        ENVIRONMENT
    threads: threads("realism")
    resources:
        **resources("realism"),
    params:
        study=STUDY_OPTION,
        row=measured_row,
        seed=measured_seed,
        fingerprint=fingerprint("realism"),
        rollout=option("--rollout", "rollout"),
        pool=option("--pool", "pool", parents=True),
        weights=folder("weights"),
    shell:
        "python -m echo realism --study {params.study} --row {params.row} --seed {params.seed} {params.rollout}"
        " {params.pool} --true {input.true} --weights {params.weights} --out {output.distances}"
        " --fingerprint {params.fingerprint} --threads {threads} > {log} 2>&1"


rule judge:
    input:
        rollout=measured_rollouts,
        pool=held_out(f"{RIG}/pool/{{split}}/record.json"),
        weights=judges_weights,
        answers=lambda wildcards: JUDGE_FILES[wildcards.judge],
    output:
        table=f"{RUN}/judge/{{judge}}/{{measured}}.csv",
        record=f"{RUN}/judge/{{judge}}/{{measured}}.record.json",
    log:
        f"{RUN}/logs/judge_{{judge}}_{{measured}}.log",
    benchmark:
        f"{RUN}/benchmarks/judge_{{judge}}_{{measured}}.tsv"
    conda:
        ENVIRONMENT
    threads: threads("judge")
    resources:
        **resources("judge"),
    params:
        study=STUDY_OPTION,
        row=measured_row,
        seed=measured_seed,
        fingerprint=fingerprint("judge"),
        rollout=option("--rollout", "rollout"),
        pool=option("--pool", "pool", parents=True),
        weights=weights_folder,
    shell:
        "python -m echo judge --study {params.study} --row {params.row} --seed {params.seed} {params.rollout}"
        " {params.pool} --weights {params.weights} --judge {wildcards.judge} --out {output.table}"
        " --fingerprint {params.fingerprint} --threads {threads} > {log} 2>&1"


# What all judges of the study say, and nothing that is made of it.
rule judges:
    input:
        expand(f"{RUN}/judge/{{judge}}/{{run}}.csv", judge=JUDGES, run=MEASURED),


# What a row's memory is worth, from its probed frames.
rule certificate:
    input:
        probes=f"{RUN}/probes/{{row}}-{{seed}}.safetensors",
        pool=f"{RIG}/pool/{PROBED}/record.json",
        seen=SEEN,
        weights=ancient(
            ["resources/weights/alexnet.safetensors", *JUDGE_WEIGHTS[JUDGE]]
        ),
        answers=JUDGE_FILES[JUDGE],
    output:
        table=f"{RUN}/certificates/{JUDGE}/{{row}}-{{seed}}.csv",
        record=f"{RUN}/certificates/{JUDGE}/{{row}}-{{seed}}.record.json",
    log:
        f"{RUN}/logs/certificate_{JUDGE}_{{row}}-{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/certificate_{JUDGE}_{{row}}-{{seed}}.tsv"
    conda:
        ENVIRONMENT
    threads: threads("certificate")
    resources:
        **resources("certificate"),
    params:
        study=STUDY_OPTION,
        fingerprint=fingerprint("certificate"),
        pool=folder("pool"),
        seen=option("--seen", "seen"),
        weights=weights_folder,
    shell:
        "python -m echo certificate --study {params.study} --row {wildcards.row} --seed {wildcards.seed}"
        " --probes {input.probes} --pool {params.pool} {params.seen} --weights {params.weights} --out {output.table}"
        " --fingerprint {params.fingerprint} --threads {threads} > {log} 2>&1"


# Tables are made beside the run, and published when all are whole: a failed attempt loses no committed table. `update`
# keeps Snakemake from removing them before they are replaced.
rule tables:
    input:
        measures=expand(f"{RUN}/measures/{{run}}/cases.csv", run=MEASURED),
        frames=expand(f"{RUN}/measures/{{run}}/frames.parquet", run=MEASURED),
        judge=expand(f"{RUN}/judge/{{judge}}/{{run}}.csv", judge=JUDGES, run=MEASURED),
        probes=expand(f"{RUN}/certificates/{JUDGE}/{{run}}.csv", run=RUNS),
        realism=expand(f"{RUN}/realism/{{run}}.safetensors", run=MEASURED),
        rollout=[
            file
            for row in STUDY.rows
            for file in rollouts(f"{row}-{STUDY.train_seeds[0]}")
        ],
        reference=expand(f"{RUN}/reference/{{name}}/record.json", name=REFERENCES),
        record=RECORDS,
        pool=held_out(f"{RIG}/pool/{{split}}/record.json"),
    output:
        expand(f"{RUN}/tables/{{file}}", file=TABLES),
    log:
        f"{RUN}/logs/tables.log",
    benchmark:
        f"{RUN}/benchmarks/tables.tsv"
    conda:
        ENVIRONMENT
    resources:
        **resources("tables"),
    params:
        study=STUDY_OPTION,
        fingerprint=fingerprint("tables"),
        measures=option("--measures", "measures", parents=True),
        judge=option("--judge", "judge"),
        probes=option("--probes", "probes"),
        realism=option("--realism", "realism"),
        rollout=option("--rollout", "rollout"),
        reference=option("--reference", "reference"),
        record=option("--record", "record"),
        pool=option("--pool", "pool", parents=True),
        out=out_folder,
    shell:
        "python -m echo tables --study {params.study} {params.measures} {params.judge} {params.probes}"
        " {params.realism} {params.rollout} {params.reference} {params.record} {params.pool} --out {params.out}"
        " --fingerprint {params.fingerprint} > {log} 2>&1"


rule publish:
    input:
        expand(f"{RUN}/tables/{{file}}", file=TABLES),
    output:
        update(
            expand(
                f"{RESULTS}/tables/{{file}}",
                file=[file for file in TABLES if file not in IN_REPORT],
            )
        ),
        [
            report(
                update(f"{RESULTS}/tables/{file}"),
                caption=f"../report/{category.lower()}.rst",
                category=category,
                labels={"item": label},
            )
            for file, (category, label) in IN_REPORT.items()
        ],
    log:
        f"{RUN}/logs/publish.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("publish"),
    params:
        source=lambda wildcards, input: str(Path(input[0]).parent),
        out=tables_folder,
    shell:
        "python -m echo publish --tables {params.source} --out {params.out} > {log} 2>&1"

# From rollouts to the study's tables.
rule measure:
    input:
        f"{RUN}/rollout/{{row}}-{{seed}}/record.json",
        weights=ancient(
            expand(
                "resources/weights/{name}.safetensors", name=["alexnet", "lpips_alex"]
            )
        ),
        study=ancient(STUDY_FILE),
    output:
        f"{RUN}/measures/{{row}}-{{seed}}/record.json",
    log:
        f"{RUN}/logs/measure_{{row}}-{{seed}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("measure"),
    params:
        about=about("measure"),
        run=run_folder,
        weights=folder("weights"),
        out=out_folder,
    shell:
        "python -m echo measure --study {input.study} --row {wildcards.row} --seed {wildcards.seed} --run {params.run}"
        " --weights {params.weights} --out {params.out} > {log} 2>&1"


rule judge:
    input:
        f"{RUN}/rollout/{{row}}-{{seed}}/record.json",
        weights=ancient("resources/weights/efficientnet_lite0.safetensors"),
        study=ancient(STUDY_FILE),
    output:
        table=f"{RUN}/judge/{STUDY.evaluate.judge}/{{row}}-{{seed}}.csv",
        record=f"{RUN}/judge/{STUDY.evaluate.judge}/{{row}}-{{seed}}.record.json",
    log:
        f"{RUN}/logs/judge_{{row}}-{{seed}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("judge"),
    params:
        about=about("judge"),
        run=run_folder,
        weights=folder("weights"),
    shell:
        "python -m echo judge --study {input.study} --row {wildcards.row} --seed {wildcards.seed} --run {params.run}"
        " --weights {params.weights} --out {output.table} > {log} 2>&1"


rule tables:
    input:
        expand(f"{RUN}/measures/{{run}}/record.json", run=RUNS),
        expand(f"{RUN}/judge/{STUDY.evaluate.judge}/{{run}}.csv", run=RUNS),
        expand(f"{RUN}/probes/{{run}}.csv", run=RUNS),
        study=ancient(STUDY_FILE),
    output:
        expand(f"{RESULTS}/tables/{{file}}", file=TABLE_FILES),
    log:
        f"{RUN}/logs/tables.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("tables"),
    params:
        about=about("tables"),
        run=run_folder,
        out=out_folder,
    shell:
        "python -m echo tables --study {input.study} --run {params.run} --out {params.out} > {log} 2>&1"

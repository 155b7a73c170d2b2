# From rollouts to the study's tables.
rule measure:
    input:
        f"{RUN}/rollout/{{row}}-{{seed}}/record.json",
        expand("resources/weights/{name}.safetensors", name=["alexnet", "lpips_alex"]),
    output:
        f"{RUN}/measures/{{row}}-{{seed}}/record.json",
    params:
        about=about("measure"),
    log:
        f"{RUN}/logs/measure_{{row}}-{{seed}}.log",
    resources:
        mem_mb=1500,
    shell:
        "{ECHO} measure --study {STUDY_FILE} --row {wildcards.row} --seed {wildcards.seed} --run {RUN}"
        " --weights resources/weights --out {RUN}/measures/{wildcards.row}-{wildcards.seed} > {log} 2>&1"


rule judge:
    input:
        f"{RUN}/rollout/{{row}}-{{seed}}/record.json",
        "resources/weights/efficientnet_lite0.safetensors",
    output:
        table=f"{RUN}/judge/{STUDY.evaluate.judge}/{{row}}-{{seed}}.csv",
        record=f"{RUN}/judge/{STUDY.evaluate.judge}/{{row}}-{{seed}}.record.json",
    params:
        about=about("judge"),
    log:
        f"{RUN}/logs/judge_{{row}}-{{seed}}.log",
    resources:
        mem_mb=1500,
    shell:
        "{ECHO} judge --study {STUDY_FILE} --row {wildcards.row} --seed {wildcards.seed} --run {RUN}"
        " --weights resources/weights --out {output.table} > {log} 2>&1"


rule tables:
    input:
        expand(f"{RUN}/measures/{{run}}/record.json", run=RUNS),
        expand(f"{RUN}/judge/{STUDY.evaluate.judge}/{{run}}.csv", run=RUNS),
        expand(f"{RUN}/probes/{{run}}.csv", run=RUNS),
    output:
        expand(f"{RESULTS}/tables/{{file}}", file=TABLE_FILES),
    params:
        about=about("tables"),
    log:
        f"{RUN}/logs/tables.log",
    resources:
        mem_mb=1500,
    shell:
        "{ECHO} tables --study {STUDY_FILE} --run {RUN} --out {RESULTS}/tables > {log} 2>&1"

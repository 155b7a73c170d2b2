# One row and training seed: trained, rolled out, probed. A killed training resumes: its resume file is no output.
rule train:
    input:
        f"{RUN}/latents/train/record.json",
        evidence=f"{RUN}/evidence/train.safetensors",
        base=f"{RUN}/base.safetensors",
    output:
        model=f"{RUN}/train/{{row}}-{{seed}}/model.safetensors",
        record=f"{RUN}/train/{{row}}-{{seed}}/model.record.json",
    params:
        about=about("train"),
    log:
        f"{RUN}/logs/train_{{row}}-{{seed}}.log",
    resources:
        mem_mb=2500,
    shell:
        "{ECHO} train --study {STUDY_FILE} --row {wildcards.row} --seed {wildcards.seed}"
        " --latents {RUN}/latents/train --evidence {input.evidence} --base {input.base} --out {output.model} > {log} 2>&1"


rule rollout:
    input:
        f"{RUN}/train/{{row}}-{{seed}}/model.safetensors",
        f"{RUN}/codec.safetensors",
        expand(f"{RUN}/latents/{{split}}/record.json", split=["in_domain", "open_domain"]),
        expand(f"{RUN}/evidence/{{split}}.safetensors", split=["in_domain", "open_domain"]),
    output:
        f"{RUN}/rollout/{{row}}-{{seed}}/record.json",
    params:
        about=about("rollout"),
    log:
        f"{RUN}/logs/rollout_{{row}}-{{seed}}.log",
    resources:
        mem_mb=2500,
    shell:
        "{ECHO} rollout --study {STUDY_FILE} --row {wildcards.row} --seed {wildcards.seed} --run {RUN}"
        " --out {RUN}/rollout/{wildcards.row}-{wildcards.seed} > {log} 2>&1"


# A row whose memory does nothing fails here, with its name; the study goes no further until it is mended.
rule probe:
    input:
        f"{RUN}/train/{{row}}-{{seed}}/model.safetensors",
        f"{RUN}/codec.safetensors",
        f"{RUN}/latents/open_domain/record.json",
        f"{RUN}/evidence/open_domain.safetensors",
    output:
        table=f"{RUN}/probes/{{row}}-{{seed}}.csv",
        record=f"{RUN}/probes/{{row}}-{{seed}}.record.json",
    params:
        about=about("probe"),
    log:
        f"{RUN}/logs/probe_{{row}}-{{seed}}.log",
    resources:
        mem_mb=2500,
    shell:
        "{ECHO} probe --study {STUDY_FILE} --row {wildcards.row} --seed {wildcards.seed} --run {RUN}"
        " --out {output.table} > {log} 2>&1"

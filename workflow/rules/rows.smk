# One row and training seed: trained, rolled out, probed. A killed training resumes: its resume file is no output.
rule train:
    input:
        latents=f"{RUN}/latents/train/record.json",
        study=ancient(STUDY_FILE),
        text=f"{RUN}/text/train.safetensors",
        evidence=f"{RUN}/evidence/train.safetensors",
        base=f"{RUN}/base.safetensors",
    output:
        model=f"{RUN}/train/{{row}}-{{seed}}/model.safetensors",
        record=f"{RUN}/train/{{row}}-{{seed}}/model.record.json",
    log:
        f"{RUN}/logs/train_{{row}}-{{seed}}.log",
    conda:
        ENVIRONMENT
    threads: PROCESSES
    resources:
        **resources("train"),
    params:
        about=about("train"),
        latents=folder("latents"),
    shell:
        "python -m echo train --study {input.study} --row {wildcards.row} --seed {wildcards.seed} --latents {params.latents}"
        " --text {input.text} --evidence {input.evidence} --base {input.base} --out {output.model} > {log} 2>&1"


rule rollout:
    input:
        f"{RUN}/train/{{row}}-{{seed}}/model.safetensors",
        f"{RUN}/codec.safetensors",
        expand(
            f"{RUN}/latents/{{split}}/record.json", split=["in_domain", "open_domain"]
        ),
        expand(
            f"{RUN}/evidence/{{split}}.safetensors", split=["in_domain", "open_domain"]
        ),
        expand(f"{RUN}/text/{{split}}.safetensors", split=["in_domain", "open_domain"]),
        study=ancient(STUDY_FILE),
    output:
        f"{RUN}/rollout/{{row}}-{{seed}}/record.json",
    log:
        f"{RUN}/logs/rollout_{{row}}-{{seed}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("rollout"),
    params:
        about=about("rollout"),
        run=run_folder,
        out=out_folder,
    shell:
        "python -m echo rollout --study {input.study} --row {wildcards.row} --seed {wildcards.seed} --run {params.run}"
        " --out {params.out} > {log} 2>&1"


# A row whose memory does nothing fails here, with its name; the study goes no further until it is mended.
rule probe:
    input:
        f"{RUN}/train/{{row}}-{{seed}}/model.safetensors",
        f"{RUN}/codec.safetensors",
        f"{RUN}/latents/open_domain/record.json",
        f"{RUN}/evidence/open_domain.safetensors",
        f"{RUN}/text/open_domain.safetensors",
        study=ancient(STUDY_FILE),
    output:
        table=f"{RUN}/probes/{{row}}-{{seed}}.csv",
        record=f"{RUN}/probes/{{row}}-{{seed}}.record.json",
    log:
        f"{RUN}/logs/probe_{{row}}-{{seed}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("probe"),
    params:
        about=about("probe"),
        run=run_folder,
    shell:
        "python -m echo probe --study {input.study} --row {wildcards.row} --seed {wildcards.seed} --run {params.run}"
        " --out {output.table} > {log} 2>&1"

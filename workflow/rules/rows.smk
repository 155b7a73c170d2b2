# One row and training seed: trained, rolled out, probed. A killed training resumes: its resume file is no output.
rule train:
    input:
        latents=f"{RIG}/latents/train/index.json",
        text=f"{TEXTS}/text/train.safetensors",
        evidence=f"{RUN}/evidence/train.safetensors",
        base=BASE,
    output:
        model=f"{RUN}/train/{{row}}-{{seed}}/model.safetensors",
        record=f"{RUN}/train/{{row}}-{{seed}}/model.record.json",
    log:
        f"{RUN}/logs/train_{{row}}-{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/train_{{row}}-{{seed}}.tsv"
    wildcard_constraints:
        row="|".join(STUDY.trained_rows) or "none",
    conda:
        ENVIRONMENT
    threads: PROCESSES
    resources:
        **resources("train"),
    params:
        study=STUDY_OPTION,
        fingerprint=fingerprint("train"),
        latents=folder("latents"),
    shell:
        "python -m echo train --study {params.study} --row {wildcards.row} --seed {wildcards.seed}"
        " --latents {params.latents} --text {input.text} --evidence {input.evidence} --base {input.base}"
        " --out {output.model} --fingerprint {params.fingerprint} --processes {threads} > {log} 2>&1"


# A row that the paper's authors trained: their file, as a checkpoint of ours (docs/released.md).
rule released_file:
    output:
        f"{DOWNLOADS}/{{download}}",
    log:
        f"{RUN}/logs/released/{{download}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("released_file"),
    params:
        study=STUDY_OPTION,
        row=row_of_download,
    shell:
        "python -m echo released-file --study {params.study} --row {params.row} --out {output} > {log} 2>&1"


rule import_released:
    input:
        checkpoint=released_checkpoint,
    output:
        model=f"{RUN}/train/{{row}}-{{seed}}/model.safetensors",
        record=f"{RUN}/train/{{row}}-{{seed}}/model.record.json",
    log:
        f"{RUN}/logs/import_released_{{row}}-{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/import_released_{{row}}-{{seed}}.tsv"
    wildcard_constraints:
        row="|".join(IMPORTED) or "none",
    conda:
        ENVIRONMENT
    resources:
        **resources("import_released"),
    params:
        study=STUDY_OPTION,
        fingerprint=fingerprint("import_released"),
        sha256=released_sha256,
    shell:
        "python -m echo import-released --study {params.study} --row {wildcards.row} --checkpoint {input.checkpoint}"
        " {params.sha256} --out {output.model} --fingerprint {params.fingerprint} > {log} 2>&1"


rule rollout:
    input:
        model=f"{RUN}/train/{{row}}-{{seed}}/model.safetensors",
        codec=f"{RIG}/codec.safetensors",
        pool=held_out(f"{RIG}/pool/{{split}}/record.json"),
        latents=held_out(f"{RIG}/latents/{{split}}/index.json"),
        text=held_out(f"{TEXTS}/text/{{split}}.safetensors"),
        evidence=held_out(f"{RUN}/evidence/{{split}}.safetensors"),
        guide=ancient([f"{GUIDE}/base.safetensors"] if GUIDE else []),
    output:
        record=f"{RUN}/rollout/{{row}}-{{seed}}/record.json",
        branches=rollouts(),
    log:
        f"{RUN}/logs/rollout_{{row}}-{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/rollout_{{row}}-{{seed}}.tsv"
    conda:
        ENVIRONMENT
    threads: threads("rollout")
    resources:
        **resources("rollout"),
    params:
        study=STUDY_OPTION,
        fingerprint=fingerprint("rollout"),
        pool=option("--pool", "pool", parents=True),
        latents=option("--latents", "latents", parents=True),
        text=option("--text", "text"),
        evidence=option("--evidence", "evidence"),
        guide=option("--guide", "guide", parents=True),
        guide_record=GUIDE_DIGEST,
        out=out_folder,
    shell:
        "python -m echo rollout --study {params.study} --row {wildcards.row} --seed {wildcards.seed}"
        " --model {input.model} --codec {input.codec} {params.pool} {params.latents} {params.text} {params.evidence}"
        " {params.guide} --out {params.out} --fingerprint {params.fingerprint} --threads {threads} > {log} 2>&1"


# What needs no training, drawn from what a row is given: files as of rollouts, for the same measures.
rule reference:
    input:
        codec=f"{RIG}/codec.safetensors",
        pool=held_out(f"{RIG}/pool/{{split}}/record.json"),
        latents=held_out(f"{RIG}/latents/{{split}}/index.json"),
    output:
        record=f"{RUN}/reference/{{reference}}/record.json",
        branches=rollouts("{reference}"),
    log:
        f"{RUN}/logs/reference_{{reference}}.log",
    benchmark:
        f"{RUN}/benchmarks/reference_{{reference}}.tsv"
    conda:
        ENVIRONMENT
    threads: threads("reference")
    resources:
        **resources("reference"),
    params:
        study=STUDY_OPTION,
        fingerprint=fingerprint("reference"),
        pool=option("--pool", "pool", parents=True),
        latents=option("--latents", "latents", parents=True),
        out=out_folder,
    shell:
        "python -m echo reference --study {params.study} --row {wildcards.reference} --codec {input.codec}"
        " {params.pool} {params.latents} --out {params.out} --fingerprint {params.fingerprint} --threads {threads}"
        " > {log} 2>&1"


# A row whose memory does nothing fails here, with its name; the study goes no further until it is mended.
rule probe:
    input:
        model=f"{RUN}/train/{{row}}-{{seed}}/model.safetensors",
        codec=f"{RIG}/codec.safetensors",
        pool=f"{RIG}/pool/{PROBED}/record.json",
        latents=f"{RIG}/latents/{PROBED}/index.json",
        text=f"{TEXTS}/text/{PROBED}.safetensors",
        evidence=f"{RUN}/evidence/{PROBED}.safetensors",
        guide=ancient([f"{GUIDE}/base.safetensors"] if GUIDE else []),
    output:
        frames=f"{RUN}/probes/{{row}}-{{seed}}.safetensors",
        record=f"{RUN}/probes/{{row}}-{{seed}}.record.json",
    log:
        f"{RUN}/logs/probe_{{row}}-{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/probe_{{row}}-{{seed}}.tsv"
    conda:
        ENVIRONMENT
    threads: threads("probe")
    resources:
        **resources("probe"),
    params:
        study=STUDY_OPTION,
        fingerprint=fingerprint("probe"),
        pool=folder("pool"),
        latents=folder("latents"),
        guide=option("--guide", "guide", parents=True),
        guide_record=GUIDE_DIGEST,
    shell:
        "python -m echo probe --study {params.study} --row {wildcards.row} --seed {wildcards.seed}"
        " --model {input.model} --codec {input.codec} --pool {params.pool} --latents {params.latents}"
        " --text {input.text} --evidence {input.evidence} {params.guide} --out {output.frames} --fingerprint {params.fingerprint}"
        " --threads {threads} > {log} 2>&1"

# What all rows share: codec, latents, evidence, starting weights.
rule codec:
    input:
        pool=f"{RUN}/pool/train/record.json",
        study=ancient(STUDY_FILE),
    output:
        codec=f"{RUN}/codec.safetensors",
        record=f"{RUN}/codec.record.json",
    log:
        f"{RUN}/logs/codec.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("codec"),
    params:
        about=about("codec"),
        pool=folder("pool"),
    shell:
        "python -m echo codec --study {input.study} --pool {params.pool} --out {output.codec} > {log} 2>&1"


rule latents:
    input:
        pool=f"{RUN}/pool/{{split}}/record.json",
        study=ancient(STUDY_FILE),
        codec=f"{RUN}/codec.safetensors",
    output:
        f"{RUN}/latents/{{split}}/record.json",
    log:
        f"{RUN}/logs/latents_{{split}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("latents"),
    params:
        about=about("latents"),
        pool=folder("pool"),
        out=out_folder,
    shell:
        "python -m echo latents --study {input.study} --pool {params.pool} --codec {input.codec}"
        " --out {params.out} > {log} 2>&1"


rule evidence:
    input:
        latents=f"{RUN}/latents/{{split}}/record.json",
        study=ancient(STUDY_FILE),
    output:
        ranking=f"{RUN}/evidence/{{split}}.safetensors",
        record=f"{RUN}/evidence/{{split}}.record.json",
    log:
        f"{RUN}/logs/evidence_{{split}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("evidence"),
    params:
        about=about("evidence"),
        latents=folder("latents"),
    shell:
        "python -m echo evidence --study {input.study} --latents {params.latents} --out {output.ranking} > {log} 2>&1"


rule base:
    input:
        latents=f"{RUN}/latents/train/record.json",
        study=ancient(STUDY_FILE),
        evidence=f"{RUN}/evidence/train.safetensors",
    output:
        base=f"{RUN}/base.safetensors",
        record=f"{RUN}/base.record.json",
    log:
        f"{RUN}/logs/base.log",
    conda:
        ENVIRONMENT
    threads: PROCESSES
    resources:
        **resources("base"),
    params:
        about=about("base"),
        latents=folder("latents"),
    shell:
        "python -m echo base --study {input.study} --latents {params.latents} --evidence {input.evidence}"
        " --out {output.base} > {log} 2>&1"

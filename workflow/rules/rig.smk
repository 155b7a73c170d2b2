# What all rows share: pretrained model, text, codec, latents, evidence, starting weights.
rule pretrained:
    input:
        study=ancient(STUDY_FILE),
    output:
        f"{RUN}/pretrained.json",
    log:
        f"{RUN}/logs/pretrained.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("pretrained"),
    params:
        about=digest(STUDY.pretrained.model_dump()),
    shell:
        "python -m echo pretrained --study {input.study} --resources resources/pretrained --out {output}"
        " > {log} 2>&1"


rule text:
    input:
        pool=f"{RUN}/pool/{{split}}/record.json",
        study=ancient(STUDY_FILE),
        pretrained=PRETRAINED,
    output:
        text=f"{RUN}/text/{{split}}.safetensors",
        record=f"{RUN}/text/{{split}}.record.json",
    log:
        f"{RUN}/logs/text_{{split}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("text"),
    params:
        about=about("text"),
        pool=folder("pool"),
        pretrained=option("--pretrained", "pretrained"),
    shell:
        "python -m echo text --study {input.study} --pool {params.pool} {params.pretrained} --out {output.text}"
        " > {log} 2>&1"


rule codec:
    input:
        pool=f"{RUN}/pool/train/record.json",
        study=ancient(STUDY_FILE),
        pretrained=PRETRAINED,
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
        pretrained=option("--pretrained", "pretrained"),
    shell:
        "python -m echo codec --study {input.study} --pool {params.pool} {params.pretrained} --out {output.codec}"
        " > {log} 2>&1"


# A split's frames are dealt out to jobs; each takes a fixed share, so that a restarted one goes on with its own.
rule latents_share:
    input:
        pool=f"{RUN}/pool/{{split}}/record.json",
        study=ancient(STUDY_FILE),
        codec=f"{RUN}/codec.safetensors",
    output:
        f"{RUN}/latents/{{split}}/shares/{{share}}/record.json",
    log:
        f"{RUN}/logs/latents_{{split}}_{{share}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("latents_share"),
    params:
        about=about("latents"),
        pool=folder("pool"),
        out=out_folder,
    shell:
        "python -m echo latents-share --study {input.study} --pool {params.pool} --codec {input.codec}"
        " --share {wildcards.share} --out {params.out} > {log} 2>&1"


rule latents:
    input:
        pool=f"{RUN}/pool/{{split}}/record.json",
        study=ancient(STUDY_FILE),
        codec=f"{RUN}/codec.safetensors",
        shares=expand(
            f"{RUN}/latents/{{{{split}}}}/shares/{{share}}/record.json", share=SHARES
        ),
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
        " --shares {params.out}/shares --out {params.out} > {log} 2>&1"


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
        text=f"{RUN}/text/train.safetensors",
        evidence=f"{RUN}/evidence/train.safetensors",
        pretrained=PRETRAINED,
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
        pretrained=option("--pretrained", "pretrained"),
    shell:
        "python -m echo base --study {input.study} --latents {params.latents} --text {input.text}"
        " --evidence {input.evidence} {params.pretrained} --out {output.base} > {log} 2>&1"

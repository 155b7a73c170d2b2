# What all rows share: pretrained model, text, codec, latents, evidence, starting weights.
rule pretrained:
    output:
        f"{RIG}/pretrained.json",
    log:
        f"{RIG}/logs/pretrained.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("pretrained"),
    params:
        study=RIG_OPTION,
        pretrained=digest(STUDY.pretrained.model_dump()),
    shell:
        "python -m echo pretrained --study {params.study} --resources resources/pretrained --out {output}"
        " > {log} 2>&1"


rule text:
    input:
        pool=f"{RIG}/pool/{{split}}/record.json",
        pretrained=PRETRAINED,
    output:
        text=f"{TEXTS}/text/{{split}}.safetensors",
        record=f"{TEXTS}/text/{{split}}.record.json",
    log:
        f"{TEXTS}/logs/text_{{split}}.log",
    benchmark:
        f"{TEXTS}/benchmarks/text_{{split}}.tsv"
    conda:
        ENVIRONMENT
    threads: threads("text")
    resources:
        **resources("text"),
    params:
        study=STUDY_OPTION if TEXTS == RUN else RIG_OPTION,
        fingerprint=fingerprint("text"),
        pool=folder("pool"),
        pretrained=option("--pretrained", "pretrained"),
    shell:
        "python -m echo text --study {params.study} --pool {params.pool} {params.pretrained} --out {output.text}"
        " --fingerprint {params.fingerprint} --threads {threads} > {log} 2>&1"


rule codec:
    input:
        pool=FITTED_ON,
        pretrained=PRETRAINED,
        shipped=ancient([f"{SHIPPED}/codec.safetensors"] if SHIPPED else []),
        weights=CODEC_WEIGHTS,
    output:
        codec=f"{RIG}/codec.safetensors",
        record=f"{RIG}/codec.record.json",
    log:
        f"{RIG}/logs/codec.log",
    benchmark:
        f"{RIG}/benchmarks/codec.tsv"
    conda:
        ENVIRONMENT
    threads: threads("codec")
    resources:
        **resources("codec"),
    params:
        study=RIG_OPTION,
        fingerprint=fingerprint("codec"),
        pool=option("--pool", "pool", parents=True),
        pretrained=option("--pretrained", "pretrained"),
        shipped=option("--shipped", "shipped", parents=True),
        shipped_record=SHIPPED_DIGEST,
        weights=option("--weights", "weights", parents=True),
    shell:
        "python -m echo codec --study {params.study} {params.pool} {params.pretrained} {params.shipped}"
        " {params.weights}"
        " --out {output.codec} --fingerprint {params.fingerprint} --threads {threads} > {log} 2>&1"


# How well the codec reconstructs, for the record alone: what is encoded need not wait for it.
rule codec_quality:
    input:
        pool=f"{RIG}/pool/train/record.json",
        codec=f"{RIG}/codec.safetensors",
    output:
        record=f"{RIG}/codec_quality.record.json",
    log:
        f"{RIG}/logs/codec_quality.log",
    benchmark:
        f"{RIG}/benchmarks/codec_quality.tsv"
    conda:
        ENVIRONMENT
    threads: threads("codec_quality")
    resources:
        **resources("codec_quality"),
    params:
        study=RIG_OPTION,
        fingerprint=fingerprint("codec_quality"),
        pool=folder("pool"),
    shell:
        "python -m echo codec-quality --study {params.study} --pool {params.pool} --codec {input.codec}"
        " --out {output.record} --fingerprint {params.fingerprint} --threads {threads} > {log} 2>&1"


# A split's frames are dealt out to jobs; each takes a fixed share, so that a restarted one goes on with its own.
rule latents_share:
    input:
        pool=f"{RIG}/pool/{{split}}/record.json",
        codec=f"{RIG}/codec.safetensors",
    output:
        record=f"{RIG}/latents/{{split}}/shares/{{share}}/record.json",
        files=f"{RIG}/latents/{{split}}/shares/{{share}}/files.json",
    log:
        f"{RIG}/logs/latents_{{split}}_{{share}}.log",
    benchmark:
        f"{RIG}/benchmarks/latents_{{split}}_{{share}}.tsv"
    conda:
        ENVIRONMENT
    threads: threads("latents_share")
    resources:
        **resources("latents_share"),
    params:
        study=RIG_OPTION,
        fingerprint=fingerprint("latents_share"),
        pool=folder("pool"),
        out=out_folder,
    shell:
        "python -m echo latents-share --study {params.study} --pool {params.pool} --codec {input.codec}"
        " --share {wildcards.share} --out {params.out} --fingerprint {params.fingerprint} --threads {threads}"
        " > {log} 2>&1"


rule latents:
    input:
        pool=f"{RIG}/pool/{{split}}/record.json",
        codec=f"{RIG}/codec.safetensors",
        shares=expand(
            f"{RIG}/latents/{{{{split}}}}/shares/{{share}}/record.json", share=SHARES
        ),
    output:
        index=f"{RIG}/latents/{{split}}/index.json",
        record=f"{RIG}/latents/{{split}}/record.json",
    log:
        f"{RIG}/logs/latents_{{split}}.log",
    benchmark:
        f"{RIG}/benchmarks/latents_{{split}}.tsv"
    conda:
        ENVIRONMENT
    resources:
        **resources("latents"),
    params:
        study=RIG_OPTION,
        fingerprint=fingerprint("latents"),
        pool=folder("pool"),
        shares=option("--share", "shares", parents=True),
        out=out_folder,
    shell:
        "python -m echo latents --study {params.study} --pool {params.pool} --codec {input.codec}"
        " {params.shares} --out {params.out} --fingerprint {params.fingerprint} > {log} 2>&1"


rule evidence:
    input:
        latents=f"{RIG}/latents/{{split}}/index.json",
    output:
        ranking=f"{RUN}/evidence/{{split}}.safetensors",
        record=f"{RUN}/evidence/{{split}}.record.json",
    log:
        f"{RUN}/logs/evidence_{{split}}.log",
    benchmark:
        f"{RUN}/benchmarks/evidence_{{split}}.tsv"
    conda:
        ENVIRONMENT
    resources:
        **resources("evidence"),
    params:
        study=STUDY_OPTION,
        fingerprint=fingerprint("evidence"),
        latents=folder("latents"),
    shell:
        "python -m echo evidence --study {params.study} --latents {params.latents} --out {output.ranking}"
        " --fingerprint {params.fingerprint} > {log} 2>&1"

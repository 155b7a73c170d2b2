# The study as it was checked, for people; written when the workflow runs, never when it is only read. Jobs do not read it.
rule study:
    output:
        study=f"{RUN}/study.json",
        rows=f"{RUN}/rows.yaml",
    log:
        f"{RUN}/logs/study.log",
    resources:
        **resources("study"),
    params:
        study=STUDY.model_dump_json(indent=1),
        rows=json.dumps({row: MATRIX[row] for row in STUDY.rows}, indent=1),
    run:
        write_text(output.study, params.study)
        write_text(output.rows, params.rows)


# Frames: the asset pack and rendered pools, or recordings and pools cut from them; and weights of the measures.
# Assets and weights are the same for every study: what one fetched serves all.
rule assets:
    output:
        "resources/assets/assets.json",
    log:
        "resources/logs/assets.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("assets"),
    params:
        out=out_folder,
    shell:
        "python -m echo assets --out {params.out} > {log} 2>&1"


rule weights:
    output:
        expand("resources/weights/{name}.safetensors", name=WEIGHTS),
    log:
        "resources/logs/weights.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("weights"),
    params:
        out=out_folder,
    shell:
        "python -m echo weights --out {params.out} > {log} 2>&1"


# Of the second embedded judge alone.
rule vgg16:
    output:
        "resources/weights/vgg16.safetensors",
    log:
        "resources/logs/vgg16.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("weights"),
    params:
        out=out_folder,
    shell:
        "python -m echo weights --only vgg16 --out {params.out} > {log} 2>&1"


rule index:
    output:
        index=f"{RIG}/index/recordings.safetensors",
        record=f"{RIG}/index/recordings.record.json",
    log:
        f"{RIG}/logs/index.log",
    benchmark:
        f"{RIG}/benchmarks/index.tsv"
    conda:
        ENVIRONMENT
    resources:
        **resources("index"),
    params:
        study=RIG_OPTION,
        fingerprint=fingerprint("index"),
    shell:
        "python -m echo index --study {params.study} --out {output.index} --fingerprint {params.fingerprint}"
        " > {log} 2>&1"


rule pool:
    input:
        source=(
            f"{RIG}/index/recordings.safetensors"
            if RECORDED
            else ancient("resources/assets/assets.json")
        ),
    output:
        record=f"{RIG}/pool/{{split}}/record.json",
        files=f"{RIG}/pool/{{split}}/files.json",
    log:
        f"{RIG}/logs/pool_{{split}}.log",
    benchmark:
        f"{RIG}/benchmarks/pool_{{split}}.tsv"
    conda:
        ENVIRONMENT
    resources:
        **resources("pool"),
    params:
        study=RIG_OPTION,
        fingerprint=fingerprint(pool_stage(STUDY)),
        stage=pool_stage(STUDY),
        source=lambda wildcards, input: (
            f"--index {input.source}"
            if RECORDED
            else f"--assets {Path(input.source).parent}"
        ),
        out=out_folder,
    shell:
        "python -m echo {params.stage} --study {params.study} --split {wildcards.split} {params.source}"
        " --out {params.out} --fingerprint {params.fingerprint} > {log} 2>&1"

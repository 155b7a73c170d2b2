# Frames: the asset pack and rendered pools, or recordings and pools cut from them; and weights of the measures.
# Neither hangs on the study: what one study fetched serves all.
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
        "rm -rf {params.out} && python -m echo assets --out {params.out} > {log} 2>&1"


rule weights:
    output:
        expand(
            "resources/weights/{name}.safetensors",
            name=["alexnet", "lpips_alex", "efficientnet_lite0"],
        ),
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


rule index:
    input:
        study=ancient(STUDY_FILE),
    output:
        f"{RUN}/index/record.json",
    log:
        f"{RUN}/logs/index.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("index"),
    params:
        about=about("index"),
        out=out_folder,
    shell:
        "python -m echo index --study {input.study} --out {params.out} > {log} 2>&1"


rule pool:
    input:
        study=ancient(STUDY_FILE),
        source=(
            f"{RUN}/index/record.json"
            if RECORDED
            else ancient("resources/assets/assets.json")
        ),
    output:
        f"{RUN}/pool/{{split}}/record.json",
    log:
        f"{RUN}/logs/pool_{{split}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("pool"),
    params:
        about=about(pool_stage(STUDY)),
        source=lambda wildcards, input: f"--{'index' if RECORDED else 'assets'} {Path(input.source).parent}",
        out=out_folder,
    shell:
        "python -m echo pool --study {input.study} --split {wildcards.split} {params.source}"
        " --out {params.out} > {log} 2>&1"

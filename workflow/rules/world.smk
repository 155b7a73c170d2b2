# Frames: the asset pack, weights of the measures, and the rendered pools.
rule assets:
    input:
        study=ancient(STUDY_FILE),
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
        "rm -rf {params.out} && python -m echo assets --study {input.study} --out {params.out} > {log} 2>&1"


rule weights:
    input:
        study=ancient(STUDY_FILE),
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
        "python -m echo weights --study {input.study} --out {params.out} > {log} 2>&1"


rule pool:
    input:
        study=ancient(STUDY_FILE),
        assets=ancient("resources/assets/assets.json"),
    output:
        f"{RUN}/pool/{{split}}/record.json",
    log:
        f"{RUN}/logs/pool_{{split}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("pool"),
    params:
        about=about("pool"),
        assets=folder("assets"),
        out=out_folder,
    shell:
        "python -m echo pool --study {input.study} --split {wildcards.split} --assets {params.assets}"
        " --out {params.out} > {log} 2>&1"

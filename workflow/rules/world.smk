# Frames: the asset pack, weights of the measures, and the rendered pools.
rule assets:
    output:
        "resources/assets/assets.json",
    log:
        "resources/logs/assets.log",
    shell:
        "rm -rf resources/assets && {ECHO} assets --study {STUDY_FILE} --out resources/assets > {log} 2>&1"


rule weights:
    output:
        expand("resources/weights/{name}.safetensors", name=["alexnet", "lpips_alex", "efficientnet_lite0"]),
    log:
        "resources/logs/weights.log",
    shell:
        "{ECHO} weights --study {STUDY_FILE} --out resources/weights > {log} 2>&1"


rule pool:
    input:
        "resources/assets/assets.json",
    output:
        f"{RUN}/pool/{{split}}/record.json",
    params:
        about=about("pool"),
    log:
        f"{RUN}/logs/pool_{{split}}.log",
    resources:
        mem_mb=1000,
    shell:
        "{ECHO} pool --study {STUDY_FILE} --split {wildcards.split} --assets resources/assets"
        " --out {RUN}/pool/{wildcards.split} > {log} 2>&1"

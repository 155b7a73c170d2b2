# What all rows share: codec, latents, evidence, starting weights.
rule codec:
    input:
        f"{RUN}/pool/train/record.json",
    output:
        codec=f"{RUN}/codec.safetensors",
        record=f"{RUN}/codec.record.json",
    params:
        about=about("codec"),
    log:
        f"{RUN}/logs/codec.log",
    resources:
        mem_mb=3000,
    shell:
        "{ECHO} codec --study {STUDY_FILE} --pool {RUN}/pool/train --out {output.codec} > {log} 2>&1"


rule latents:
    input:
        f"{RUN}/pool/{{split}}/record.json",
        codec=f"{RUN}/codec.safetensors",
    output:
        f"{RUN}/latents/{{split}}/record.json",
    params:
        about=about("latents"),
    log:
        f"{RUN}/logs/latents_{{split}}.log",
    resources:
        mem_mb=1000,
    shell:
        "{ECHO} latents --study {STUDY_FILE} --pool {RUN}/pool/{wildcards.split} --codec {input.codec}"
        " --out {RUN}/latents/{wildcards.split} > {log} 2>&1"


rule evidence:
    input:
        f"{RUN}/latents/{{split}}/record.json",
    output:
        ranking=f"{RUN}/evidence/{{split}}.safetensors",
        record=f"{RUN}/evidence/{{split}}.record.json",
    params:
        about=about("evidence"),
    log:
        f"{RUN}/logs/evidence_{{split}}.log",
    resources:
        mem_mb=1000,
    shell:
        "{ECHO} evidence --study {STUDY_FILE} --latents {RUN}/latents/{wildcards.split}"
        " --out {output.ranking} > {log} 2>&1"


rule base:
    input:
        f"{RUN}/latents/train/record.json",
        evidence=f"{RUN}/evidence/train.safetensors",
    output:
        base=f"{RUN}/base.safetensors",
        record=f"{RUN}/base.record.json",
    params:
        about=about("base"),
    log:
        f"{RUN}/logs/base.log",
    resources:
        mem_mb=1500,
    shell:
        "{ECHO} base --study {STUDY_FILE} --latents {RUN}/latents/train --evidence {input.evidence}"
        " --out {output.base} > {log} 2>&1"

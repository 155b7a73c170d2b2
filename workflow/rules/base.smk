# The base that all rows start from: drawn, shipped or pretrained; or trained on rooms of its own, and then shipped.
if STUDY.base.source == "trained":

    # A killed job loses the rooms of one shard. Frames are not kept.
    rule base_clips:
        input:
            codec=f"{RIG}/codec.safetensors",
            assets=ancient("resources/assets/assets.json"),
        output:
            clips=f"{RIG}/base/clips/{{shard}}.safetensors",
            record=f"{RIG}/base/clips/{{shard}}.record.json",
        log:
            f"{RIG}/logs/base_clips_{{shard}}.log",
        benchmark:
            f"{RIG}/benchmarks/base_clips_{{shard}}.tsv"
        wildcard_constraints:
            shard=r"\d+",
        conda:
            ENVIRONMENT
        threads: threads("base_clips")
        resources:
            **resources("base_clips"),
        params:
            study=RIG_OPTION,
            fingerprint=fingerprint("base_clips"),
            assets=folder("assets"),
        shell:
            "python -m echo base-clips --study {params.study} --shard {wildcards.shard} --codec {input.codec}"
            " --assets {params.assets} --out {output.clips} --fingerprint {params.fingerprint} --threads {threads}"
            " > {log} 2>&1"

    # A killed training resumes: its resume file, beside the clips, is no output.
    rule base_train:
        input:
            clips=expand(f"{RIG}/base/clips/{{shard}}.safetensors", shard=BASE_SHARDS),
            shipped=ancient([f"{SHIPPED}/base.safetensors"] if SHIPPED else []),
        output:
            base=f"{RIG}/base.safetensors",
            record=f"{RIG}/base.record.json",
        log:
            f"{RIG}/logs/base_train.log",
        benchmark:
            f"{RIG}/benchmarks/base_train.tsv"
        conda:
            ENVIRONMENT
        threads: STUDY.base.threads
        resources:
            **resources("base_train"),
        params:
            study=RIG_OPTION,
            fingerprint=fingerprint("base_train"),
            clips=option("--shards", "clips"),
            shipped=option("--shipped", "shipped", parents=True),
            shipped_record=SHIPPED_DIGEST,
        shell:
            "python -m echo base-train --study {params.study} {params.clips} {params.shipped} --out {output.base}"
            " --fingerprint {params.fingerprint} > {log} 2>&1"

    rule ship:
        input:
            base=f"{RIG}/base.safetensors",
            record=f"{RIG}/base.record.json",
            codec=f"{RIG}/codec.safetensors",
        output:
            expand(f"shipped/{STUDY.base.shipped}/{{name}}.safetensors", name=FILES),
            f"shipped/{STUDY.base.shipped}/{RECORD}",
        log:
            f"{RIG}/logs/ship.log",
        localrule: True
        resources:
            **resources("ship"),
        params:
            fingerprint=code_digest("echo.encoding.shipped"),
            out=out_folder,
        shell:
            "python -m echo ship --base {input.base} --codec {input.codec} --out {params.out} > {log} 2>&1"

else:
    TRAINS_BASE = bool(PRETRAINED and STUDY.base.steps)

    rule base:
        input:
            latents=[f"{RIG}/latents/train/index.json"] if TRAINS_BASE else [],
            text=[f"{TEXTS}/text/train.safetensors"] if TRAINS_BASE else [],
            evidence=[f"{RUN}/evidence/train.safetensors"] if TRAINS_BASE else [],
            pretrained=PRETRAINED,
            shipped=ancient([f"{SHIPPED}/base.safetensors"] if SHIPPED else []),
        output:
            base=f"{RUN}/base.safetensors",
            record=f"{RUN}/base.record.json",
        log:
            f"{RUN}/logs/base.log",
        benchmark:
            f"{RUN}/benchmarks/base.tsv"
        conda:
            ENVIRONMENT
        threads: PROCESSES
        resources:
            **resources("base"),
        params:
            study=STUDY_OPTION,
            fingerprint=fingerprint("base"),
            latents=option("--latents", "latents", parents=True),
            text=option("--text", "text"),
            evidence=option("--evidence", "evidence"),
            pretrained=option("--pretrained", "pretrained"),
            shipped=option("--shipped", "shipped", parents=True),
            shipped_record=SHIPPED_DIGEST,
        shell:
            "python -m echo base --study {params.study} {params.latents} {params.text} {params.evidence}"
            " {params.pretrained} {params.shipped} --out {output.base} --fingerprint {params.fingerprint}"
            " --processes {threads} > {log} 2>&1"

# Rollouts from lone first frames that a user brings (open_domain.images), and what the judge says of their returns.
from echo.world.first_frames.listing import LISTING, read_listing

PICTURES = STUDY.open_domain.images
try:
    FIRST_FRAMES = read_listing(Path(PICTURES)) if PICTURES else []
except UserError as error:
    sys.exit(f"{error}")
OPEN_MEASURED = [*RUNS, *STUDY.open_references]
OPEN_TABLES = [
    f"{RESULTS}/open_domain/{file}"
    for file in constant(ROOT / "echo" / "tables" / "open_domain.py", "FILES")
    if PICTURES
]
OPEN_STRIPS = [
    f"{RESULTS}/open_domain/strips/{frame.name}__{BRANCHES[branch].trajectory}.jpg"
    for branch in STUDY.open_domain.branches
    for frame in FIRST_FRAMES
]


if PICTURES:

    rule first_frames:
        input:
            listing=f"{PICTURES}/{LISTING}",
            pictures=[str(file) for frame in FIRST_FRAMES for file in frame.files],
        output:
            record=f"{OPEN}/pool/record.json",
            files=f"{OPEN}/pool/files.json",
        log:
            f"{RUN}/logs/first_frames.log",
        benchmark:
            f"{RUN}/benchmarks/first_frames.tsv"
        conda:
            ENVIRONMENT
        resources:
            **resources("first_frames"),
        params:
            study=STUDY_OPTION,
            fingerprint=fingerprint("first_frames"),
            out=out_folder,
        shell:
            "python -m echo first-frames --study {params.study} --out {params.out} --fingerprint {params.fingerprint}"
            " > {log} 2>&1"

    use rule text as open_text with:
        input:
            pool=f"{OPEN}/pool/record.json",
            pretrained=PRETRAINED,
        output:
            text=f"{OPEN}/text.safetensors",
            record=f"{OPEN}/text.record.json",
        log:
            f"{RUN}/logs/open_text.log",
        benchmark:
            f"{RUN}/benchmarks/open_text.tsv"

    rule open_rollout:
        input:
            model=f"{RUN}/train/{{row}}-{{seed}}/model.safetensors",
            codec=f"{RIG}/codec.safetensors",
            pool=f"{OPEN}/pool/record.json",
            text=f"{OPEN}/text.safetensors",
            guide=ancient([f"{GUIDE}/base.safetensors"] if GUIDE else []),
        output:
            record=f"{OPEN}/rollout/{{row}}-{{seed}}/record.json",
            branches=open_rollouts("{row}-{seed}"),
        log:
            f"{RUN}/logs/open_rollout_{{row}}-{{seed}}.log",
        benchmark:
            f"{RUN}/benchmarks/open_rollout_{{row}}-{{seed}}.tsv"
        conda:
            ENVIRONMENT
        threads: threads("open_rollout")
        resources:
            **resources("open_rollout"),
        params:
            study=STUDY_OPTION,
            fingerprint=fingerprint("open_rollout"),
            pool=folder("pool"),
            guide=option("--guide", "guide", parents=True),
            guide_record=GUIDE_DIGEST,
            out=out_folder,
        shell:
            "python -m echo open-rollout --study {params.study} --row {wildcards.row} --seed {wildcards.seed}"
            " --model {input.model} --codec {input.codec} --pool {params.pool} --text {input.text} {params.guide}"
            " --out {params.out} --fingerprint {params.fingerprint} --threads {threads} > {log} 2>&1"

    rule open_reference:
        input:
            codec=f"{RIG}/codec.safetensors",
            pool=f"{OPEN}/pool/record.json",
        output:
            record=f"{OPEN}/reference/{{reference}}/record.json",
            branches=open_rollouts("{reference}"),
        log:
            f"{RUN}/logs/open_reference_{{reference}}.log",
        benchmark:
            f"{RUN}/benchmarks/open_reference_{{reference}}.tsv"
        conda:
            ENVIRONMENT
        threads: threads("open_reference")
        resources:
            **resources("open_reference"),
        params:
            study=STUDY_OPTION,
            fingerprint=fingerprint("open_reference"),
            pool=folder("pool"),
            out=out_folder,
        shell:
            "python -m echo open-reference --study {params.study} --row {wildcards.reference} --codec {input.codec}"
            " --pool {params.pool} --out {params.out} --fingerprint {params.fingerprint} --threads {threads}"
            " > {log} 2>&1"

    rule open_judge:
        input:
            rollout=open_measured_rollouts,
            pool=f"{OPEN}/pool/record.json",
            weights=judges_weights,
            answers=lambda wildcards: JUDGE_FILES[wildcards.judge],
        output:
            table=f"{OPEN}/judge/{{judge}}/{{measured}}.csv",
            record=f"{OPEN}/judge/{{judge}}/{{measured}}.record.json",
        log:
            f"{RUN}/logs/open_judge_{{judge}}_{{measured}}.log",
        benchmark:
            f"{RUN}/benchmarks/open_judge_{{judge}}_{{measured}}.tsv"
        conda:
            ENVIRONMENT
        threads: threads("open_judge")
        resources:
            **resources("open_judge"),
        params:
            study=STUDY_OPTION,
            row=measured_row,
            seed=measured_seed,
            fingerprint=fingerprint("open_judge"),
            rollout=option("--rollout", "rollout"),
            pool=folder("pool"),
            weights=weights_folder,
        shell:
            "python -m echo open-judge --study {params.study} --row {params.row} --seed {params.seed}"
            " {params.rollout} --pool {params.pool} --weights {params.weights} --judge {wildcards.judge}"
            " --out {output.table} --fingerprint {params.fingerprint} --threads {threads} > {log} 2>&1"

    # `update` keeps Snakemake from removing tables, which may be committed, before they are replaced.
    rule open_domain:
        input:
            rollout=[file for run in OPEN_MEASURED for file in open_rollouts(run)],
            judge=expand(
                f"{OPEN}/judge/{{judge}}/{{run}}.csv", judge=JUDGES, run=OPEN_MEASURED
            ),
            pool=f"{OPEN}/pool/record.json",
            weights=ancient("resources/weights/alexnet.safetensors"),
        output:
            update([*OPEN_TABLES, *OPEN_STRIPS]),
        log:
            f"{RUN}/logs/open_domain.log",
        benchmark:
            f"{RUN}/benchmarks/open_domain.tsv"
        conda:
            ENVIRONMENT
        threads: threads("open_domain")
        resources:
            **resources("open_domain"),
        params:
            study=STUDY_OPTION,
            fingerprint=fingerprint("open_domain"),
            rollout=option("--rollout", "rollout"),
            judge=option("--judge", "judge"),
            pool=folder("pool"),
            weights=folder("weights"),
            out=out_folder,
        shell:
            "python -m echo open-domain --study {params.study} {params.rollout} {params.judge} --pool {params.pool}"
            " --weights {params.weights} --out {params.out} --fingerprint {params.fingerprint} --threads {threads}"
            " > {log} 2>&1"

else:

    rule open_domain:
        input:
            without_pictures,

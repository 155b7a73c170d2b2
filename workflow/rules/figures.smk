# Figures, notebooks and the page of findings, from the tables alone. Figures are drawn in the formats that their
# modules name. The stamp is never committed: a fresh clone redraws every figure.
rule figure:
    input:
        tables=lambda wildcards: expand(
            f"{RESULTS}/tables/{{file}}",
            file=drawn.reads(wildcards.figure, STUDY.evaluate.branches),
        ),
    output:
        figure=report(
            f"{RESULTS}/figures/{{figure}}.{{suffix}}",
            caption="../report/figure.rst",
            category=figure_category,
            labels=figure_labels,
        ),
        stamp=f"{RUN}/figures/{{figure}}.{{suffix}}.drawn",
    log:
        f"{RUN}/logs/figure_{{figure}}.{{suffix}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("figure"),
    params:
        fingerprint=lambda wildcards: code_digest(
            f"echo.figures.{wildcards.figure}", "echo.figures.saving"
        ),
        about=figure_text,
        tables=tables_folder,
    shell:
        "{{ python -m echo figure {wildcards.figure} --tables {params.tables} --out {output.figure}"
        " && echo {params.fingerprint} > {output.stamp}; }} > {log} 2>&1"


# The same as PDF, for charts. They are not committed.
rule figure_pdf:
    input:
        tables=lambda wildcards: expand(
            f"{RESULTS}/tables/{{file}}",
            file=drawn.reads(wildcards.figure, STUDY.evaluate.branches),
        ),
    output:
        f"{RESULTS}/figures/{{figure}}.pdf",
    log:
        f"{RUN}/logs/figure_{{figure}}.pdf.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("figure"),
    params:
        fingerprint=lambda wildcards: code_digest(
            f"echo.figures.{wildcards.figure}", "echo.figures.saving"
        ),
        tables=tables_folder,
    shell:
        "python -m echo figure {wildcards.figure} --tables {params.tables} --out {output} > {log} 2>&1"


# A page of all of them with their captions, which a repository's web page shows with the folder.
rule captions:
    input:
        expand(f"{RESULTS}/figures/{{file}}", file=FIGURE_FILES),
    output:
        update(f"{RESULTS}/figures/README.md"),
    log:
        f"{RUN}/logs/captions.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("figure"),
    params:
        fingerprint=code_digest("echo.figures.captions"),
        said=[drawn.about(Path(file).stem).text for file in FIGURE_FILES],
        files=FIGURE_FILES,
    shell:
        "python -m echo captions {params.files} --out {output} > {log} 2>&1"


rule figures:
    input:
        expand(f"{RESULTS}/figures/{{file}}", file=FIGURE_FILES),
        expand(f"{RUN}/figures/{{file}}.drawn", file=FIGURE_FILES),
        expand(f"{RESULTS}/figures/{{figure}}.pdf", figure=CHARTS),
        f"{RESULTS}/figures/README.md",


rule notebook:
    input:
        notebook=f"{NOTEBOOK_FOLDER}/{{notebook}}.ipynb",
        tables=expand(f"{RESULTS}/tables/{{file}}", file=TABLES),
    output:
        f"{RUN}/notebooks/{{notebook}}.ipynb",
    log:
        f"{RUN}/logs/notebook_{{notebook}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("notebook"),
    params:
        fingerprint=code_digest(
            "echo.figures.notebook",
            "echo.tables.follows",
            *(f"echo.figures.{name}" for name in FIGURES),
        ),
        tables=tables_folder,
    shell:
        "python -m echo notebook {input.notebook:q} --tables {params.tables} --out {output} > {log} 2>&1"


# Copies with outputs, for readers on the web; those of the default study are committed.
rule executed_notebook:
    input:
        f"{RUN}/notebooks/{{notebook}}.ipynb",
    output:
        update(f"{RESULTS}/notebooks/{{notebook}}.ipynb"),
    log:
        f"{RUN}/logs/executed_notebook_{{notebook}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("publish"),
    shell:
        "{{ cp {input} {output}.part && mv {output}.part {output}; }} > {log} 2>&1"


rule notebooks:
    input:
        expand(f"{RUN}/notebooks/{{notebook}}.ipynb", notebook=NOTEBOOKS),
        expand(f"{RESULTS}/notebooks/{{notebook}}.ipynb", notebook=NOTEBOOKS),


# The findings of the studies that are there, one for each evidence policy (echo.tables.files.REPORTED), on one page.
# `update` keeps the committed page until the new one is whole; the stamp is as that of figures.
rule findings:
    input:
        tables=expand(
            "results/{study}/tables/{file}", study=FOUND_IN, file=FINDINGS_READ
        ),
    output:
        page=report(
            update("docs/findings.md"),
            caption="../report/findings.rst",
            category="Findings",
            labels={"item": "all evidence policies"},
        ),
        stamp=f"{RUN}/findings.written",
    log:
        f"{RUN}/logs/findings.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("publish"),
    params:
        fingerprint=code_digest("echo.tables.findings_page"),
        tables=" ".join(f"--tables results/{study}/tables" for study in FOUND_IN),
    shell:
        "{{ python -m echo findings {params.tables} --out {output.page}"
        " && echo {params.fingerprint} > {output.stamp}; }} > {log} 2>&1"


# The compared studies that are there (echo.tables.side_by_side.STUDIES), side by side.
rule policies:
    input:
        tables=expand(
            "results/{study}/tables/{file}", study=COMPARED_IN, file=side_by_side.READS
        ),
    output:
        ranks="results/policies/ranks.csv",
        agreement="results/policies/paper_agreement.csv",
        moves="results/policies/moves.csv",
        changes="results/policies/changes.csv",
        explained="results/policies/explained.csv",
        page="results/policies/policies.md",
        figure="results/policies/ranks.png",
    log:
        f"{RUN}/logs/policies.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("publish"),
    params:
        fingerprint=code_digest("echo.tables.policies_page", "echo.figures.policies"),
        tables=" ".join(f"--tables results/{study}/tables" for study in COMPARED_IN),
        out=out_folder,
    shell:
        "python -m echo policies {params.tables} --out {params.out} > {log} 2>&1"

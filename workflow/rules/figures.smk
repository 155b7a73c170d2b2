# Figures and notebooks, from the tables alone. The stamp is never committed: a fresh clone redraws every figure.
rule figure:
    input:
        tables=lambda wildcards: expand(
            f"{RESULTS}/tables/{{file}}", file=figures.reads(wildcards.figure)
        ),
    output:
        figure=f"{RESULTS}/figures/{{figure}}.png",
        stamp=f"{RUN}/figures/{{figure}}.drawn",
    log:
        f"{RUN}/logs/figure_{{figure}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("figure"),
    params:
        about=lambda wildcards: figures.digest(wildcards.figure),
        tables=tables_folder,
    shell:
        "{{ python -m echo.figures {wildcards.figure} --tables {params.tables} --out {output.figure}"
        " && echo {params.about} > {output.stamp}; }} > {log} 2>&1"


rule figures:
    input:
        expand(f"{RESULTS}/figures/{{figure}}.png", figure=FIGURES),
        expand(f"{RUN}/figures/{{figure}}.drawn", figure=FIGURES),


rule notebook:
    input:
        notebook="notebooks/{notebook}.ipynb",
        tables=expand(f"{RESULTS}/tables/{{file}}", file=TABLE_FILES),
    output:
        f"{RUN}/notebooks/{{notebook}}.ipynb",
    log:
        f"{RUN}/logs/notebook_{{notebook}}.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("notebook"),
    params:
        about=code_digest("figures"),
        tables=tables_folder,
    shell:
        "python -m echo.figures.notebook {input.notebook} --tables {params.tables} --out {output} > {log} 2>&1"


rule notebooks:
    input:
        expand(f"{RUN}/notebooks/{{notebook}}.ipynb", notebook=NOTEBOOKS),

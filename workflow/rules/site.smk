# The pages of docs/, the README, the tables' pages and the executed notebooks as a site; asked for by its name
# (`snakemake site`). Its first page is runs/NAME/site/index.html.
rule site:
    input:
        notebooks=expand(f"{RUN}/notebooks/{{notebook}}.ipynb", notebook=NOTEBOOKS),
        pages=sorted(
            path
            for pattern in (
                "*.md",
                "config/*.md",
                "docs/*.md",
                "docs/site/**/*.*",
                "results/**/*.md",
            )
            for path in ROOT.glob(pattern)
        ),
        tables=expand(f"{RESULTS}/tables/{{file}}", file=TABLES),
    output:
        directory(f"{RUN}/site"),
    log:
        f"{RUN}/logs/site.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("site"),
    params:
        study=STUDY.study,
        fingerprint=code_digest("echo.memory.base", "echo.judge.base", "echo.figures"),
        root=ROOT,
    shell:
        "ECHO_STUDY={params.study} python -m sphinx --quiet --fail-on-warning --keep-going -b html"
        " -c {params.root:q}/docs/site -d {output}/.doctrees {params.root:q} {output} > {log} 2>&1"
        " && rm -r {output}/.doctrees"

# Scores of anybody's world models (docs/protocol.md) as one table and page; asked for by its name (`snakemake
# leaderboard`), as no study has a part in it. An entry is a score.json under a name of its own,
# gzipped or not.
LEADERBOARD = "results/leaderboard"


rule leaderboard:
    input:
        entries=sorted(map(str, Path(LEADERBOARD, "entries").glob("*.json*"))),
    output:
        table=f"{LEADERBOARD}/leaderboard.csv",
        page=f"{LEADERBOARD}/index.html",
    log:
        "runs/leaderboard/leaderboard.log",
    conda:
        ENVIRONMENT
    resources:
        **resources("leaderboard"),
    params:
        folder=lambda wildcards: f"{LEADERBOARD}/entries",
        fingerprint=lambda wildcards: code_digest("echo.protocol.leaderboard"),
        out=lambda wildcards, output: str(Path(output.table).parent),
    shell:
        "python -m echo leaderboard {params.folder} --out {params.out} > {log} 2>&1"

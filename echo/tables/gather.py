"""Merge the runs' files to the study's: one table each of frames, cases, judgements, probes, rows, kept and so on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from echo.io.files import atomic_path
from echo.measures.departed import COLUMNS as DEPARTURE
from echo.measures.departed import departs
from echo.measures.verdict import PROBES
from echo.study.config import Study
from echo.study.provenance import altered, read_record
from echo.study.references import FAMILY, label
from echo.study.words import BRANCHES, UNTRAINED
from echo.tables.audit import COLUMNS as AUDIT_COLUMNS
from echo.tables.audit import audit
from echo.tables.complete import (
    MEASURES,
    SCORES,
    Expected,
    Key,
    Run,
    faults,
    measured,
    raise_faults,
    read_table,
    runs,
)
from echo.tables.compressed import write_compressed
from echo.tables.constants import COLUMNS as CONSTANT_COLUMNS
from echo.tables.constants import constants
from echo.tables.judgements import (
    KEYS,
    MISSING_COLUMNS,
    judgement_table,
    missing_answers,
    write_judgements,
)
from echo.tables.read import TableError
from echo.tables.realism import COLUMNS as REALISM_COLUMNS
from echo.tables.realism import realism_table

CASE = ["row_name", "train_seed", "branch", "split", "scene", "anchor", "case"]
SHARPNESS = "sharpness"
FIRST = [f"first_{name}" for name in MEASURES]
SEEN = ["seen_given", "seen_past", "psnr_seen", "psnr_unseen"]
FRAME_COLUMNS = [*CASE, "segment", "frame", "psnr"]
CASE_COLUMNS = [*CASE, *MEASURES, *FIRST, *SEEN, SHARPNESS, *DEPARTURE, *SCORES]
PROBE_COLUMNS = ["row_name", "train_seed", "probe", "case", "change", "psnr_drop", "seen_drop", "lpips_rise",
                 "judge_drop", "toward"]  # fmt: skip
ROW_COLUMNS = ["row_name", "family", "label", "remembers", "kept_numbers", "parameters", "memory_parameters",
               "frames_read"]  # fmt: skip
KEPT_COLUMNS = ["row_name", "policy", "segment", "numbers", "bytes", "state_numbers", "state_bytes"]
TIMING_COLUMNS = ["stage", "row_name", "seconds", "peak_mb"]
DECIMALS = 5
# Of other columns of a case: 4.
CASE_DECIMALS = {"psnr": 3, "first_psnr": 3, "sharpness": 3, "departure": 1, "departure_share": 3,
                 **dict.fromkeys(SCORES, 3)}  # fmt: skip
FRAME_DECIMALS = 2


def gather(
    study: Study,
    expected: Expected,
    current: Mapping[str, str],
    *,
    measures: Sequence[Path],
    judged: Sequence[Path],
    probes: Sequence[Path],
    realism: Sequence[Path],
    rollouts: Sequence[Path],
    references: Sequence[Path],
    records: Sequence[Path],
    tables: Path,
) -> None:
    """Write the gathered csv and parquet files to the folder ``tables``; nothing is written unless all are complete.

    ``current``: by row, the digest that its training should have. ``measures``: folders of measures, ``realism``:
    files, one each in the order of ``measured(study)``; ``judged``: files in that order, judge by judge. ``probes``:
    one certificate per run. ``rollouts``: one folder per row, of its first training seed. ``references``: the record of
    each reference row. ``records``: of all jobs, in pipeline order. Raises TableError that names every file that is
    truncated, incomplete or of another run, and says how to remake it.
    """
    each = measured(study)
    frame_files, case_files = ([path / name for path in measures] for name in ("frames.parquet", "cases.csv"))
    reader = _Reader()
    frames = reader.read(
        each, frame_files, ["branch", "case", "frame"], expected.frame_keys, _measured(expected, ("psnr",))
    )
    numbers = {
        branch: (
            *MEASURES, SHARPNESS, *(FIRST if BRANCHES[branch].ends_at_first else ()),
            *(("departed",) if departs(branch) else ()),
        )
        for branch in expected.cases
    }  # fmt: skip
    cases = reader.read(each, case_files, ["branch", "case"], expected.case_keys, numbers)
    scores = _scores(study, each, judged, expected, reader)
    probed = reader.read(
        runs(study),
        probes,
        ["probe", "case"],
        expected.probe_keys,
        dict.fromkeys(PROBES, ("change", "psnr_drop", "lpips_rise")),
    )
    reader.finish()
    distances = realism_table(study, expected, realism)
    main = scores[study.evaluate.judge]
    judgements = judgement_table(scores, cases)
    unanswered = missing_answers(study.all_judges, each, judged)
    cases = cases.merge(main[[*KEYS, *SCORES]], on=KEYS, how="left", validate="one_to_one")
    rows, kept = row_table(study, rollouts, references), kept_table(study, rollouts)
    times = timings(study, records)
    differences = audit(study.profiles, study.reference, current, records, dict(zip(study.rows, rollouts, strict=True)))
    with atomic_path(tables / "frames.parquet") as temporary:
        write_frames(frames[FRAME_COLUMNS], temporary)
    with atomic_path(tables / "cases.csv.xz") as temporary:
        write_cases(cases.reindex(columns=CASE_COLUMNS), temporary)
    with atomic_path(tables / "judgements.csv.xz") as temporary:
        write_judgements(judgements, temporary)
    with atomic_path(tables / "probes.csv.xz") as temporary:
        write_compressed(probed.reindex(columns=PROBE_COLUMNS).round(DECIMALS), temporary)
    for name, table, columns in (
        ("missing_answers", unanswered, MISSING_COLUMNS),
        ("rows", rows, ROW_COLUMNS),
        ("kept", kept, KEPT_COLUMNS),
        ("timings", times, TIMING_COLUMNS),
        ("realism", distances, REALISM_COLUMNS),
        ("audit", differences, AUDIT_COLUMNS),
        ("constants", constants(study), CONSTANT_COLUMNS),
    ):
        with atomic_path(tables / f"{name}.csv") as temporary:
            table.reindex(columns=columns).round(DECIMALS).to_csv(temporary, index=False)


def write_cases(cases: pd.DataFrame, path: Path) -> None:
    """Write the table of cases, its numbers rounded to their meaningful digits: some 40 bytes per case."""
    write_compressed(cases.round(dict.fromkeys(cases.columns, 4) | CASE_DECIMALS), path)


def write_frames(frames: pd.DataFrame, path: Path) -> None:
    """Write the table of frames compactly: about one and a half bytes per frame.

    PSNR is rounded to ``FRAME_DECIMALS``, so that it has some thousand different values, which parquet stores as
    indices into a dictionary.
    """
    frames.assign(psnr=frames["psnr"].round(FRAME_DECIMALS).astype("float32")).to_parquet(
        path, index=False, compression="zstd", compression_level=19, row_group_size=len(frames) or None
    )


class _Reader:
    """Reads one file of each kind per run and collects their faults, so that one message can name them all."""

    def __init__(self) -> None:
        self._faults: dict[Path, list[str]] = {}
        self._owners: dict[Path, Run] = {}

    def read(
        self,
        runs: Sequence[Run],
        paths: Sequence[Path],
        keys: list[str],
        wanted: Sequence[Key],
        numbers: Mapping[str, Sequence[str]],
    ) -> pd.DataFrame:
        """All files, one per run, as one table; see ``echo.tables.complete.faults`` for what is checked."""
        if len(paths) != len(runs):
            raise TableError(f"{len(paths)} files for {len(runs)} runs (rows x training seeds, and reference rows): "
                             f"{paths[0].name} is needed from every run, in the study's order")  # fmt: skip
        parts = []
        for path, run in zip(paths, runs, strict=True):
            self._owners[path] = run
            try:
                parts.append(read_table(path))
            except TableError as error:
                self._faults[path] = [str(error).removeprefix(f"{path}: ")]
            else:
                self._faults[path] = faults(parts[-1], run, keys, wanted, numbers) or [*filter(None, [altered(path)])]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def finish(self) -> None:
        """Raise TableError if any file had a fault."""
        raise_faults(self._faults, self._owners)


def _scores(
    study: Study, each: Sequence[Run], judged: Sequence[Path], expected: Expected, reader: _Reader
) -> dict[str, pd.DataFrame]:
    """The scores of all runs by each judge of the study; a judge may leave a score out."""
    judges, count = study.all_judges, len(each)
    if len(judged) != len(judges) * count:
        raise TableError(f"{len(judged)} files of judgements for {count} runs (rows x training seeds, and reference "
                         f"rows): one is needed from each, for each of the judges {', '.join(judges)}")  # fmt: skip
    files = [judged[start : start + count] for start in range(0, len(judged), count)]
    read = (reader.read(each, own, ["branch", "case"], expected.judged_keys, {}) for own in files)
    return dict(zip(judges, read, strict=True))


def _measured(expected: Expected, columns: Sequence[str]) -> dict[str, Sequence[str]]:
    return dict.fromkeys(expected.cases, columns)


def row_table(study: Study, rollouts: Sequence[Path], references: Sequence[Path]) -> pd.DataFrame:
    """One row per row of the study, then per reference row: what it is, and the sizes that its job recorded.

    ``kept_numbers``: the most that survives between two segments of a case, whatever it is read through: where evidence
    is picked from all that was ever seen, all of that.
    ``rollouts``: folders; ``references``: records. A reference row has no memory to probe, so it does not count as one
    that remembers.
    """
    lines = []
    for name, folder in zip(study.rows, rollouts, strict=True):
        record, profile = owned_record(folder, Run(name, study.train_seeds[0])), study.profiles[name]
        about = {"row_name": name, "family": profile.family, "label": profile.label, "remembers": profile.remembers}
        kept = max(segment["numbers"] for segment in _longest(record))
        lines.append({**about, "kept_numbers": kept, **_sizes(record)})
    for name, path in zip(study.references, references, strict=True):
        record = owned_record(path.parent, Run(name, UNTRAINED))
        about = {"row_name": name, "family": FAMILY, "label": label(name), "remembers": False}
        lines.append({**about, "kept_numbers": record["counts"]["state_numbers"], **_sizes(record)})
    table = pd.DataFrame(lines)
    counts = ["kept_numbers", "parameters", "memory_parameters", "frames_read"]
    return table.astype(dict.fromkeys(counts, "Int64"))  # integers; those that do not apply are missing


def kept_table(study: Study, rollouts: Sequence[Path]) -> pd.DataFrame:
    """What each row keeps of one case at each segment, as counted by its rollout (``KEPT_COLUMNS``).

    What is kept up to a segment does not depend on the branch, so each row's longest branch is used. ``rollouts``:
    folders.
    """
    lines = []
    for name, folder in zip(study.rows, rollouts, strict=True):
        longest = _longest(owned_record(folder, Run(name, study.train_seeds[0])))
        lines += [{"row_name": name, "policy": study.evidence.policy, **segment} for segment in longest]
    return pd.DataFrame(lines, columns=KEPT_COLUMNS)


def _longest(record: dict[str, Any]) -> list[dict[str, int]]:
    """What a row keeps at each segment of its longest branch."""
    return max(record["kept"].values(), key=len)


def _sizes(record: dict[str, Any]) -> dict[str, Any]:
    return {name: size for name, size in record["counts"].items() if name != "state_numbers"}


def owned_record(folder: Path, run: Run) -> dict[str, Any]:
    """The record of a rollout or reference row; raises TableError if it is another run's."""
    path = folder / "record.json"
    record = read_record(path)
    if (record["row"], record["train_seed"]) != (run.row_name, run.train_seed):
        other = Run(record["row"], record["train_seed"])
        raise_faults({path: [f"it belongs to {other}"]}, {path: run})
    return record


def timings(study: Study, records: Sequence[Path]) -> pd.DataFrame:
    """stage, row_name, seconds, peak_mb of every recorded job: stages in the order given, rows in the study's order."""
    entries = [read_record(path) for path in records]
    stages = list(dict.fromkeys(entry["stage"] for entry in entries))
    names = [*study.rows, *study.references, None]
    entries.sort(key=lambda entry: (stages.index(entry["stage"]), names.index(entry["row"])))
    values = [(entry["stage"], entry["row"] or "", entry["seconds"], entry["peak_mb"]) for entry in entries]
    return pd.DataFrame(values, columns=TIMING_COLUMNS)

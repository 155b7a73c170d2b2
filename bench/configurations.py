"""A fault campaign on the configuration: mutated studies are refused in one line, or every later stage takes them.

    python -m bench.configurations --count 1000 --seed 0

Each mutation changes a valid study or its rows: a wrong type, a value at or beyond a bound, an infinity, a missing, an
extra, a misspelt or a repeated key, damaged YAML, or two of these at once. It is written to files and read as a job
reads it. Wrong is: an error that is no ConfigError, one of several lines or without file and key; a value that was
changed in silence; and a study that was accepted and that a later stage (``bench.later_stages``) refuses.

One rule needs torch and is left to training: a pattern of ``train.trainable`` like ``memory.x`` that fits no parameter
of a row's memory.
"""

from __future__ import annotations

import argparse
import copy
import datetime
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml
from pydantic import BaseModel

from bench.later_stages import try_stages
from echo.study.config import ConfigError, Study, load_study
from echo.study.profile import families, settings_of
from echo.study.sections.codec import OPTIONS

ROOT = Path(__file__).parent.parent
ROWS = yaml.safe_load((ROOT / "config" / "rows.yaml").read_text())
# In the order in which the rows have them; those without a row come last.
FAMILIES = [*dict.fromkeys([*(entry["family"] for entry in ROWS.values()), *families()])]
NUMBERS = [0, 1, -1, 2, 3, 5, 7, 16, 31, 64, 1000, 10**6, 2**31, 2**63, 10**30]
REALS = [0.0, -0.5, 0.5, 1.0, 1.5, 1e-12, 1e-300, 1e12, 1e300, float("inf"), float("-inf"), float("nan")]
WORDS = ["", " ", "nope", "8", "1e-3", "true", ".inf", "a\nb", "a\0b", "é" * 3000, "$x$", "../..", "*", "memory.*"]
OTHERS = [True, False, None, [], {}, [1], ["*"], [True], {"a": 1}, [[1]], datetime.date(2020, 1, 1), b"\x00"]
LABELS = ["", " ", "$", "$$", r"$\nope$", "a$b$", "_hidden", "a|b", "x" * 500, "a\nb", "∞", "K=5", "I2V", 5, True, None]
NAMES = ["Row", "a-b", "a/b", "a|b", "a.b", "", "1a", "{a}", "$(touch x)", "é", "x" * 300, "fine_name"]
DAMAGE = [
    "study: [", "\t- a", "- 1\n- 2\n", "5\n", "", "a: &a [*a]\n", "!!python/object/apply:os.system ['true']\n",
    "a: &x {b: 1}\na: *x\n", "\ufeffstudy: x\n", "study: \"\\ud800\"\n", "? [1, 2]\n: 3\n", "study: 2020-13-45\n",
    "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
    "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n", "a: " + "[" * 3000, "x: 1\nx: 2\n",
]  # fmt: skip

BASE = {
    "study": "campaign",
    "rows": ["i2v", "context_k5", "compress_hybrid_r2", "framepack_len_r8", "spatial", "spatial_cross_attn",
             "ssm_hybrid", "ssm_blockwise_v1", "ssm_blockwise_causal_v2"],
    "row_options": {"spatial": {"grid": 2, "tokens": 4}, "state_space": {"every": 1}},
    "world": {"size": 32, "train_rooms": 16, "in_domain_rooms": 4, "open_domain_rooms": 2, "identities": 2},
    "segment": {"frames": 5},
    "codec": {"channels": 8, "downsample": 8, "train_frames": 400, "options": {"whiten": 0}},
    "backbone": {"layers": 2, "heads": 2, "head_dim": 12, "ffn_dim": 48, "ray_frequencies": 2},
    "evidence": {"frames": 8},
    "train": {"steps": 20, "batch": 4, "warmup": 2},
    "evaluate": {"cases": 4, "batch": 4, "probe_cases": 4},
}  # fmt: skip
# And a row of every other family.
BASE["rows"] += [next(row for row, entry in ROWS.items() if entry["family"] == family) for family in FAMILIES
                 if family in {entry["family"] for entry in ROWS.values()}
                 and family not in {ROWS[row]["family"] for row in BASE["rows"]}]  # fmt: skip
WAN = {"kind": "wan", "channels": 4, "downsample": 8, "temporal": 4,
       "options": {"base_dim": 8, "dim_mult": [1, 2, 2, 2], "num_res_blocks": 1}}  # fmt: skip
AUTOENCODER = {"kind": "autoencoder", "channels": 4, "downsample": 8, "options": {"block_out_channels": [8, 8, 8, 8]}}


@dataclass
class Case:
    """A study and its rows, as they are mutated. repeated: lines added to the YAML of one of them."""

    study: dict[str, Any]
    rows: dict[str, Any]
    row: str
    changes: list[str] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)  # keys of the study and what they were set to
    raw: dict[str, bytes | None] = field(default_factory=dict)  # file: its bytes, or None for no such file


def _fresh(draw: random.Random) -> Case:
    study, rows = copy.deepcopy(BASE), copy.deepcopy(ROWS)
    codec = draw.choice([None, None, WAN, AUTOENCODER])
    if codec:
        study["codec"] = copy.deepcopy(codec)
    return Case(study, rows, draw.choice(study["rows"]))


def _value(draw: random.Random, model: type[BaseModel], key: str) -> Any:
    """A value for a key: near its bounds, one of its choices, or anything."""
    schema = model.model_json_schema()["properties"].get(key, {})
    near = []
    for part in [schema, *schema.get("anyOf", [])]:
        for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if name in part:
                near += [part[name], part[name] - 1, part[name] + 1, part[name] * 0.999, float(part[name])]
        near += part.get("enum", [])
        inner = part.get("items", {})
        if "enum" in inner:
            near += [[draw.choice(inner["enum"]) for _ in range(draw.randint(1, 3))]]
    if draw.random() < 0.6:
        return _plausible(draw, schema, near)
    pool = draw.choice([NUMBERS, REALS, WORDS, OTHERS, near or NUMBERS, near or REALS])
    return copy.deepcopy(draw.choice(pool))


def _plausible(draw: random.Random, schema: dict[str, Any], near: list[Any]) -> Any:
    """A value of a key's own type, near what studies hold: most are accepted, or collide with another key's."""
    kind = schema.get("type") or next((part["type"] for part in schema.get("anyOf", []) if "type" in part), "object")
    values: dict[str, list[Any]] = {
        "integer": [*range(1, 13), 16, 20, 24, 32, 40, 48, 64, 128, 1000],
        "number": [0.01, 0.1, 0.25, 0.5, 0.75, 1.0, 1.6, 3, 15.0, 75, "1e-3", "2E+0", 1e-5],
        "boolean": [True, False],
        "array": [[0], [1, 2], [0.5, 0.5], [1, 0, 0, 1], ["*"], ["memory.*"], ["*.actions.*", "memory.*"], ["i2v"],
                  ["backbone.*"], ["*.gate"], ["backbone.rays.*"], [32, 48], ["i2v", "spatial"], ["recall", "replay"]],
        "object": [{}, {"i2v": 1e-4}, {"nope": 1e-4}, {"whiten": 0.5}, {"spatial": {"grid": 3}}],
        "string": ["i2v", "context_k5", "A100-80GB", "embedded", "some/where", "a" * 40],
    }  # fmt: skip
    return copy.deepcopy(draw.choice([*values.get(kind, [None]), *near]))


def _set(case: Case, section: str, key: str, value: Any) -> None:
    if section:
        if not isinstance(case.study.get(section), dict):
            case.study[section] = {}
        case.study[section][key] = value
    else:
        case.study[key] = value
    path = f"{section}.{key}" if section else str(key)
    case.given = {known: held for known, held in case.given.items() if not known.startswith(f"{path}.")}
    case.given[path] = value
    case.changes.append(f"{path} = {value!r}")


def _sections() -> list[tuple[str, type[BaseModel]]]:
    fields = Study.model_fields
    return [(name, type(one.default)) for name, one in fields.items() if isinstance(one.default, BaseModel)]


def change_value(case: Case, draw: random.Random) -> None:
    """Another value for a key of a section, or of the top level."""
    section, model = draw.choice([*_sections() * 3, ("", Study)])
    key = draw.choice([name for name, one in model.model_fields.items() if not isinstance(one.default, BaseModel)])
    _set(case, section, key, _value(draw, model, key))


def change_section(case: Case, draw: random.Random) -> None:
    """Something else in place of a section."""
    _set(case, "", draw.choice(_sections())[0], copy.deepcopy(draw.choice([*NUMBERS, *REALS, *WORDS, *OTHERS])))


def change_option(case: Case, draw: random.Random) -> None:
    """Another value for an option of the codec."""
    kind = case.study["codec"].get("kind", "patch") if isinstance(case.study.get("codec"), dict) else "patch"
    model = OPTIONS.get(kind, OPTIONS["patch"]) if isinstance(kind, str) else OPTIONS["patch"]
    key = draw.choice([*model.model_fields, "nope", "z_dim", "latent_channels"])
    value = _value(draw, model, key) if key in model.model_fields else draw.choice(NUMBERS)
    if key in ("dim_mult", "block_out_channels", "temperal_downsample") and draw.random() < 0.6:
        one = [True, False] if key.startswith("temp") else [1, 2, 8, 12]
        value = [draw.choice(one) for _ in range(draw.randint(0, 5))]
    if isinstance(case.study.get("codec"), dict):
        options = case.study["codec"].get("options")
        case.study["codec"]["options"] = {**(options if isinstance(options, dict) else {}), key: value}
    case.changes.append(f"codec.options.{key} = {value!r}")


def unknown_key(case: Case, draw: random.Random) -> None:
    """A key that is not there, or a misspelt one."""
    section, model = draw.choice([*_sections(), ("", Study)])
    name = draw.choice(list(model.model_fields))
    key = draw.choice(["colour", f"{name}s", name.upper(), f"{name}.x", "profiles", 5, None, True])
    _set(case, section, key, draw.choice([1, "x", {}]))


def remove_key(case: Case, draw: random.Random) -> None:
    """A key less: of the study, or of a row."""
    mapping = (
        draw.choice([case.study, case.rows[case.row]]) if isinstance(case.rows.get(case.row), dict) else case.study
    )
    key = draw.choice(list(mapping))
    del mapping[key]
    case.given = {path: value for path, value in case.given.items() if path.partition(".")[0] != key}
    case.changes.append(f"without {key}")


def row_value(case: Case, draw: random.Random) -> None:
    """Another value in a row, or another key."""
    entry = case.rows.get(case.row)
    if not isinstance(entry, dict):
        return
    family = entry.get("family")
    model = settings_of(family if family in FAMILIES else FAMILIES[0])
    key = draw.choice([*model.model_fields, "colour", "Frames"])
    value = draw.choice(LABELS) if key == "label" else _value(draw, model, key)
    if key == "views" and draw.random() < 0.5:
        value = [1 / 2] * draw.choice([1, 2, 3, 40])
    entry[key] = value
    case.changes.append(f"{case.row}.{key} = {value!r}")


def row_entry(case: Case, draw: random.Random) -> None:
    """Something else in place of a row."""
    case.rows[case.row] = copy.deepcopy(draw.choice([*NUMBERS, *WORDS, *OTHERS]))
    case.changes.append(f"row {case.row} = {case.rows[case.row]!r}")


def row_name(case: Case, draw: random.Random) -> None:
    """A row by another name."""
    name = draw.choice(NAMES)
    entry = case.rows.pop(case.row, None)
    case.rows[name] = entry
    if isinstance(case.study.get("rows"), list):
        case.study["rows"] = [name if row == case.row else row for row in case.study["rows"]]
    case.changes.append(f"row {case.row} is called {name!r}")
    case.row = name


def row_options(case: Case, draw: random.Random) -> None:
    """Options of a family: known, unknown, misspelt."""
    family = draw.choice([*FAMILIES, "telepathy", 3])
    model = settings_of(family if family in FAMILIES else FAMILIES[0])
    key = draw.choice([*model.model_fields, "gird"])
    value = _value(draw, model, key)
    options = case.study.get("row_options")
    case.study["row_options"] = {**(options if isinstance(options, dict) else {}), family: {key: value}}
    case.changes.append(f"row_options.{family}.{key} = {value!r}")


def repeated_key(case: Case, draw: random.Random) -> None:
    """A key that stands twice, in the study, in a section or in the rows."""
    kind = draw.choice(["study", "section", "rows", "row"])
    if kind in ("study", "section"):
        line = "seed: 1\nseed: 2\n" if kind == "study" else "sampler: {steps: 2, steps: 3}\n"
        mapping = {key: value for key, value in case.study.items() if key not in ("seed", "sampler")}
        case.raw["study.yaml"] = (_dump(mapping) + line).encode()
    else:
        line = "i2v: {family: context, label: Other, frames: 1}\n"
        if kind == "row":
            line = "other: {family: context, family: context, label: Other, frames: 2}\n"
        case.raw["rows.yaml"] = (_dump(case.rows) + line).encode()
    case.changes.append(f"a key twice ({kind})")


def damaged_file(case: Case, draw: random.Random) -> None:
    """A file that is missing, cut or no YAML."""
    name = draw.choice(["study.yaml", "rows.yaml"])
    whole = _dump(case.study if name == "study.yaml" else case.rows)
    cut = whole[: draw.randint(1, len(whole))]
    content = draw.choice([None, b"\xff\xfe\x00", b"\x00", *(text.encode("utf-8") for text in DAMAGE), cut.encode()])
    case.raw[name] = content
    case.changes.append(f"{name} damaged: {content[:40] if content else content!r}")


MUTATIONS: dict[Callable[[Case, random.Random], None], int] = {
    change_value: 40, change_section: 4, change_option: 8, unknown_key: 5, remove_key: 4, row_value: 18, row_entry: 3,
    row_name: 3, row_options: 6, repeated_key: 3, damaged_file: 6,
}  # fmt: skip


def _dump(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)


def mutated(seed: int, number: int) -> Case:
    """Mutation ``number`` of a campaign: one change, or two."""
    draw = random.Random(f"{seed}/{number}")
    case = _fresh(draw)
    for change in draw.choices(list(MUTATIONS), list(MUTATIONS.values()), k=1 if draw.random() < 0.7 else 2):
        change(case, draw)
    return case


def _write(case: Case, folder: Path) -> None:
    for name, content in (("study.yaml", case.study), ("rows.yaml", case.rows)):
        raw = case.raw[name] if name in case.raw else _dump(content).encode("utf-8", "surrogatepass")
        if raw is not None:
            (folder / name).write_bytes(raw)


def _same(given: Any, held: Any) -> bool:
    """Whether a value was taken as it was given: a whole number may become a real one, a list a tuple."""
    if isinstance(held, BaseModel):
        return isinstance(given, dict)  # its keys are compared one by one where they were changed
    if isinstance(held, dict) and isinstance(given, dict):
        return given.keys() == held.keys() and all(_same(given[key], held[key]) for key in given)
    if isinstance(held, list | tuple) and isinstance(given, list | tuple):
        return len(given) == len(held) and all(map(_same, given, held))
    if isinstance(held, float) and isinstance(given, str):
        return float(given) == held  # 1e-3, text to YAML 1.1
    if isinstance(held, bool) or isinstance(given, bool):
        return given is held
    return given == held


def _silent_change(case: Case, study: Study) -> str:
    """The first key that holds something else than it was given; empty if none."""
    for path, value in case.given.items():
        if path in case.raw:
            continue
        held: Any = study
        for part in path.split("."):
            held = getattr(held, part)
        if not _same(value, held):
            return f"{path} holds {held!r}"
    return ""


def outcome_of(case: Case) -> tuple[str, str]:
    """What became of a case: ``accepted``, ``refused``, or what is wrong with it, and the message."""
    with tempfile.TemporaryDirectory() as folder:
        _write(case, Path(folder))
        try:
            study = load_study(Path(folder) / "study.yaml")
        except ConfigError as error:
            text = str(error)
            if "\n" in text or len(text) > 1500:
                return "not one line", text
            if not text.startswith(folder) or not error.file:
                return "no file", text
            named = error.key or ", line " in text or error.file == text.split(": ")[0]
            return ("refused", text) if named else ("no key", text)
        except Exception:
            return "trace", traceback.format_exc(limit=-3)
        changed = "" if case.raw else _silent_change(case, study)
        if changed:
            return "silent change", changed
        try:
            try_stages(study, Path(folder) / "rows.yaml", case.row if case.row in study.profiles else study.rows[0])
        except Exception:
            return "accepted, then refused", traceback.format_exc(limit=-2)
    return "accepted", ""


def campaign(count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """How many mutations came to what, and a report of each that went wrong."""
    outcomes: Counter[str] = Counter()
    wrong = []
    for number in range(count):
        case = mutated(seed, number)
        outcome, message = outcome_of(case)
        outcomes[outcome] += 1
        if outcome not in ("accepted", "refused"):
            wrong.append(f"{number}: {outcome}: {'; '.join(case.changes)[:300]}\n    {message.strip()[-600:]}")
    return outcomes, wrong


def main() -> int:
    """Run a campaign; 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    start = time.monotonic()
    outcomes, wrong = campaign(given.count, given.seed)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{given.count} mutations in {time.monotonic() - start:.0f} s")
    for outcome in ("accepted", "refused", "trace", "accepted, then refused", "silent change", "not one line",
                    "no file", "no key"):  # fmt: skip
        print(f"{outcomes[outcome]:6d}  {outcome}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

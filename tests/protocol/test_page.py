"""The page of a result holds all it needs, and says what it shows."""

from __future__ import annotations

import json
import re

from echo.protocol.page import render, shown
from echo.protocol.rows import reference_sources


def test_it_has_tables_and_videos_and_asks_nothing_of_a_network(result, cases):
    strips = shown(cases, reference_sources(cases)["copy_best"][1])
    assert len(strips) == 2 * 2 * 7 and {strip.frames for strip in strips} == {1, 16, 8}
    named = result | {"model": {"name": "<b>mine</b>"}}
    text = render(named, strips)
    assert "&lt;b&gt;mine&lt;/b&gt;" in text and "<b>mine" not in text and "/*{" not in text
    assert not re.findall(r'(?:src|href)="(?!data:)|https?:|url\(', text) and "default-src 'none'" in text
    data = json.loads(re.search(r"const strips = (\[.*?\]);\n", text).group(1))
    assert len(data) == len(strips) and all(one["source"].startswith("data:image/webp;base64,") for one in data)
    assert all(f'<canvas id="{one["id"]}">' in text for one in data)
    cell = result["rows"]["copy_first"]["branches"]["revisit_near"]["psnr"]
    assert f"{cell['mean']:.1f} <small>{cell['low']:.1f} to {cell['high']:.1f}</small>" in text
    assert "with another case's history the return loses" in text and "judge oracle" in text

"""The pretrained folder: found, checked file by file, downloaded from a real server, never half loaded."""

import hashlib
import json
import subprocess
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from echo.encoding import pretrained
from echo.encoding.pretrained import (
    PretrainedError,
    check,
    fetch,
    load_transformer,
    load_vae,
    read_manifest,
    write_manifest,
)
from echo.io.tensors import NotFiniteError
from tests.conftest import ROOT
from tests.wan_folder import SIZES, save_wan_folder, wan_study

PARTS = ("transformer", "vae", "text_encoder", "tokenizer")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save_wan_folder(tmp_path_factory.mktemp("hub") / "wan")


def copy(folder: Path, to: Path) -> Path:
    import shutil

    return Path(shutil.copytree(folder, to))


def test_a_whole_folder_is_accepted_and_every_file_is_in_the_manifest(folder, tmp_path):
    study = wan_study(folder)
    assert fetch(study, tmp_path) == folder
    manifest = write_manifest(study, folder, tmp_path / "manifest.json")
    assert read_manifest(tmp_path / "manifest.json") == folder.resolve()
    shards = [name for name in manifest["files"] if name.startswith("transformer/") and "-of-" in name]
    assert len(shards) > 1, "the test's transformer must be saved in shards"
    for name, found in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == found
    assert {name.split("/")[0] for name in manifest["files"]} == set(PARTS)


@pytest.mark.parametrize(
    "name",
    [
        "transformer/config.json",
        "transformer/diffusion_pytorch_model-00001-of-00002.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/model-00001-of-00002.safetensors",
        "tokenizer/tokenizer_config.json",
    ],
)
def test_a_missing_file_is_named_with_the_way_to_get_it(folder, tmp_path, name):
    broken = copy(folder, tmp_path / "wan")
    [found] = [p for p in broken.rglob("*") if str(p.relative_to(broken)).startswith(name.split("-0000")[0])
               and p.suffix == Path(name).suffix and "index" not in p.name][:1]  # fmt: skip
    found.unlink()
    with pytest.raises(PretrainedError) as error:
        fetch(wan_study(broken), tmp_path)
    text = str(error.value)
    assert str(found) in text and "hf download Wan-AI/Wan2.1-T2V-1.3B-Diffusers" in text and "\n" not in text


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(PretrainedError, match="absent: no such folder, expected a pretrained Wan model"):
        fetch(wan_study(tmp_path / "absent"), tmp_path)


def test_a_truncated_shard_is_named(folder, tmp_path):
    broken = copy(folder, tmp_path / "wan")
    shard = sorted((broken / "transformer").glob("*-of-*.safetensors"))[1]
    shard.write_bytes(shard.read_bytes()[:-50])
    with pytest.raises(PretrainedError, match=rf"{shard.name}: truncated or not a safetensors file"):
        check(broken, ("transformer",), "remedy")


def test_a_weight_too_few_is_an_error_and_never_a_random_weight(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    broken = copy(folder, tmp_path / "wan")
    path = broken / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    removed = sorted(tensors)[0]
    tensors.pop(removed)
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(PretrainedError, match=f"missing keys, the first {removed}"):
        load_vae(broken)


def test_sharded_weights_are_loaded_whole(folder):
    torch.manual_seed(0)
    from diffusers import WanTransformer3DModel

    expected = WanTransformer3DModel(**SIZES).state_dict()
    loaded = load_transformer(folder).state_dict()
    assert loaded.keys() == expected.keys()
    assert [name for name in loaded if not torch.equal(loaded[name], expected[name])] == []


class Hub(BaseHTTPRequestHandler):
    """As much of a model hub as a download asks for. ``stop_after`` files are served, then connections break."""

    def __init__(self, *arguments, root: Path, served: list, stop_after: int):
        self.root, self.served, self.stop_after = root, served, stop_after
        super().__init__(*arguments)

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, body: bool):
        path = self.path.split("?")[0]
        if path.startswith("/api/models/"):
            files = sorted(str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file())
            if "/tree/" in path:
                tree = [{"type": "file", "path": name, "size": (self.root / name).stat().st_size, "oid": "0" * 40}
                        for name in files]  # fmt: skip
                return self._send(json.dumps(tree).encode(), body)
            about = {"id": "org/wan", "sha": "a" * 40, "siblings": [{"rfilename": name} for name in files]}
            return self._send(json.dumps(about).encode(), body)
        name = path.split("/resolve/")[1].split("/", 1)[1]
        content = (self.root / name).read_bytes()
        if body:
            if len(self.served) >= self.stop_after:
                return self.connection.close()
            self.served.append(name)
        self._send(content, body, {"X-Repo-Commit": "a" * 40, "ETag": f'"{hashlib.sha256(content).hexdigest()}"'})

    def _send(self, content: bytes, body: bool, extra: dict | None = None):
        self.send_response(200)
        for key, value in {"Content-Length": str(len(content)), **(extra or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *arguments):
        pass


FETCH = """
import sys
from pathlib import Path
from echo.encoding.pretrained import PretrainedError, fetch
from tests.wan_folder import wan_study
try:
    print(fetch(wan_study(None), Path(sys.argv[1])))
except PretrainedError as error:
    print("refused:", error)
"""


def download(server, resources: Path) -> str:
    import os

    environment = {**os.environ, "HF_ENDPOINT": server, "HF_HUB_DOWNLOAD_TIMEOUT": "2", "HF_HUB_DISABLE_XET": "1",
                   "HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(ROOT),
                   "HF_HOME": str(resources / "home")}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", FETCH, str(resources)], capture_output=True, text=True, cwd=ROOT,
                          env=environment, timeout=120, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def serve(folder: Path, served: list, stop_after: int = 1000) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, root=folder, served=served, stop_after=stop_after))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def test_a_download_is_whole_and_not_repeated(folder, tmp_path):
    served: list = []
    server = serve(folder, served)
    try:
        found = Path(download(f"http://127.0.0.1:{server.server_port}", tmp_path))
        assert found.name == "org--wan@aaaaaaaaaaaa" and found.parent == tmp_path
        for part in PARTS:
            for path in (folder / part).iterdir():
                assert (found / part / path.name).read_bytes() == path.read_bytes()
        assert not (found / "scheduler").exists(), "only what the study needs is downloaded"
        first = len(served)
        assert Path(download(f"http://127.0.0.1:{server.server_port}", tmp_path)) == found
        assert len(served) == first
    finally:
        server.shutdown()


def test_an_interrupted_download_goes_on(folder, tmp_path):
    served: list = []
    server = serve(folder, served, stop_after=4)
    refused = download(f"http://127.0.0.1:{server.server_port}", tmp_path)
    server.shutdown()
    assert refused.startswith("refused: pretrained.repo = org/wan: the download to") and "run it again" in refused
    again: list = []
    server = serve(folder, again)
    download(f"http://127.0.0.1:{server.server_port}", tmp_path)
    server.shutdown()
    wanted = sum(1 for part in PARTS for _ in (folder / part).iterdir()) + 1
    assert len(again) < wanted, "what had arrived is not asked for again"


def test_without_a_network_one_line_says_what_to_do(tmp_path):
    refused = download("http://127.0.0.1:9", tmp_path)
    assert refused.startswith("refused: pretrained.repo = org/wan: the download to")
    assert "copy the folder and set pretrained.path" in refused and "hf download org/wan --revision aaaa" in refused


def test_a_manifest_that_is_gone_is_named(tmp_path):
    with pytest.raises(PretrainedError, match="no manifest of a pretrained model there"):
        read_manifest(tmp_path / "absent.json")
    (tmp_path / "m.json").write_text(json.dumps({"folder": str(tmp_path / "gone"), "files": {}}))
    with pytest.raises(PretrainedError, match="which is gone"):
        read_manifest(tmp_path / "m.json")


def test_a_file_that_differs_from_the_manifest_is_named(folder, tmp_path):
    """Of the parts that are about to be loaded; the others' files are not read."""
    changed = copy(folder, tmp_path / "wan")
    write_manifest(wan_study(changed), changed, tmp_path / "m.json")
    path = changed / "vae" / "diffusion_pytorch_model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert read_manifest(tmp_path / "m.json", "transformer", "text_encoder", "tokenizer") == changed.resolve()
    with pytest.raises(PretrainedError, match=rf"{path.name}: sha256 is \w+..., expected \w+... as in .*m.json"):
        read_manifest(tmp_path / "m.json", "vae")
    path.unlink()
    with pytest.raises(PretrainedError, match=f"{path.name} is missing, but .*m.json lists it"):
        read_manifest(tmp_path / "m.json", "vae")


def test_weights_that_are_not_finite_are_refused(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    broken = copy(folder, tmp_path / "wan")
    path = broken / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    name = sorted(tensors)[0]
    tensors[name].view(-1)[0] = float("inf")
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(NotFiniteError, match=rf"vae: 1 of \d+ values of {name} are not finite"):
        load_vae(broken)


def test_contents_do_not_depend_on_where_the_folder_lies(folder, tmp_path):
    copied = copy(folder, tmp_path / "elsewhere")
    write_manifest(wan_study(folder), folder, tmp_path / "a.json")
    write_manifest(wan_study(copied), copied, tmp_path / "b.json")
    assert pretrained.contents(tmp_path / "a.json") == pretrained.contents(tmp_path / "b.json") != ""
    assert pretrained.contents(None) == ""

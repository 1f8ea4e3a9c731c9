"""Models come from a hub or a carried folder: resumed, checked, without pickle; and are checked again when loaded."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from core.config import ModelsConfig, load_config
from core.errors import BackendUnavailable, ConfigError, ModelRefused, NotFound, PolicyDeskError, StorageFull
from core.model_convert import convert_weights
from core.model_fetch import FetchOptions, fetch_model
from core.model_source import HubSource, LocalSource, hub_client
from core.model_store import (
    KNOWN,
    SOURCE,
    SUMS,
    ModelFolder,
    best_embedder,
    check_model,
    check_safetensors,
    stored_models,
    write_sums,
)
from core.models import Kind, choose_embedder, choose_reranker
from tests.http_servers import Hub

ROOT = Path(__file__).resolve().parent.parent
OPTIONS = FetchOptions(False, 1, 0, lambda more, total: None)

# torch.save (2.13) of an OrderedDict: a linear layer's weight and bias, the weight again under another name, bfloat16,
# int64, a slice that starts inside its storage, a Parameter
TORCH_FILE = zlib.decompress(base64.b64decode(
    "eNqlVl1v21QYPnFSJ81Km46PdgW68THIoEtjO3HadWsyC/nGSLThQxE3kZt4scGN+9on3cY0qRLKgLvxA0DcICHxA3bJtCskrkDjDqFJXABX"
    "/ACkiXPsNPM5Ja2aOnJOEp/n4xy/7xNvGMkUQpkMOnDk0Glk+i3b2bWW2yY2Czsfu7o2jT5kjj2h1fJc12phx+sG2Xf8tuVb7becFs4CulCH"
    "RL4hErLrltOxMQgt7BHKQrOHHTfINn1rq+e47Sa2uoHnN3flLCTz+UaaIAIy0+xYkIogWd31TPxu9GMWJhoJMqcIYiNJxtZOD9JGCkNm00BG"
    "wkjdgUkjZSTuQPYLm7o4hWGqDk81yFLRlmMGMG0THTtlRzwSzNhpI4EhF+L7MEvfTkfYpzE8U4dnQyx2rDY8Z0dEtuleg7mIaGBSC11K6tDn"
    "fMgvwxnCL2BYoPxCH56n/C9E/C9iWKzD2XAhTjuAcwzj2163M2R7KWRT4GXClsTwCmVL9uFVynY+YnsNw+t1iDY9sFpetw0XmLWW4A2CFjG8"
    "uWkIFL1E0RcjdAHDch2KjQkyccf0zW2QRtyx8KqFLT8LMsNfBiVaa2mw1jLlVyP+CoaVOqx+Hn659Bms1eFy7zZcaUwSZJPwmbTSYD28Xm3Q"
    "MoTabbgaVsSu5QekyEAzEkEQbBU2jHTmox9nJm8JCNFzY2Qpz6HasJQL1zx/28TNAZuuXeYq+niHRF3c++e3T+na6TnaxQKqPHExKO+m6Tqd"
    "7rbVxbqmjGNELVED1evwN9kBJBxqYBZVhwa2bmLLo82qa2sn2QDXwdi1qIf+lT/O0KoTD/UwjdaZVFku6tqlExgglFWE9n4gY42M69TJ99/d"
    "OpsLE+xwJyXWiaRrRTSGfqh578H5RzQUUkdo1lhN+aT1d7967j7V/7b3++4Y+spJ9dMD5n2xycFIPSk3+4/nyef5IzwtsZ5KupZHx9h/cuxV"
    "o/tfozVAzm9qVH/u7p9fjqFfPp4+1d6rUr27m+KvmcFejNabQWtDvWEIVca9CUqWKv/8def9o/t/EclPAihcamD5DkmgT0z679102rpWOKYR"
    "SVZXympFWVVX1RJ5yaokScVSUVmRlbJaltVKWZJWSjJ1+dWN3OM88ZEPXSaEsG4GPuNBnjvgnH8O4dHxAJ5jkD8JaFT08yTxEF1gSDaT6JDk"
    "5nniQTjL8PwS4xkGMA+Pp9c0A/8ghbjsPLAPsRRisY94rMRj4wnCYt+b4LAyj413Oot9yGMVHhvvUhZrixy2xGPjHcdi/+KxZR4b75kZBkuf"
    "NrgO5cHxUl5k73EM/P9NtmGI4tJ+SyYvDpFT3PivEI03MvuRKoZpG5yKvkdPGxNihJkK50dz/wPjQ5+w"
))


def tensors_file(*values: float, name: str = "weight") -> bytes:
    """A safetensors file with one float32 vector."""
    data = struct.pack(f"<{len(values)}f", *values)
    header = json.dumps({name: {"dtype": "F32", "shape": [len(values)], "data_offsets": [0, len(data)]}}).encode()
    return struct.pack("<Q", len(header)) + header + data


def small_model() -> dict[str, bytes]:
    """The files of a small model's repository, with those that nobody needs."""
    weights = tensors_file(*range(50_000))
    return {
        ".gitattributes": b"*.bin filter=lfs\n",
        "config.json": json.dumps({"architectures": ["BertModel"]}).encode(),
        "modules.json": json.dumps([{"type": "sentence_transformers.models.Transformer"}]).encode(),
        "1_Pooling/config.json": b"{}",
        "README.md": "说明".encode(),
        "model.safetensors": weights,
        "pytorch_model.bin": TORCH_FILE,
        "onnx/model.json": b"{}",
        "imgs/long.jpg": b"\xff\xd8",
        "optimizer.pt": TORCH_FILE,
    }


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def settings() -> ModelsConfig:
    return load_config().models.model_copy(update={"answer_seconds": 5.0})


Fetch = Callable[..., ModelFolder]


@pytest.fixture
def fetch(tmp_path: Path, settings: ModelsConfig) -> Fetch:
    def fetch(address: str, repo: str = "BAAI/bge-small-zh-v1.5", name: str = "bge-small-zh", *,
              options: FetchOptions = OPTIONS) -> ModelFolder:
        with hub_client(settings) as client:
            return fetch_model(HubSource(client, address, repo), name, tmp_path / "models", options)

    return fetch


def taken(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


# fetching


def test_a_model_is_brought_without_what_nobody_needs(fetch: Fetch, tmp_path: Path) -> None:
    with Hub(small_model()).serve() as address:
        model = fetch(address)
    assert taken(model.path) == {
        "config.json", "modules.json", "1_Pooling/config.json", "README.md", "model.safetensors", SOURCE, SUMS,
    }
    assert (model.repo, model.revision) == ("BAAI/bge-small-zh-v1.5", "a" * 40)
    assert taken(tmp_path / "models") == {f"bge-small-zh/{name}" for name in taken(model.path)}


def test_the_manifest_is_one_that_sha256sum_checks(fetch: Fetch) -> None:
    if not shutil.which("sha256sum"):
        pytest.skip("sha256sum is not installed")
    with Hub(small_model()).serve() as address:
        model = fetch(address)
    subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=model.path, capture_output=True, check=True)


def test_what_is_there_is_not_brought_again(fetch: Fetch) -> None:
    hub = Hub(small_model())
    with hub.serve() as address:
        first = fetch(address)
        hub.asked.clear()
        assert fetch(address) == first
    assert hub.asked == []


def test_a_damaged_model_is_brought_again(fetch: Fetch) -> None:
    with Hub(small_model()).serve() as address:
        model = fetch(address)
        (model.path / "model.safetensors").write_bytes(tensors_file(1.0))
        assert fetch(address) == model


def test_a_new_revision_replaces_the_old_one(fetch: Fetch) -> None:
    files = small_model()
    with Hub(files).serve() as address:
        old = fetch(address)
    del files["README.md"]
    with Hub({**files, "model.safetensors": tensors_file(2.0)}, revision="b" * 40).serve() as address:
        new = fetch(address)
    assert (new.revision, new.digest != old.digest) == ("b" * 40, True)
    assert "README.md" not in taken(new.path)


def test_a_connection_that_breaks_is_taken_up_where_it_broke(fetch: Fetch) -> None:
    hub = Hub(small_model(), cut={"model.safetensors": [70_000]}, busy=1)
    with hub.serve() as address:
        fetch(address, options=FetchOptions(False, 2, 0, lambda more, total: None))
    assert [wanted for name, wanted in hub.asked if name == "model.safetensors"] == ["", "bytes=70000-"]


def test_a_later_run_goes_on_where_an_earlier_one_gave_up(fetch: Fetch) -> None:
    hub = Hub(small_model(), cut={"model.safetensors": [70_000, 0, 0, 0]})
    with hub.serve() as address:
        with pytest.raises(BackendUnavailable, match=r"model\.safetensors.*已有 70000 / 200\d+ 字节.*接着下载"):
            fetch(address)
        hub.cut.clear()
        hub.asked.clear()
        fetch(address)
    assert hub.asked == [("model.safetensors", "bytes=70000-")]


def test_a_server_without_ranges_is_read_from_the_start(fetch: Fetch) -> None:
    hub = Hub(small_model(), cut={"model.safetensors": [70_000]}, ranges=False)
    with hub.serve() as address:
        model = fetch(address, options=FetchOptions(False, 2, 0, lambda more, total: None))
    assert (model.path / "model.safetensors").read_bytes() == hub.files["model.safetensors"]


def test_progress_adds_up_to_the_whole(fetch: Fetch) -> None:
    seen: list[tuple[int, int]] = []
    with Hub(small_model(), cut={"model.safetensors": [70_000]}, ranges=False).serve() as address:
        fetch(address, options=FetchOptions(False, 2, 0, lambda more, total: seen.append((more, total))))
    assert sum(more for more, _ in seen) == seen[-1][1]


def test_a_part_of_another_revision_is_not_continued(fetch: Fetch) -> None:
    hub = Hub(small_model(), cut={"model.safetensors": [70_000, 0, 0]})
    with hub.serve() as address, pytest.raises(BackendUnavailable):
        fetch(address)
    other = Hub({**small_model(), "model.safetensors": tensors_file(*range(60_000))}, revision="c" * 40)
    with other.serve() as address:
        model = fetch(address)
    assert ("model.safetensors", "") in other.asked
    assert (model.path / "model.safetensors").read_bytes() == other.files["model.safetensors"]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_wrong_checksum_is_refused_and_nothing_is_kept(fetch: Fetch, tmp_path: Path, name: str) -> None:
    files = small_model()
    changed = files[name][:-1] + bytes([files[name][-1] ^ 1])
    hub = Hub(files, changed={name: changed})
    with hub.serve() as address:
        with pytest.raises(ModelRefused, match=rf"{name}.*校验值不符"):
            fetch(address)
        assert not (tmp_path / "models" / "bge-small-zh").exists()
        hub.changed.clear()
        assert fetch(address).path.is_dir()


def test_more_bytes_than_promised_are_refused(fetch: Fetch) -> None:
    files = small_model()
    hub = Hub(files, changed={"model.safetensors": files["model.safetensors"] + b"more"})
    with hub.serve() as address, pytest.raises(ModelRefused, match="长，已丢弃"):
        fetch(address)


def test_sizes_and_checksums_may_stand_in_the_headers_of_files(fetch: Fetch) -> None:
    files = small_model()
    hub = Hub(files, bare_list=True)
    with hub.serve() as address:
        model = fetch(address)
        assert (model.path / "model.safetensors").read_bytes() == files["model.safetensors"]
        shutil.rmtree(model.path)
        hub.changed["model.safetensors"] = files["model.safetensors"][:-1] + b"x"
        with pytest.raises(ModelRefused, match="校验值不符"):
            fetch(address)


def test_a_server_without_any_checksum_is_refused(fetch: Fetch) -> None:
    with Hub(small_model(), bare_list=True, no_tags=True).serve() as address:
        with pytest.raises(ModelRefused, match=r"没有给出.*校验值"):
            fetch(address)


def test_an_unknown_model_is_named(fetch: Fetch) -> None:
    with Hub(small_model()).serve() as address, pytest.raises(NotFound, match=r"没有 BAAI/nothing.*404"):
        fetch(address, "BAAI/nothing", "nothing")


def test_a_hub_that_does_not_answer_is_named(fetch: Fetch) -> None:
    with Hub(small_model()).serve() as address:
        pass
    with pytest.raises(BackendUnavailable, match=rf"{address}.*models\.hub"):
        fetch(address)


def test_a_password_in_the_address_is_not_repeated(fetch: Fetch) -> None:
    with Hub(small_model()).serve() as address:
        with_password = address.replace("//", "//desk:geheim@")
        model = fetch(with_password)
        assert "geheim" not in (model.path / SOURCE).read_text(encoding="utf-8")
        with pytest.raises(NotFound) as caught:
            fetch(with_password, "BAAI/nothing", "nothing")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("name", ["../outside.json", "/etc/outside.json", "a\\b.json", "C:outside.json"])
def test_a_file_name_that_leads_out_of_the_folder_is_refused(fetch: Fetch, name: str) -> None:
    with Hub({**small_model(), name: b"{}"}).serve() as address, pytest.raises(ModelRefused, match="文件夹之外"):
        fetch(address)


def test_a_disk_too_small_is_told_before_anything_is_brought(fetch: Fetch) -> None:
    hub = Hub(small_model())
    with hub.serve() as address, pytest.raises(StorageFull, match=r"storage\.min_free_mb.*没有下载"):
        fetch(address, options=FetchOptions(False, 1, 10**9, lambda more, total: None))
    assert hub.asked == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here, the device that is always full")
def test_a_disk_that_fills_up_is_named_and_what_came_is_kept(fetch: Fetch, tmp_path: Path) -> None:
    hub = Hub(small_model())
    work = tmp_path / "models" / ".bge-small-zh.partial"
    work.mkdir(parents=True)
    checksum = hashlib.sha256(hub.files["model.safetensors"]).hexdigest()
    (work / f"{checksum}.part").symlink_to("/dev/full")
    with hub.serve() as address, pytest.raises(StorageFull, match=r"已满.*接着下载"):
        fetch(address)
    assert (work / "files" / "config.json").is_file()


def test_a_folder_that_cannot_be_written_is_named(fetch: Fetch, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file", encoding="utf-8")
    with Hub(small_model()).serve() as address, pytest.raises(PolicyDeskError, match=r"models\.folder"):
        fetch(address)


# pickle and programs


def test_weights_that_are_only_pickle_are_refused(fetch: Fetch) -> None:
    files = small_model()
    del files["model.safetensors"]
    hub = Hub(files)
    with hub.serve() as address, pytest.raises(ModelRefused, match=r"只有 pickle（pytorch_model\.bin）.*--convert"):
        fetch(address)
    assert hub.asked == []


def test_pickled_weights_are_converted_when_asked(fetch: Fetch) -> None:
    files = small_model()
    del files["model.safetensors"]
    with Hub(files).serve() as address:
        model = fetch(address, options=FetchOptions(True, 1, 0, lambda more, total: None))
    assert "model.safetensors" in taken(model.path)
    assert not any(name.endswith((".bin", ".pt")) for name in taken(model.path))
    assert read_tensors(model.path / "model.safetensors")["bias"] == ("F32", [1], struct.pack("<f", 0.125))


def test_bge_m3_is_converted_unasked_with_its_two_heads(fetch: Fetch) -> None:
    files = {**small_model(), "colbert_linear.pt": TORCH_FILE, "sparse_linear.pt": TORCH_FILE}
    del files["model.safetensors"]
    with Hub(files, repo="BAAI/bge-m3").serve() as address:
        model = fetch(address, "BAAI/bge-m3", "bge-m3")
    assert model.is_m3
    assert {"model.safetensors", "colbert_linear.safetensors", "sparse_linear.safetensors"} <= taken(model.path)
    assert not any(name.endswith((".bin", ".pt")) for name in taken(model.path))


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("evil-was-here",)


def zipped(pickled: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        zipped(pickle.dumps(Evil(), protocol=2)),
        zipped(pickle.dumps({"weight": Evil()}, protocol=2)),
        zipped(b"\x80\x02r\xff\xff\xff\xfe."),                       # a memo of 64 GB
        zipped(pickle.dumps({"weight": [1.0]}, protocol=2)),
        zipped(b""),
        pickle.dumps(Evil()),
        TORCH_FILE[:-300],
        TORCH_FILE.replace(b"\x00\x00\x00\x3f", b"", 1),
        b"",
    ],
)
def test_a_pickle_that_is_more_than_weights_is_refused_unrun(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.bin").write_bytes(data)
    with pytest.raises(ModelRefused, match=r"weights\.bin"):
        convert_weights(tmp_path / "weights.bin", tmp_path / "out.safetensors")
    assert not (tmp_path / "evil-was-here").exists()


def read_tensors(file: Path) -> dict[str, tuple[str, list[int], bytes]]:
    data = file.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    body = data[8 + length :]
    return {
        name: (row["dtype"], row["shape"], body[slice(*row["data_offsets"])])
        for name, row in json.loads(data[8 : 8 + length]).items() if name != "__metadata__"
    }


def test_conversion_keeps_every_tensor_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(TORCH_FILE)
    convert_weights(tmp_path / "weights.bin", tmp_path / "out.safetensors")
    check_safetensors(tmp_path / "out.safetensors")
    weight = ("F32", [1, 4], struct.pack("<4f", 0.5, -1, 2, 0.25))
    assert read_tensors(tmp_path / "out.safetensors") == {
        "weight": weight, "bias": ("F32", [1], struct.pack("<f", 0.125)), "tied": weight,
        "half": ("BF16", [2], bytes.fromhex("c03f20c0")), "ids": ("I64", [3], struct.pack("<3q", 7, 8, 9)),
        "second": ("F32", [3], struct.pack("<3f", 2, 3, 4)), "param": ("F32", [2], struct.pack("<2f", 1, 1)),
    }


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("modeling_x.py", b"print()"),
        ("config.json", b'{"auto_map": {"AutoModel": "modeling_x.Model"}}'),
        ("modules.json", b'[{"type": "os.system"}]'),
        ("model.safetensors", pickle.dumps([1, 2])),
        ("config.json", b"{"),
    ],
)
def test_a_model_that_needs_a_program_or_lies_about_its_format_is_refused(
    fetch: Fetch, tmp_path: Path, name: str, data: bytes
) -> None:
    with Hub({**small_model(), name: data}).serve() as address, pytest.raises(ModelRefused, match=name):
        fetch(address)
    assert not (tmp_path / "models" / "bge-small-zh").exists()


# carried folders


def test_a_carried_repository_becomes_the_same_model_as_a_fetched_one(fetch: Fetch, tmp_path: Path) -> None:
    with Hub(small_model()).serve() as address:
        fetched = fetch(address)
    disk = tmp_path / "disk" / "bge-small-zh-v1.5"
    for name, data in small_model().items():
        (disk / name).parent.mkdir(parents=True, exist_ok=True)
        (disk / name).write_bytes(data)
    source = LocalSource(disk, "BAAI/bge-small-zh-v1.5")
    carried = fetch_model(source, "bge-small-zh", tmp_path / "other", OPTIONS)
    assert (carried.name, carried.repo) == (fetched.name, fetched.repo)


def test_a_carried_model_folder_keeps_its_origin_and_must_match_its_manifest(fetch: Fetch, tmp_path: Path) -> None:
    with Hub(small_model()).serve() as address:
        fetched = fetch(address)
    carried = fetch_model(LocalSource(fetched.path, ""), "bge-small-zh", tmp_path / "other", OPTIONS)
    assert (carried.digest, carried.revision) == (fetched.digest, fetched.revision)
    (fetched.path / "model.safetensors").write_bytes(tensors_file(*range(49_999), 7))
    with pytest.raises(ModelRefused, match="校验值不符"):
        fetch_model(LocalSource(fetched.path, ""), "bge-small-zh", tmp_path / "third", OPTIONS)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nowhere.*--from"):
        fetch_model(LocalSource(tmp_path / "nowhere", ""), "bge-small-zh", tmp_path, OPTIONS)


# loading and choosing


def store(folder: Path, name: str, *, files: dict[str, bytes] | None = None) -> Path:
    wanted = {"config.json": b"{}", "model.safetensors": tensors_file(1.0)} if files is None else files
    for file, data in wanted.items():
        (folder / name / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / file).write_bytes(data)
    return folder / name


def change(path: Path) -> None:
    (path / "model.safetensors").write_bytes(tensors_file(2.0))


def add(path: Path) -> None:
    (path / "tokenizer.json").write_text("{}", encoding="utf-8")


def remove(path: Path) -> None:
    (path / "model.safetensors").unlink()


def add_pickle(path: Path) -> None:
    (path / "extra.bin").write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "found"),
    [(change, "model.safetensors 内容不同"), (add, "tokenizer.json 不在清单中"), (remove, "缺 model.safetensors"),
     (add_pickle, "extra.bin 是 pickle")],
)
def test_a_model_that_changed_since_it_was_fetched_is_refused(
    damage: Callable[[Path], None], found: str, tmp_path: Path
) -> None:
    path = store(tmp_path, "m")
    write_sums(path)
    assert check_model(path, key="index.embedder").path == path
    damage(path)
    with pytest.raises(ModelRefused, match=found):
        check_model(path, key="index.embedder")


def test_a_name_holds_the_content_and_not_its_readme_or_origin(tmp_path: Path) -> None:
    one = check_model(store(tmp_path / "a", "m"), key="k")
    store(tmp_path / "b", "m")
    (tmp_path / "b" / "m" / "README.md").write_text("说明", encoding="utf-8")
    write_sums(tmp_path / "b" / "m")
    two = check_model(tmp_path / "b" / "m", key="k")
    change(tmp_path / "a" / "m")
    three = check_model(tmp_path / "a" / "m", key="k")
    assert one.name == two.name != three.name


def test_a_folder_without_a_model_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"search\.reranker.*models list"):
        check_model(tmp_path, key="search.reranker")


def test_auto_takes_the_best_there_is(tmp_path: Path) -> None:
    assert best_embedder(tmp_path / "nowhere") is None
    assert choose_embedder("auto", tmp_path).kind is Kind.BUILT_IN
    store(tmp_path, "bge-reranker-v2-m3")
    assert choose_embedder("auto", tmp_path).kind is Kind.BUILT_IN
    store(tmp_path, "bge-small-zh")
    assert choose_embedder("auto", tmp_path).place == str(tmp_path / "bge-small-zh")
    store(tmp_path, "bge-m3")
    chosen = choose_embedder("auto", tmp_path)
    assert (chosen.kind, str(chosen)) == (Kind.FOLDER, f"bge-m3（{tmp_path / 'bge-m3'}）")


def test_a_word_is_a_name_in_the_models_folder_or_a_path(tmp_path: Path) -> None:
    elsewhere = store(tmp_path / "elsewhere", "mine")
    assert choose_embedder(str(elsewhere), tmp_path).place == str(elsewhere)
    assert choose_reranker("bge-m3", tmp_path).place == str(tmp_path / "bge-m3")
    assert choose_reranker("vllm:http://10.0.0.5:8000#rerank", tmp_path).place == "http://10.0.0.5:8000#rerank"
    assert choose_reranker("none", tmp_path).kind is Kind.NONE


def test_every_known_model_is_in_the_documentation() -> None:
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    assert [model.name for model in KNOWN if f"`{model.name}`" not in page or model.licence not in page] == []


def test_models_are_listed_with_size_and_origin(fetch: Fetch, tmp_path: Path) -> None:
    with Hub(small_model()).serve() as address:
        model = fetch(address)
    store(tmp_path / "models", "mine")
    (tmp_path / "models" / "notes").mkdir()
    rows = stored_models(tmp_path / "models")
    assert [(row.name, row.revision, row.use) for row in rows] == [
        ("bge-small-zh", model.revision, "index.embedder"), ("mine", "", ""),
    ]
    assert rows[0].size > 200_000


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "policydesk", "models", *arguments]
    return subprocess.run(
        program, cwd=cwd, capture_output=True, encoding="utf-8", env={**os.environ, "PYTHONPATH": str(ROOT)}
    )


def test_the_commands_bring_and_list_a_model(tmp_path: Path) -> None:
    with Hub(small_model()).serve() as address:
        done = run("fetch", "bge-small-zh", "--from", address, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["revision"] == "a" * 40
    listed = run("list", "--check", cwd=tmp_path)
    assert listed.stdout.startswith("bge-small-zh  0 MB  BAAI/bge-small-zh-v1.5 aaaaaaaaaaaa")
    assert "auto 会用 bge-small-zh" in listed.stderr
    without = run("fetch", "bge-m3", cwd=tmp_path)
    assert (without.returncode, "models.hub" in without.stderr) == (1, True)

"""One configuration: shipped file, overlay, environment; and every mistake named with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from core.config import SHIPPED, Config, load_config, show_config
from core.errors import ConfigError

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def keys(tree: dict[str, object], above: str = "") -> list[str]:
    out = []
    for key, value in tree.items():
        out.append(f"{above}{key}")
        if isinstance(value, dict) and key != "names":
            out += keys(value, f"{above}{key}.")
    return out


def test_the_shipped_file_holds_every_key_and_no_other() -> None:
    shipped = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    assert sorted(keys(shipped)) == sorted(keys(load_config().model_dump(mode="json")))


def test_every_key_has_a_comment() -> None:
    """Sections, and a key whose name and value say it all, need none."""
    plain = {"max_archive_members", "host", "port"}
    lines = SHIPPED.read_text(encoding="utf-8").split("\nregions:")[0].splitlines()
    bare = {line.split(":")[0].strip() for line in lines if ":" in line.split("#")[0] and "#" not in line}
    assert {name for name in bare if name not in plain and name not in Config.model_fields} == set()


def test_an_overlay_changes_only_what_it_names(write: Write) -> None:
    config = load_config(write("search: {top: 3}\nhome: /tmp/elsewhere\n"))
    shipped = load_config()
    assert (config.search.top, config.home) == (3, Path("/tmp/elsewhere"))
    assert config.search.candidates == shipped.search.candidates
    assert config.answer == shipped.answer


def test_the_environment_goes_before_the_overlay(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLICYDESK_SEARCH__TOP", "7")
    monkeypatch.setenv("POLICYDESK_HOME", "/tmp/by-environment")
    config = load_config(write("search: {top: 3}"))
    assert (config.search.top, config.home) == (7, Path("/tmp/by-environment"))


@pytest.mark.parametrize(
    ("text", "found", "nearest"),
    [
        ("search: {topp: 3}", "search.topp", "search.top"),
        ("serch: {top: 3}", "serch", "search"),
        ("index: {bigram: true}", "index.bigram", "index.bigrams"),
        ("storage: {min_free: 1}", "storage.min_free", "storage.min_free_mb"),
    ],
)
def test_an_unknown_key_in_a_file_is_named_with_the_nearest(
    write: Write, text: str, found: str, nearest: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write(text))
    assert "mine.yaml" in str(caught.value)
    assert f"没有 {found} 这个键；最接近的是 {nearest}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "found", "nearest"),
    [
        ("POLICYDESK_SEARCH__TOPP", "search.topp", "search.top"),
        ("POLICYDESK_SERCH__TOP", "serch.top", "search.top"),
        ("policydesk_hoem", "hoem", "home"),
    ],
)
def test_an_unknown_variable_is_named_with_the_nearest_key(
    monkeypatch: pytest.MonkeyPatch, name: str, found: str, nearest: str
) -> None:
    monkeypatch.setenv(name, "3")
    with pytest.raises(ConfigError, match=f"POLICYDESK_|{name}") as caught:
        load_config()
    assert f"没有 {found} 这个键；最接近的是 {nearest}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("search: {top: many}", "search.top = 'many'"),
        ("search: {top: 0}", "search.top = 0"),
        ("index: {b: 1.5}", "index.b = 1.5"),
        ("index: {tokenizer: hanlp}", "index.tokenizer = 'hanlp'"),
        ("storage: {vectors: ftp://x}", "storage.vectors = 'ftp://x'"),
        ("regions: {home: '9001'}", "regions.home = '9001'"),
        ("regions: {home: '９００１００'}", "regions.home"),
        ("regions: {names: {440300: 深圳市}}", "regions.names.440300"),
        ("ui: {port: 70000}", "ui.port = 70000"),
        ("search: 3", "search 应含有下级键 top"),
        ("search: [top]", "search 应含有下级键 top"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(write: Write, text: str, path: str) -> None:
    with pytest.raises(ConfigError, match=r"mine\.yaml") as caught:
        load_config(write(text))
    assert path in str(caught.value)


def test_a_wrong_value_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLICYDESK_SEARCH__TOP", "many")
    with pytest.raises(ConfigError, match=r"POLICYDESK_\*.*search\.top = 'many'"):
        load_config()


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words", "a: [", "\x00"])
def test_a_file_that_is_no_mapping_is_named(write: Write, text: str) -> None:
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        load_config(write(text))


def test_a_file_in_another_encoding_or_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    with pytest.raises(ConfigError, match="--config"):
        load_config(path)
    path.write_bytes("regions: {home: 上海}".encode("gbk"))
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(path)


def test_regions_may_gain_names(write: Write) -> None:
    names = load_config(write("regions: {names: {'440300': 深圳市, '900100': 新名市}}")).regions.names
    assert (names["440300"], names["900100"], names["310000"]) == ("深圳市", "新名市", "上海市")


def test_secrets_are_masked_wherever_the_configuration_is_shown(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLICYDESK_STORAGE__VECTORS_API_KEY", "geheim-1")
    config = load_config(write("storage: {database: 'postgresql://desk:geheim-2:@x@db.local/policies'}"))
    assert config.storage.vectors_api_key.get_secret_value() == "geheim-1"
    shown = show_config(config)
    assert "geheim" not in shown + repr(config.storage.vectors_api_key)
    assert "postgresql://desk:**********@db.local/policies" in shown
    assert yaml.safe_load(shown)["search"]["top"] == config.search.top


def test_a_secret_of_the_wrong_type_is_not_repeated_in_the_message(write: Write) -> None:
    with pytest.raises(ConfigError, match=r"storage\.vectors_api_key") as caught:
        load_config(write("storage: {vectors_api_key: 8675309}"))
    assert "8675309" not in str(caught.value)


def test_a_configuration_does_not_change(config: Config) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        config.search.top = 3

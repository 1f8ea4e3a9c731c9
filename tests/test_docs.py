"""The documentation is complete: every verb, option and key is in it, and every link leads somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
import yaml

from policydesk.cli import app

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
SHIPPED = (ROOT / "config.yaml").read_text(encoding="utf-8")
TOP_FOLDERS = ("", "docs", "data_samples", *(file.parent.name for file in sorted(ROOT.glob("*/__init__.py"))))
PAGES = sorted({page for folder in TOP_FOLDERS for page in (ROOT / folder).glob("*.md")})
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")


def verbs() -> dict[str, list[str]]:
    """"eval retrieval" -> its options; hidden ones are left out."""
    found: dict[str, list[str]] = {}

    def walk(command: object, name: str) -> None:
        for child, below in getattr(command, "commands", {}).items():
            walk(below, f"{name} {child}".strip())
        if not hasattr(command, "commands"):
            options = [p for p in getattr(command, "params", []) if p.param_type_name == "option" and p.name != "help"]
            found[name] = [flag for option in options for flag in (*option.opts, *option.secondary_opts)]

    walk(typer.main.get_command(app), "")
    return found


def section(verb: str) -> str:
    """The part of commands.md below the heading of ``verb``."""
    match = re.search(rf"^## policydesk {re.escape(verb)}(?= |$)[^\n]*\n(.*?)(?=^## |\Z)", COMMANDS, re.M | re.S)
    return match.group(1) if match else ""


def keys(tree: object, prefix: str = "") -> Iterator[str]:
    """storage.database and so on; region codes are data, not keys."""
    if not isinstance(tree, dict) or prefix in ("regions.names.", "generate.tasks."):
        yield prefix.rstrip(".")
        return
    for key, value in tree.items():
        yield from keys(value, f"{prefix}{key}.")


def written_keys() -> Iterator[tuple[str, str]]:
    """(key, the rest of its line and the comment lines above it) of config.yaml, sections and region codes left out."""
    above = ""
    for line in SHIPPED.splitlines():
        match = re.match(r"( {0,2})(\w+):(.*)", line)
        if match and (match.group(1) or match.group(3).strip()):
            yield match.group(2), match.group(3) + above
        above = line if line.strip().startswith("#") else ""


def test_the_command_line_has_the_verbs_that_are_looked_for() -> None:
    assert {"ingest", "search", "ask", "show", "serve", "config check", "eval retrieval"} <= set(verbs())


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_every_verb_and_option_is_documented(verb: str) -> None:
    text = section(verb)
    assert text
    assert [option for option in verbs()[verb] if f"`{option}" not in text and f"/ `{option}" not in text] == []


def test_no_verb_is_documented_that_is_not_there() -> None:
    documented = re.findall(r"^## policydesk ((?:[a-z]+)(?: [a-z]+)?)", COMMANDS, re.M)
    assert set(documented) == set(verbs())


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_no_option_is_documented_that_is_not_there(verb: str) -> None:
    named = set(re.findall(r"`(--[a-z-]+)", section(verb)))
    assert named - set(verbs()[verb]) - {"--home"} == set()


def test_every_key_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| `([a-z0-9_.]+)` \|", CONFIGURATION, re.M)
    assert sorted(documented) == sorted(keys(yaml.safe_load(SHIPPED)))


def test_every_key_of_the_shipped_configuration_has_a_comment() -> None:
    assert [key for key, rest in written_keys() if "#" not in rest] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    targets = [one or two for one, two in LINK.findall(page.read_text(encoding="utf-8"))]
    relative = [target.split("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    assert [target for target in relative if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_commands_on_the_first_screen_print_what_the_readme_shows(readme: str, tmp_path: Path) -> None:
    block = (ROOT / readme).read_text(encoding="utf-8").split("```console\n")[1].split("```")[0]
    for part in block.split("$ policydesk ")[1:]:
        command, _, shown = part.partition("\n")
        arguments = [*shlex.split(command), "--home", str(tmp_path)]
        program = [sys.executable, "-m", "policydesk", *arguments]
        done = subprocess.run(program, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
        assert untimed(done.stdout) == untimed(shown)


def untimed(text: str) -> str:
    return re.sub(r"用时 [\d.]+ 秒", "", text).strip()

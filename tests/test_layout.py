"""The arrows of the code base, walked in its syntax trees, and what importing it loads."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "core": set(),
    "ingest": {"core"},
    "kb": {"core"},
    "qa": {"core", "kb"},
    "hotline": {"core", "qa", "kb"},
    "eval": {"core", "kb", "qa", "ingest", "hotline"},
    "train": {"core", "kb", "qa", "eval", "ingest"},
    "ui": {"core"},
    "policydesk": {"core", "ingest", "kb", "qa", "hotline", "eval", "train", "ui"},
}
FILES = sorted(file for folder in MAY_IMPORT for file in (ROOT / folder).rglob("*.py"))
TREES = {file.relative_to(ROOT).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in FILES}

ENVIRONMENT = {
    "core/config.py": "the one place that reads settings",
    "ui/console.py": "sets GRADIO_ANALYTICS_ENABLED, which gradio reads while it is imported",
}
CATCH_ALL = {
    "kb/store_edge.py": "qdrant-edge raises bare Exception and nothing more precise",
}
HEAVY = ("gradio", "torch", "llama_index", "qdrant_client", "sentence_transformers", "FlagEmbedding", "ir_measures",
         "alembic")
INDEX_HOST = re.compile(
    r"pypi\.org|pythonhosted|aliyun\.com|tsinghua|ustc\.edu|douban|mirrors?\.|--(?:extra-)?index-url"
)


def nodes() -> Iterator[tuple[str, ast.AST]]:
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            yield name, node


def at(name: str, node: ast.AST) -> str:
    return f"{name}:{getattr(node, 'lineno', 0)}"


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []



def test_every_folder_imports_only_what_lies_below_it() -> None:
    crossing = [
        f"{at(name, node)} imports {module}"
        for name, node in nodes()
        for module in imported(node)
        if (top := module.split(".")[0]) in MAY_IMPORT
        and top != (folder := name.split("/")[0])
        and top not in MAY_IMPORT[folder]
    ]
    assert not crossing


def test_every_folder_of_ours_has_its_arrows_named() -> None:
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert packages - {"tests"} == set(MAY_IMPORT)


def test_no_relative_import_hides_an_arrow() -> None:
    assert not [at(name, node) for name, node in nodes() if isinstance(node, ast.ImportFrom) and node.level]


def test_nothing_hides_the_builtin_eval() -> None:
    hiding = [
        at(name, node)
        for name, node in nodes()
        for alias in (node.names if isinstance(node, ast.Import | ast.ImportFrom) else [])
        if (alias.asname or alias.name) == "eval"
    ]
    assert not hiding


def test_every_package_resolves_inside_the_repository() -> None:
    code = f"import {', '.join(f'{name} as _{name}' for name in MAY_IMPORT)}, sys; " + (
        f"print(*[sys.modules[name].__file__ for name in {sorted(MAY_IMPORT)}], sep='\\n')"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [Path(line).parent for line in found.stdout.splitlines()] == [ROOT / name for name in sorted(MAY_IMPORT)]


def test_only_the_named_modules_touch_the_environment() -> None:
    touching = {
        name
        for name, node in nodes()
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "putenv"))
        or (isinstance(node, ast.ImportFrom) and {alias.name for alias in node.names} & {"environ", "getenv"})
    }
    assert touching == set(ENVIRONMENT)


def test_errors_are_caught_by_name() -> None:
    catching = [
        at(name, node)
        for name, node in nodes()
        if isinstance(node, ast.ExceptHandler) and name not in CATCH_ALL
        and (node.type is None or {"Exception", "BaseException"} & {
            part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)
        })
    ]
    assert not catching


def test_functions_take_no_keyword_soup() -> None:
    assert not [
        at(name, node) for name, node in nodes()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and node.args.kwarg
    ]


def programs() -> set[str]:
    """The command line, and the modules that ``python -m`` runs."""
    guarded = {
        name for name, tree in TREES.items() if name.startswith("eval/") and any(
            isinstance(node, ast.If) and "__name__" in ast.unparse(node.test) for node in tree.body
        )
    }
    verbs = {name for name in TREES if name == "policydesk/cli.py" or name.startswith("policydesk/cli_")}
    return verbs | guarded | {"policydesk/options.py"}


def test_only_the_command_line_and_programs_print() -> None:
    may_print = set(programs())
    printing = [
        at(name, node)
        for name, node in nodes()
        if name not in may_print
        and (
            (isinstance(node, ast.Name) and node.id == "print")
            or (isinstance(node, ast.Attribute) and node.attr in ("stdout", "echo", "secho")
                and isinstance(node.value, ast.Name) and node.value.id in ("sys", "typer"))
        )
    ]
    assert not printing


@pytest.mark.parametrize("name", [name for name in TREES if name.endswith("/__init__.py")])
def test_every_package_says_what_it_is(name: str) -> None:
    assert "migrations" in name or ast.get_docstring(TREES[name])


def test_text_files_are_opened_as_utf_8() -> None:
    careless = [
        at(name, node)
        for name, node in nodes()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("read_text", "write_text")
        and not any(word.arg == "encoding" for word in node.keywords)
    ]
    assert not careless


def test_importing_the_core_loads_nothing_heavy() -> None:
    code = (
        "import sys, policydesk, policydesk.cli, core, ingest.read, kb.base, qa.answer; "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_no_file_names_a_package_index() -> None:
    texts = [*FILES, *ROOT.glob("*.lock"), *ROOT.glob("*.yaml"), *ROOT.glob("*.toml"), *ROOT.glob("*.md"),
             *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md"), ROOT / "Makefile"]
    naming = [
        f"{file.relative_to(ROOT)}: {match.group()}"
        for file in texts
        for line in file.read_text(encoding="utf-8").splitlines()
        if (match := INDEX_HOST.search(line.replace("--no-emit-index-url", "")))
    ]
    assert not naming

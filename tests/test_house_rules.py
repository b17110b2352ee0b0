"""Rules of the house that no tool knows."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField

ROOT = Path(__file__).resolve().parent.parent
APPS = ("providers", "downloads", "watchlist", "watchlist_project")
LONGEST_FILE, LONGEST_TEST_FILE, LONGEST_ADAPTER, LONGEST_FUNCTION = 500, 400, 250, 40
ADAPTER_FOLDERS = ("providers/sites/", "providers/hosts/")


@cache
def tracked() -> tuple[str, ...]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 -- any git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(name for name in listed.stdout.splitlines() if (ROOT / name).is_file())


def source_files(*, with_tests: bool) -> list[str]:
    found = [name for name in tracked() if name.endswith(".py") and "/migrations/" not in name]
    return [name for name in found if with_tests or not is_test(name)]


def is_test(name: str) -> bool:
    return name.startswith(("tests/", "bench/")) or "/tests/" in name or name == "conftest.py"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def nodes(name: str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(read(name)))


def longest_allowed(name: str) -> int:
    if is_test(name):
        return LONGEST_TEST_FILE
    is_adapter = name.startswith(ADAPTER_FOLDERS) and not name.endswith("__init__.py")
    return LONGEST_ADAPTER if is_adapter else LONGEST_FILE


def test_no_file_is_longer_than_its_cap() -> None:
    lengths = {name: len(read(name).splitlines()) for name in source_files(with_tests=True)}
    assert [f"{name}: {n}" for name, n in lengths.items() if n > longest_allowed(name)] == []


def body_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code below the signature and the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_no_function_is_longer_than_forty_lines() -> None:
    too_long = [
        f"{name}:{node.lineno} {node.name}"
        for name in source_files(with_tests=False)
        for node in nodes(name)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and body_length(node) > LONGEST_FUNCTION
    ]
    assert too_long == []


def test_foreign_keys_point_only_in_the_direction_of_imports() -> None:
    wrong = [
        f"{model._meta.label}.{field.name} -> {target._meta.label}"
        for model in apps.get_models()
        if model._meta.app_label in APPS
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey | ManyToManyField)
        and isinstance(target := field.related_model, type)
        and target._meta.app_label in APPS
        and APPS.index(target._meta.app_label) > APPS.index(model._meta.app_label)
    ]
    assert wrong == []


def writes_download_state(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr == "update" and any(word.arg == "state" for word in node.keywords)
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    return any(
        isinstance(target, ast.Attribute)
        and target.attr == "state"
        # An error or a helper object may have a state of its own.
        and not (isinstance(target.value, ast.Name) and target.value.id == "self")
        for target in targets
    )


def test_only_transitions_writes_the_state_of_a_download() -> None:
    writers = {
        name
        for name in source_files(with_tests=False)
        if name.startswith("downloads/") or re.search(r"\bDownload\b|downloads\.models", read(name))
        for node in nodes(name)
        if writes_download_state(node)
    }
    assert writers == {"downloads/transitions.py"}


def imports(name: str) -> Iterator[str]:
    for node in nodes(name):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_nothing_hangs_on_the_saving_of_a_model() -> None:
    files = source_files(with_tests=False)
    assert [n for n in files if "django.db.models.signals" in set(imports(n))] == []


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("requests", r"providers/http\.py|providers/connections\.py"),
        ("pycurl", r"downloads/engine/(transport|readiness)\.py"),
        ("yt_dlp", r"providers/hosts/[a-z_]+\.py"),
        ("bs4", r"providers/.*"),
        ("lxml", r"providers/.*"),
    ],
)
def test_a_library_is_imported_only_in_its_home(library: str, home: str) -> None:
    users = {
        name
        for name in source_files(with_tests=False)
        for module in imports(name)
        if module.split(".")[0] == library
    }
    assert {name for name in users if not re.fullmatch(home, name)} == set()
    assert library != "yt_dlp" or len(users) <= 1


def test_every_noqa_names_its_rule_and_has_a_reason() -> None:
    reasoned = re.compile(r"# noqa: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)*\s+\S.{4,}")
    bare = [
        f"{name}:{number}"
        for name in source_files(with_tests=True)
        if name != "tests/test_house_rules.py"
        for number, line in enumerate(read(name).splitlines(), start=1)
        if "# noqa" in line and not reasoned.search(line)
    ]
    assert bare == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        n for n in source_files(with_tests=False) if not ast.get_docstring(ast.parse(read(n)))
    ]
    assert silent == []


def test_no_unfinished_work_is_announced() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError)\b")
    found = [
        f"{name}:{number}"
        for name in source_files(with_tests=True)
        if name != "tests/test_house_rules.py"
        for number, line in enumerate(read(name).splitlines(), start=1)
        if words.search(line)
    ]
    assert found == []


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    machine = re.compile(r"(?<![\w.])/(?:work|root|home/[a-z]+)/|/tmp/[a-z]{2,}-")
    texts = (
        ".py",
        ".md",
        ".toml",
        ".yml",
        ".yaml",
        ".lock",
        ".html",
        ".css",
        ".js",
        ".cfg",
        ".txt",
    )
    found = [
        f"{name}:{number}"
        for name in tracked()
        if name.endswith(texts) or "/" not in name or name.startswith(".ci/")
        if name != "tests/test_house_rules.py"
        for number, line in enumerate(read(name).splitlines(), start=1)
        if machine.search(line)
    ]
    assert found == []

from __future__ import annotations

import ast
import inspect
import sys
from importlib import import_module
from pathlib import Path

import pytest

from providers import registry
from providers.base import SiteAdapter
from providers.sites.feed import FeedAdapter
from providers.tests import contract
from providers.types import Capability

HEADER_KEYS = ("Site:", "Languages:", "Offers:", "URL shapes:", "Last verified:", "Known limits:")
SITES = Path(inspect.getfile(FeedAdapter)).parent
PLAIN = {"providers"} | sys.stdlib_module_names


def adapter_modules() -> dict[str, ast.Module]:
    """The modules that define an adapter, read without running them."""
    parsed = {path.stem: ast.parse(path.read_text()) for path in SITES.glob("*.py")}
    return {
        name: tree
        for name, tree in parsed.items()
        if any(
            isinstance(node, ast.ClassDef) and node.name.endswith("Adapter") for node in tree.body
        )
    }


def test_every_adapter_is_registered_and_feeds_take_the_rest() -> None:
    registered = [adapter.__module__.rpartition(".")[2] for adapter in registry.ADAPTERS]
    assert sorted(registered) == sorted(adapter_modules())
    assert registry.ADAPTERS[-1] is FeedAdapter
    assert len({adapter.id for adapter in registry.ADAPTERS}) == len(registered)


def test_no_domain_belongs_to_two_sites() -> None:
    domains = [domain for adapter in registry.ADAPTERS for domain in adapter.domains]
    assert len(domains) == len(set(domains))
    assert not [domain for domain in domains if domain.startswith("www.")]


@pytest.mark.parametrize("adapter", registry.ADAPTERS, ids=lambda adapter: adapter.id)
def test_an_adapters_header_says_what_people_need(adapter: type[SiteAdapter]) -> None:
    header = inspect.getdoc(sys.modules[adapter.__module__]) or ""
    lines = [line.strip() for line in header.splitlines()]
    for key in HEADER_KEYS:
        (line,) = [line for line in lines if line.startswith(key)]
        assert line.removeprefix(key).strip()
    assert adapter.example_url in header


@pytest.mark.parametrize("adapter", registry.ADAPTERS, ids=lambda adapter: adapter.id)
def test_an_adapter_has_a_gentle_pace_and_plain_facts(adapter: type[SiteAdapter]) -> None:
    assert 0 < adapter.pace.requests_per_second <= 2
    assert 0 < adapter.pace.max_concurrent <= 4
    assert adapter.id.isascii()
    assert adapter.id == adapter.id.lower()
    assert adapter.languages
    assert adapter.capabilities <= frozenset(Capability)


@pytest.mark.parametrize(
    "adapter",
    [adapter for adapter in registry.ADAPTERS if adapter is not FeedAdapter],
    ids=lambda adapter: adapter.id,
)
def test_an_adapter_of_a_site_is_held_to_the_contract(adapter: type[SiteAdapter]) -> None:
    tests = import_module(f"providers.tests.sites.test_{adapter.__module__.rpartition('.')[2]}")
    held = [
        each.adapter_class
        for each in vars(tests).values()
        if isinstance(each, type) and issubclass(each, contract.ProviderContract)
        if each is not contract.ProviderContract
    ]
    assert adapter in held


@pytest.mark.parametrize("path", sorted(SITES.glob("*.py")), ids=lambda path: path.stem)
def test_an_adapter_imports_nothing_of_the_web_framework(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
        elif isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
    strangers = {name for name in imported if name.partition(".")[0] not in PLAIN | {"bs4"}}
    assert strangers == set()


@pytest.mark.parametrize("path", sorted(SITES.glob("*.py")), ids=lambda path: path.stem)
def test_adapters_know_nothing_of_each_other(path: Path) -> None:
    own = path.stem.partition("_")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("providers.sites"):
            modules = (
                [node.module]
                if node.module != "providers.sites"
                else [f"providers.sites.{alias.name}" for alias in node.names]
            )
            for module in modules:
                assert (module or "").rpartition(".")[2].partition("_")[0] == own

"""Python 3.10 is promised: its grammar reads every file, and nothing is named that only a newer one has."""

import ast
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
OLDEST = tuple(map(int, re.search(r'^requires-python = ">=(\d+)\.(\d+)"$', PROJECT, re.MULTILINE).groups()))
FOLDERS = ("medserver", "tests", "demo_model", "benchmarks")
FILES = sorted(file for folder in FOLDERS for file in ROOT.glob(f"{folder}/**/*.py"))
# What came with 3.11 or later, as the library's documentation has it, by module.
CAME_LATER = {
    "asyncio": "Barrier QueueShutDown Runner TaskGroup timeout timeout_at",
    "builtins": "BaseExceptionGroup ExceptionGroup PythonFinalizationError",
    "collections.abc": "Buffer",
    "contextlib": "chdir",
    "copy": "replace",
    "datetime": "UTC",
    "enum": "EnumCheck ReprEnum StrEnum global_enum member nonmember verify",
    "hashlib": "file_digest",
    "http": "HTTPMethod",
    "inspect": "getmembers_static",
    "itertools": "batched",
    "logging": "getHandlerByName getLevelNamesMapping",
    "math": "cbrt exp2",
    "operator": "call",
    "sys": "exception",
    "typing": "LiteralString Never NotRequired Required Self TypeVarTuple Unpack assert_never assert_type "
    "dataclass_transform override reveal_type",
    "warnings": "deprecated",
}
NEWER = {"tomllib", *(f"{module}.{name}" for module, names in CAME_LATER.items() for name in names.split())}


def named(tree: ast.AST) -> set[str]:
    """Every name of a module that is imported or reached through it, under the module's own name."""
    modules = {"builtins": "builtins"}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {one.asname or one.name: one.name for one in node.names}
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            whole = ast.unparse(node.value)
            found.add(f"{modules.get(whole, '')}.{node.attr}")
        elif isinstance(node, ast.Name):
            found.add(f"builtins.{node.id}")
    return found


def parsed(text: str) -> ast.AST:
    return ast.parse(text, feature_version=OLDEST)


def test_the_files_were_found_and_the_promise_is_the_readmes():
    assert len(FILES) > 200 and OLDEST == (3, 10)
    assert "Python 3.10 or newer" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "find_python() {\n    local least=${1:-3.10}" in (ROOT / "installer/machine.sh").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(Path(file).relative_to(ROOT)))
def test_the_oldest_python_reads_it(file):
    assert named(parsed(file.read_text(encoding="utf-8"))) & NEWER == set()


@pytest.mark.parametrize(
    "text",
    ["import tomllib", "from datetime import UTC", "import asyncio as a\na.timeout(1)", "raise ExceptionGroup('', [])"],
)
def test_what_is_newer_is_found(text):
    assert named(parsed(text)) & NEWER


def test_newer_grammar_is_found():
    for text in ("try: ...\nexcept* KeyError: ...", "type A = int", "def f[T](x: T): ..."):
        with pytest.raises(SyntaxError):
            parsed(text)

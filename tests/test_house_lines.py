"""Imports go down only, as the architecture draws them; read from the source, so that no import is missed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import medserver

PACKAGE = Path(medserver.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))


def module_of(file: Path) -> str:
    names = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def imports_of(file: Path, *, at_import_time: bool = False) -> set[str]:
    """Every module that `file` names in an import; relative ones do not occur, and are a failure."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    late = {id(node) for block in ast.walk(tree) if _runs_later(block) for node in ast.walk(block)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if at_import_time and id(node) in late:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _runs_later(node: ast.AST) -> bool:
    guarded = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    return guarded or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


IMPORTS = {module_of(file): imports_of(file) for file in SOURCES}


def importers(*roots: str) -> set[str]:
    """The modules that import one of `roots` or anything inside it."""
    return {
        module
        for module, names in IMPORTS.items()
        if any(name == root or name.startswith(root + ".") for name in names for root in roots)
    }


def inside(package: str) -> set[str]:
    return {module for module in IMPORTS if module == package or module.startswith(package + ".")}


def test_the_source_was_found():
    assert {"medserver.server", "medserver.worker.model", "medserver.engine.host"} <= set(IMPORTS)


def test_fastapi_is_known_to_the_server_alone():
    assert importers("fastapi") == {"medserver.server"}


def test_starlette_and_slowapi_are_known_at_the_door_alone():
    front = {"medserver.server", "medserver.house", "medserver.sse", "medserver.forms", "medserver.pages"}
    assert importers("starlette", "slowapi") <= front | inside("medserver.access")


def test_uvicorn_is_known_to_who_runs_the_front_alone():
    assert importers("uvicorn") == {"medserver.run", "medserver.crew.__main__", "medserver.protocol"}


def test_torch_and_transformers_are_known_to_the_worker_alone():
    assert importers("torch", "transformers", "tokenizers", "accelerate", "bitsandbytes") <= inside("medserver.worker")


def test_pillow_and_numpy_are_known_to_the_decoder_and_the_worker_alone():
    assert importers("PIL", "numpy") <= inside("medserver.imaging") | inside("medserver.worker")


def test_pixels_are_decoded_in_the_decoder_process_alone():
    assert importers("medserver.imaging.pixels") == {"medserver.imaging.decoder"}
    assert importers("medserver.imaging.decoder") == set()


def test_of_the_worker_the_house_knows_its_orders_only():
    outside = importers("medserver.worker") - inside("medserver.worker")
    assert outside == {"medserver.engine.transformers"}
    named = {name for name in IMPORTS["medserver.engine.transformers"] if name.startswith("medserver.worker")}
    assert named <= {"medserver.worker.orders", "medserver.worker.orders.Orders"}


def test_of_the_house_the_worker_knows_the_log_and_the_cpu_only():
    allowed = inside("medserver.worker") | {"medserver.logs", "medserver.cpu"}
    for module in inside("medserver.worker"):
        known = {name for name in IMPORTS[module] if name in IMPORTS} - {"medserver"}
        assert known <= allowed, module


@pytest.mark.parametrize("row", sorted({"sglang", "vllm", "transformers", "remote"}))
def test_engine_rows_never_import_each_other(row):
    others = {f"medserver.engine.{one}" for one in ("sglang", "vllm", "transformers", "remote") if one != row}
    assert f"medserver.engine.{row}" not in importers(*others)


def test_nothing_imports_the_command_line():
    assert importers("medserver.cli") == {"medserver.__main__"}


def test_the_server_is_known_to_who_runs_it_alone():
    assert importers("medserver.server") == {"medserver.run", "medserver.crew.__main__"}


# Lower rooms know no higher one: each room may import those of its own row and of the rows below.
ROWS = [
    {"medserver.__main__"},
    {"medserver.cli"},
    {"medserver.crew.__main__"},
    {"medserver.run", "medserver.crew.lead"} | inside("medserver.doctor") | inside("medserver.service"),
    {"medserver.server"},
    {"medserver.house"},
    {"medserver.hurry", "medserver.protocol", "medserver.described"},
    {"medserver.status", "medserver.metrics", "medserver.forms", "medserver.pages", "medserver.openai_door.completion"}
    | inside("medserver.access")
    | inside("medserver.audit")
    | inside("medserver.crew") - {"medserver.crew.__main__", "medserver.crew.lead"},
    {"medserver.sse", "medserver.connection", "medserver.intake", "medserver.reply", "medserver.weights"}
    | inside("medserver.hub"),
    inside("medserver.openai_door") - {"medserver.openai_door.completion"},
    {"medserver.admission", "medserver.prompts", "medserver.thinking", "medserver.schemas", "medserver.api_wire"}
    | inside("medserver.engine")
    | {"medserver.loop_guard"}
    | (inside("medserver.imaging")),
    {"medserver.catalogue", "medserver.chat", "medserver.events", "medserver.hardware"},
    {"medserver.config", "medserver.environment", "medserver.errors", "medserver.logs", "medserver.flag"},
    {"medserver.models", "medserver.parse", "medserver.cpu", "medserver"},
]


def test_imports_go_down_only():
    height = {module: -number for number, row in enumerate(ROWS) for module in row}
    for module, names in IMPORTS.items():
        for name in names & set(height) if module in height else ():
            assert height[name] <= height[module], f"{module} imports {name}"


def test_every_module_of_the_front_has_its_row():
    assert set(IMPORTS) - inside("medserver.worker") == set.union(*ROWS)


def test_values_are_pure():
    for module in ("medserver.chat", "medserver.events", "medserver.errors", "medserver.models", "medserver.thinking"):
        outside = {name.split(".")[0] for name in IMPORTS[module]} - {"medserver"}
        assert outside <= {"dataclasses", "typing", "collections"}, module


def test_rules_know_no_wire():
    """Who is asked, how a server stands, what a chunk says and what a loop is: decided without a connection."""
    rules = ("engine.health", "engine.routing", "engine.dialect", "engine.faults", "engine.answer", "loop_guard")
    for module in rules:
        assert not {"asyncio", "aiohttp"} & IMPORTS[f"medserver.{module}"], module


def test_aiohttp_is_known_to_both_ends_of_an_engine_alone():
    assert importers("aiohttp") <= inside("medserver.engine") | inside("medserver.worker")


def test_the_command_line_imports_only_the_standard_library_before_it_serves():
    for module in ("cli", "config", "environment", "parse", "models", "__main__"):
        names = {name.split(".")[0] for name in imports_of(PACKAGE / f"{module}.py", at_import_time=True)}
        assert names <= set(sys.stdlib_module_names) | {"medserver"}, module


def test_the_front_loads_neither_torch_nor_transformers():
    code = (
        "import sys, medserver.run, medserver.server\n"
        "print(sorted({'torch', 'transformers', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "[]"

"""What the documents say is what the code does: codes, addresses, flags, links, and examples that run."""

import ast
import base64
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from medserver import cli, errors
from medserver.config import Settings
from medserver.models import VARIANTS
from tests.conftest import ROOT
from tests.front import app_with
from tests.serving import Running, picture

DOCS = sorted([*ROOT.glob("docs/*.md"), *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY"))])
API = (ROOT / "docs/api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```(sh|python|js)\n(.*?)```", API, re.DOTALL)


def codes() -> set[str]:
    """Every stable code that the source can say."""
    found = set()
    for file in (ROOT / "medserver").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if named_code(node):
                found |= constants(node.value)
    return found


def named_code(node: ast.AST) -> bool:
    """`code="..."` in a call, or `code = "..."`, also beside other names."""
    if isinstance(node, ast.Assign):
        return "code" in {one.id for one in ast.walk(node.targets[0]) if isinstance(one, ast.Name)}
    return isinstance(node, ast.keyword) and node.arg == "code"


def constants(value: ast.expr) -> set[str]:
    """The words it may be; what a call or a lookup names is none."""
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    parts = [side for one in parts for side in ((one.body, one.orelse) if isinstance(one, ast.IfExp) else (one,))]
    said = {one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return {one for one in said if re.fullmatch(r"[a-z]+(_[a-z]+)*", one)}


def rows() -> dict[str, int]:
    text = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    return {code: int(status) for status, code in re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.MULTILINE)}


def test_every_code_is_in_the_table_and_no_other():
    assert "bad_image" in codes() and "token_required" in codes(), "the test would prove nothing"
    assert set(rows()) == codes()


def test_the_status_of_a_code_is_that_of_the_refusal_it_comes_with():
    found = {*kinds(), *raised()}
    assert ("wrong_code", 403) in found and ("internal", 500) in found, "the test would prove nothing"
    for code in {code for code, _ in found}:
        assert (code, rows()[code]) in found, code


def kinds() -> Iterator[tuple[str, int]]:
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.Problem) and "code" in vars(kind):
            yield kind.code, kind.status


def raised() -> Iterator[tuple[str, int]]:
    """Each code that a refusal is given where it is made, and the status of that kind of refusal."""
    for file in (ROOT / "medserver").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            kind = getattr(errors, ast.unparse(node.func), None) if isinstance(node, ast.Call) else None
            for one in node.keywords if kind else ():
                if one.arg == "code" and isinstance(one.value, ast.Constant):
                    yield one.value.value, kind.status


def test_the_readme_has_every_code_under_its_status():
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("| status | codes |")[1].split("\n\n")[0]
    said = re.findall(r"^\| (\d[\d, ]*) \| (.*) \|$", table, re.MULTILINE)
    found = {code: statuses for statuses, named in said for code in re.findall(r"`(\w+)`", named)}
    assert set(found) == codes()
    assert [code for code, statuses in found.items() if str(rows()[code]) not in statuses.split(", ")] == []


def test_the_sizes_of_the_models_are_theirs():
    page = " ".join((ROOT / "docs/engines.md").read_text(encoding="utf-8").split())
    for name, sizes in (("4B", VARIANTS["4"].sizes), ("27B", VARIANTS["27"].sizes)):
        assert f"{name} {sizes.weights / 1e9:.1f} and {sizes.weights_4bit / 1e9:.1f} GB" in page
        assert f"{name} {sizes.kv_per_token() // 1024} KiB" in page


def test_every_address_of_the_api_is_in_the_table_and_no_other():
    app, _, _ = app_with()
    routes = {
        (method, route.path.replace(":path", ""))
        for route in app.framework.routes
        for method in (getattr(route, "methods", None) or ())
        if route.path.startswith(("/api/", "/v1/")) and route.include_in_schema and method != "HEAD"
    }
    table = set(re.findall(r"`(GET|POST) (/\S+?)`", API.split("## Addresses")[1]))
    assert table == routes


@pytest.mark.parametrize("file", DOCS, ids=lambda file: file.name)
def test_every_flag_that_is_named_is_one(file):
    calls = r"(?<!unit )medserver (?:-|serve|doctor|download|verify|bundle|unpack|service)[^\n`]*"
    text = "\n".join(re.findall(calls, file.read_text(encoding="utf-8")))
    flags = {flag for one in vars(Settings)["__dataclass_fields__"].values() for flag in one.metadata["flags"]}
    known = flags | commands_flags()
    assert set(re.findall(r"(?<=\s)--[a-z][a-z-]+", text)) <= known


def commands_flags() -> set[str]:
    """As each command's own help names them."""
    found = {"--json", "--version"}
    for module in {*cli.COMMANDS.values(), "medserver.service.command"}:
        file = ROOT / (module.replace(".", "/") + ".py")
        if file.is_file():
            found |= set(re.findall(r'"(--[a-z-]+)"', file.read_text(encoding="utf-8")))
    return found


PAGES = [file for file in DOCS if file.parent.name == "docs"]


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_a_page_says_first_whom_it_is_for_and_is_in_the_index(file):
    title, blank, first = file.read_text(encoding="utf-8").splitlines()[:3]
    assert title.startswith("# ") and not blank and first.startswith("For ")
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    assert file.name == "README.md" or f"]({file.name})" in index


def test_the_life_of_a_request_is_the_codes():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    steps = [line.split("|")[2:5] for line in re.findall(r"^\| \d+ \|.*$", text, re.MULTILINE)]
    rooms = [re.findall(r"`([\w.]+)`", room) for room, _, _ in steps]
    for name in {name for named in rooms for name in named}:
        path = ROOT / "medserver" / name.replace(".", "/")
        assert path.with_suffix(".py").is_file() or path.is_dir(), name
    app, _, _ = app_with()
    layers, layer = [], app
    while layer is not app.framework:
        layers.append(type(layer).__call__.__module__)
        layer = layer._app
    layers += [layer.cls.__module__ for layer in app.framework.user_middleware]
    layers = [module.removeprefix("medserver.") for module in layers]
    assert [named[0] for named in rooms][: len(layers)] == layers
    for _, _, ends in steps:
        for status, ended in re.findall(r"(\d{3}) ((?:`\w+`(?:, )?)+)", ends):
            assert {rows()[code] for code in re.findall(r"`(\w+)`", ended)} == {int(status)}, ended


@pytest.mark.parametrize("file", DOCS, ids=lambda file: file.name)
def test_every_link_leads_somewhere(file):
    for target in re.findall(r"\]\(([^)#\s]*)(?:#[\w-]+)?\)", file.read_text(encoding="utf-8")):
        if target and "://" not in target:
            assert (file.parent / target).exists(), target


@pytest.mark.parametrize("file", DOCS, ids=lambda file: file.name)
def test_every_section_that_is_linked_is_there(file):
    for target, section in re.findall(r"\]\(([^)#\s]*)#([\w-]+)\)", file.read_text(encoding="utf-8")):
        text = (file.parent / target if target else file).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
        assert section in slugs, (target, section)


def test_there_are_examples_in_three_languages():
    assert [kind for kind, _ in EXAMPLES] == ["sh", "sh", "sh", "python", "python", "js"]


COMMANDS = {"sh": ["bash", "-euc"], "python": [sys.executable, "-c"], "js": ["node", "--input-type=module", "-e"]}


@pytest.mark.parametrize(("kind", "example"), EXAMPLES, ids=[f"{kind}-{n}" for n, (kind, _) in enumerate(EXAMPLES)])
def test_an_example_runs_as_written(server: Running, tmp_path: Path, kind: str, example: str):
    if shutil.which(COMMANDS[kind][0]) is None or (kind == "sh" and shutil.which("curl") is None):
        pytest.skip(f"what runs {kind} is not on this machine")
    for name, color in (("prior.png", "gray"), ("current.png", "white")):
        (tmp_path / name).write_bytes(base64.b64decode(picture(color)))
    code = example.replace("http://localhost:8000", server.url)
    printed = ""
    for _ in range(5):  # a random model may end its answer before the first word
        done = subprocess.run([*COMMANDS[kind], code], cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        printed = done.stdout.strip()
        if printed:
            break
    assert printed

"""What is imported is required by name, what is required is pinned, and nothing waits to be brought by another."""

import re
import sys
from importlib.metadata import files

from tests.conftest import ROOT
from tests.test_house_lines import IMPORTS

TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
# Imported where they are wanted alone; an extra or a sentence of ours brings them.
OPTIONAL = {"bitsandbytes", "redis", "torchao"}


def named(text: str) -> set[str]:
    return {same(name) for name in re.findall(r'^\s*"([A-Za-z0-9_.-]+?)(?:[<>=\[].*)?",?$', text, re.MULTILINE)}


def same(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def section(name: str) -> str:
    [found] = re.findall(rf"^{name} = \[\n(.*?)^\]", TEXT, re.MULTILINE | re.DOTALL)
    return found


def test_every_import_is_required_by_name():
    imported = {name.split(".")[0] for names in IMPORTS.values() for name in names}
    foreign = imported - set(sys.stdlib_module_names) - {"medserver"} - OPTIONAL
    # By their files, since Python 3.10 knows the modules only of packages that declare them.
    brought = {file.parts[0].split(".")[0] for name in named(section("dependencies")) for file in files(name)}
    assert foreign - brought == set()


def test_everything_that_is_required_is_pinned():
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    missing = named(section("dependencies")) | named(section("test")) | {"bitsandbytes"}
    assert missing - {same(name) for name in pinned} == set()

"""What the documents list is what the code has."""

import re

from medserver.doctor.report import CHECKS
from medserver.hub.failures import EXIT_STATUS
from tests.conftest import ROOT


def test_every_failure_is_in_the_table():
    text = (ROOT / "docs/weights.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.MULTILINE)
    assert {code: int(status) for status, code in rows} == EXIT_STATUS


def test_every_check_is_in_the_table():
    text = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(CHECKS)

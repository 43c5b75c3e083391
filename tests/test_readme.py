"""The README says what is so: its flags are the parser's, and its examples run as they stand."""

import re
import shutil
import subprocess
import sys
from dataclasses import fields

import pytest

from medserver.config import Settings
from medserver.environment import env_name
from medserver.openai_door.schemas import CompletionRequest
from medserver.schemas import AnalyzeForm, ChatRequest
from tests.conftest import ROOT
from tests.serving import Running, picture

README = (ROOT / "README.md").read_text(encoding="utf-8")


def written(default) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return "" if default in (None, ()) else str(default)


def test_the_flag_table_is_the_parsers():
    rows = re.findall(r"^\| (`-.*?`) \| (.*?) \| (.*?) ?\|$", README, re.MULTILINE)
    table = {tuple(re.findall(r"`(.+?)`", flags)): (meaning, default.strip()) for flags, meaning, default in rows}
    parser = {one.metadata["flags"]: (one.metadata["help"], written(one.default)) for one in fields(Settings)}
    assert table == parser


def test_the_env_example_names_every_setting_with_its_default():
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = dict(line.lstrip("#").split("=", 1) for line in lines if line.startswith("#MEDSERVER_"))
    expected = {env_name(one): written(one.default) for one in fields(Settings)}
    assert named == expected | {"MEDSERVER_MODEL": "4"}


def test_the_fields_are_the_wires():
    [table] = re.findall(r"^\| field of `/api/chat` \| \|\n(.*?)\n\n", README, re.MULTILINE | re.DOTALL)
    named = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(ChatRequest.model_fields)
    form = {"image", *AnalyzeForm.model_fields}
    [said] = re.findall(r"`/api/analyze` takes a form: (.*?);", README, re.DOTALL)
    [row] = re.findall(r"`POST /api/analyze` \| (.*?) \|", (ROOT / "docs/api.md").read_text(encoding="utf-8"))
    assert set(re.findall(r"`(\w+)`", said)) == form == set(re.findall(r"`(\w+)`", row))
    openai = README.split("## OpenAI clients")[1].split("\n## ")[0]
    assert set(CompletionRequest.model_fields) <= set(re.findall(r"\w+", openai))


EXAMPLES = [block for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "curl" in block]


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_a_curl_example_runs_as_written(server: Running, tmp_path, example: str):
    import base64

    for name, color in (("prior.png", "gray"), ("current.png", "white")):
        (tmp_path / name).write_bytes(base64.b64decode(picture(color)))
    example = example.replace("http://localhost:8000", server.url)
    done = subprocess.run(["bash", "-euc", example], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    if " -N " in example:
        assert '"finish_reason"' in done.stdout and done.stdout.endswith("data: [DONE]\n\n"), done.stdout[-300:]
    else:
        assert '"response"' in done.stdout or '"status":"ready"' in done.stdout, done.stdout[:300]


def test_there_are_examples_for_chat_images_files_health_and_openai():
    assert len(EXAMPLES) == 5


def test_the_python_example_runs_as_written(server: Running):
    [example] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    code = example.replace("http://localhost:8000", server.url)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_the_page_has_words_for_every_stage_of_loading():
    from medserver.hub import download
    from medserver.worker import server

    words = (ROOT / "medserver/static/js/words/status.js").read_text(encoding="utf-8")
    [table] = re.findall(r"const STAGES = \{(.*?)\};", words, re.DOTALL)
    assert tuple(re.findall(r"'?([\w-]+)'?: '", table)) == download.STAGES + server.STAGES

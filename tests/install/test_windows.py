"""install.bat and install.ps1 as far as a machine without Windows can tell: they parse, and say what install.sh says.

Neither was ever run on Windows by these tests.
"""

import re
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

SCRIPT = (ROOT / "install.ps1").read_text(encoding="utf-8")
SHELL = "".join(one.read_text(encoding="utf-8") for one in [ROOT / "install.sh", *sorted(ROOT.glob("installer/*.sh"))])


def test_the_grammar_of_powershell_takes_it():
    tree_sitter = pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")
    grammar = pytest.importorskip("tree_sitter_powershell", reason="tree-sitter-powershell is not installed")
    tree = tree_sitter.Parser(tree_sitter.Language(grammar.language())).parse(SCRIPT.encode())
    assert not tree.root_node.has_error


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell is not on this machine")
def test_powershell_itself_takes_it():
    read = "[void][Management.Automation.Language.Parser]::ParseFile('install.ps1', [ref]$null, [ref]$e)"
    argv = ["pwsh", "-NoProfile", "-Command", f"$e = $null; {read}; $e"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.strip() == "", done.stdout


def test_both_scripts_have_the_same_flags_and_versions():
    def flags(usage: str) -> set[str]:
        return set(re.findall(r"--[a-z-]+", usage))

    [ours] = re.findall(r"\$Usage = @'\n(.*?)\n'@", SCRIPT, re.DOTALL)
    [theirs] = re.findall(r"<<'EOT'\n(\./install\.sh .*?)\nEOT", SHELL, re.DOTALL)
    assert flags(ours) == flags(theirs) - {"--no-sglang"}
    assert flags(ours) <= set(re.findall(r"'(--[a-z-]+)'", SCRIPT)), "each is read as well"
    for name, ours in {
        "TORCH": "Torch",
        "PYTHON_NEWEST": "PythonNewest",
        "ROOM_CPU": "RoomCpu",
        "ROOM_CUDA": "RoomCuda",
    }.items():
        [value] = re.findall(rf"^{name}=(\S+)$", SHELL, re.MULTILINE)
        assert re.search(rf"^\${ours} = '?{re.escape(value)}'?$", SCRIPT, re.MULTILINE), name


def test_every_function_is_there_once_and_is_called():
    made = re.findall(r"^function ([\w-]+)", SCRIPT, re.MULTILINE)
    assert len(made) == len(set(made)) and [name for name in made if SCRIPT.count(name) < 2] == []


def test_the_batch_file_has_windows_line_ends_and_hands_on_the_result():
    text = (ROOT / "install.bat").read_bytes()
    assert text.count(b"\r\n") == text.count(b"\n") == 4
    assert b'-File "%~dp0install.ps1" %*' in text and text.endswith(b"exit /b %ERRORLEVEL%\r\n")

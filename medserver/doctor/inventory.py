"""Which packages a Python holds, read from their metadata; nothing of them is imported, since torch takes seconds.

Any Python can run this file: it knows the standard library only.
"""

import json
import re
import sys
from importlib import metadata, util
from pathlib import Path


def inventory(names: list[str]) -> tuple[dict[str, str], dict[str, str | None]]:
    """The versions of those that are here, and the CUDA that torch and torchvision were built for (None: for CPUs)."""
    versions, cuda = {}, {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    for name in ("torch", "torchvision"):
        spec = util.find_spec(name)
        file = Path(spec.submodule_search_locations[0], "version.py") if spec else None
        if file and file.is_file():
            cuda[name] = built_for(file.read_text(encoding="utf-8"))
    return versions, cuda


def built_for(text: str) -> str | None:
    """The CUDA of a `version.py`: torch writes it down, torchvision has it in its version only."""
    if written := re.search(r"^cuda\b[^=\n]*= *['\"]([\d.]+)", text, re.MULTILINE):
        return written[1]
    tag = re.search(r"^__version__ *= *['\"][^'\"]*\+cu(\d+)(\d)['\"]", text, re.MULTILINE)
    return f"{tag[1]}.{tag[2]}" if tag else None


if __name__ == "__main__":
    print(json.dumps(inventory(sys.argv[1:])))

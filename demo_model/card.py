"""Writes the model card and `demo.json` beside a checkpoint; knows no training."""

import json
from pathlib import Path

_CARD = """\
---
license: apache-2.0
pipeline_tag: image-text-to-text
tags: [medserver, demo, synthetic]
---
# MedServer demo

A tiny Gemma-3 image-and-text model ({parameters:.1f} million parameters, {megabytes:.1f} MB) that shows
MedServer at work without a download. **It is not MedGemma**, contains nothing of it, and is of no medical use.

- **Text:** about eighty plain questions about MedServer and textbook basics, worded in many ways, each with one
  fixed answer. To anything else it says that it is a demonstration model and cannot answer.
- **Images:** phantoms drawn by a script: a chest-film-like picture with or without one bright opacity in one of six
  zones, and single coloured shapes. It names what is there and where, and what changed between two.
  Real films, photographs and anything else are outside what it was taught; what it says about them means nothing.
- **Thinking:** a short trace when the server opens one, none otherwise.

## How it was made
`{recipe}`, on two CPU cores, from random weights, on text and pictures that the script
makes itself. No text or picture from elsewhere went into it. The vision tower learned first, with a label for every
patch; then both parts together; last the language model alone. `recipe`, `seed` and the accuracies are in `demo.json`.

## What it gets right
Held-out wordings and pictures, never used in training; refusals count when they begin as agreed, everything else
must be right to the letter.

{table}

{speed}

The rows "hand-written wordings" are questions written apart from the synonym grammar, "a stranger's wordings" are by
somebody who was shown the answers alone: the nearest to what people will really type. Everything above them comes from
the same grammar as the training, with wordings set aside.
"""

_UNTRAINED = """\
---
license: apache-2.0
pipeline_tag: image-text-to-text
tags: [medserver, demo, untrained]
---
# MedServer demo, untrained

A tiny Gemma-3 image-and-text checkpoint ({parameters:.1f} million parameters, {megabytes:.1f} MB): the classes,
processor, tokenizer layout and chat template of the real ones, with weights that are random or not fully trained.
Its answers are noise. It shows that the path from the command to the browser works, and nothing else. **It is not
MedGemma.**

Made by `{recipe}`.
"""


def write_card(
    directory: Path, *, trained: bool, seed: int, recipe: str, accuracy: dict[str, float], table: str, speed: float
) -> None:
    weights = (directory / "model.safetensors").stat().st_size
    card = (_CARD if trained else _UNTRAINED).format(
        parameters=weights / 2e6,
        megabytes=weights / 1e6,
        recipe=recipe,
        table=table,
        speed=f"{speed:.0f} tokens/s for one stream, greedy, where this was made.",
    )
    (directory / "README.md").write_text(card, encoding="utf-8")
    record = {
        "trained": trained,
        "seed": seed,
        "recipe": recipe,
        "accuracy": {k: round(v, 4) for k, v in accuracy.items()},
    }
    (directory / "demo.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")

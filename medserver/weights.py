"""Where the weights of a variant are, and what their configuration says; nothing is loaded or fetched here."""

import json
from pathlib import Path

from medserver.config import Settings
from medserver.engine.base import Serving
from medserver.hub import places
from medserver.models import IMAGE_SIZE, IMAGE_TOKENS, VARIANTS, Sizes, Variant
from medserver.parse import BadSetting

DEMO = Path(__file__).parent / "demo"
# SigLIP of the releases in bfloat16 (0.42 x 10^9 parameters), which -q leaves as it is, like the embeddings; and what
# NF4 with double quantisation leaves of two bytes (4.13 bits of 16). Together they give the 3.9 and 16.9 GB known.
VISION_WEIGHTS = 840_000_000
NF4_SHARE = 0.258
_KINDS = {"gemma3": True, "gemma3_text": False}  # model_type -> takes images


def serving_for(settings: Settings) -> Serving:
    """What these settings serve.

    Raises:
        BadSetting: a local directory that is no Gemma-3 checkpoint.
    """
    variant = VARIANTS[settings.model]
    directory = settings.model_path or (DEMO if variant.demo else _fetched(settings, variant))
    if directory is None:
        return Serving(variant, variant.hub_id, variant.supports_images, IMAGE_SIZE, IMAGE_TOKENS)
    configuration = _configuration(directory)
    images = _KINDS[configuration["model_type"]]
    size = configuration.get("vision_config", {}).get("image_size", IMAGE_SIZE)
    tokens = configuration.get("mm_tokens_per_image", IMAGE_TOKENS)
    samples = _samples(directory) if variant.demo else ()
    measured = _measured(directory, configuration)
    return Serving(variant, str(directory), images, size, tokens, _note(directory), samples, measured)


def _fetched(settings: Settings, variant: Variant) -> Path | None:
    """The weights where a download put them; an upstream needs none here."""
    return None if settings.upstream else places.servable(variant.hub_id)


def _configuration(directory: Path) -> dict:
    try:
        configuration = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BadSetting(f"{directory} holds no readable config.json, so it is no checkpoint") from None
    kind = configuration.get("model_type") if isinstance(configuration, dict) else None
    if kind not in _KINDS:
        raise BadSetting(f"{directory} is a {kind} checkpoint; MedServer serves Gemma 3 ({', '.join(_KINDS)})")
    if not any(directory.glob("*.safetensors")):
        raise BadSetting(f"{directory} holds no weights (*.safetensors)")
    return configuration


def _measured(directory: Path, configuration: dict) -> Sizes | None:
    """The sizes of a checkpoint from its files; None where its configuration leaves too much out."""
    text = configuration.get("text_config", configuration)
    try:
        layers, kv_heads, head_dim = (text[name] for name in ("num_hidden_layers", "num_key_value_heads", "head_dim"))
        kept = text["vocab_size"] * text["hidden_size"] * 2
    except KeyError:
        return None
    stored = sum(file.stat().st_size for file in directory.glob("*.safetensors"))
    single = "float32" in (configuration.get("dtype"), configuration.get("torch_dtype"), text.get("dtype"))
    weights = stored // 2 if single else stored
    kept = min(
        weights, kept + (VISION_WEIGHTS if weights > 2 * VISION_WEIGHTS and "vision_config" in configuration else 0)
    )
    four_bits = int(kept + (weights - kept) * NF4_SHARE)
    return Sizes(layers, kv_heads, head_dim, weights, four_bits, layers // 6, text.get("sliding_window") or 1024)


def _samples(directory: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    listed = directory / "samples.json"
    if not listed.is_file():
        return ()
    prompts = json.loads(listed.read_text(encoding="utf-8"))["prompts"]
    return tuple((prompt["text"], tuple(prompt["images"])) for prompt in prompts)


def _note(directory: Path) -> str | None:
    """What a user has to know about a demo checkpoint, from the card it was made with."""
    card = directory / "demo.json"
    if not card.is_file():
        return None
    if json.loads(card.read_text(encoding="utf-8")).get("trained"):
        return "A tiny demonstration model. It is not MedGemma and knows nothing about medicine."
    return "Its weights are random and untrained: every answer is noise."

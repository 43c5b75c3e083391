"""Tiny Gemma-3 checkpoints with random weights, made on the spot: real classes, real files, no network."""

from pathlib import Path

from demo_model.checkpoint import Size, random_model, save_checkpoint
from demo_model.tokenizer import build_tokenizer

# Seven layers so that one is global (every sixth), and a window shorter than the prompts of the tests.
TINY = Size(
    vocab_size=640,
    hidden=64,
    layers=7,
    heads=4,
    kv_heads=2,
    head_dim=16,
    ffn=128,
    sliding_window=32,
    context=8192,
    image_size=28,
    patch_size=7,
    image_tokens=4,
    vision_hidden=32,
    vision_layers=2,
    vision_heads=2,
    vision_ffn=64,
)

CORPUS = [
    "What is visible in this image? The left lung shows a bright opacity in the upper zone.",
    "Compare the two films: the first is clear, the second is not. 12.5 mg, 5*10^9/L, 37.2 °C.",
    "user model system thought You are a helpful medical assistant. Grüße, 你好, naïve café.",
] * 20


def make(directory: Path, *, images: bool, size: Size = TINY, seed: int = 0) -> Path:
    """Write a checkpoint to `directory`, in float32 so that nothing is lost between two ways of loading it."""
    model = random_model(size, images=images, seed=seed)
    save_checkpoint(model, build_tokenizer(CORPUS, size.vocab_size), size, directory)
    return directory

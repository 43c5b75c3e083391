"""The checkpoint that every peer serves: Gemma 3 with 34 layers, as the 4B has, but narrow, with random weights.

No answer of it ends by itself, whoever serves it: the rows of all tokens but learned pieces of words are zero, so that
the logit of an end is exactly 0 and never the largest. So each token is also a piece of text, and each peer's stream
shows every token it has made. It needs torch, and is made in a process of its own.
"""

from pathlib import Path

import torch

from demo_model.checkpoint import Size, random_model, save_checkpoint
from demo_model.tokenizer import BYTES, CONTROL, IMAGE, build_tokenizer

SIZE = Size(
    vocab_size=2048,
    hidden=256,
    layers=34,
    heads=4,
    kv_heads=2,
    head_dim=64,
    ffn=512,
    sliding_window=512,
    full_every=6,
    context=8192,
    image_size=224,
    patch_size=14,
    image_tokens=64,
    vision_hidden=128,
    vision_layers=6,
    vision_heads=4,
    vision_ffn=256,
)

CORPUS = [
    "The left lung shows a bright opacity in the upper zone, and the right costophrenic angle is clear.",
    "Compare the current film with the prior one: the effusion has grown, the heart is of normal size.",
    "Please describe the findings, then the impression, and say what remains uncertain about this image.",
    "user model system assistant medical question answer report patient findings treatment follow up dose",
] * 20


def make(directory: Path, *, images: bool) -> None:
    """Write it to `directory`, in float32; the same numbers each time."""
    model = random_model(SIZE, images=images, seed=0)
    tokenizer = build_tokenizer(CORPUS, SIZE.vocab_size)
    _never_end(model, tokenizer)
    save_checkpoint(model, tokenizer, SIZE, directory)


@torch.no_grad()
def _never_end(model, tokenizer) -> None:
    """Zero the rows of all that is no piece of text; input and output share them."""
    pieces = range(len(CONTROL) + len(BYTES), len(tokenizer) - len(IMAGE))
    spoken = {number for number in pieces if tokenizer.convert_ids_to_tokens(number).strip("▁").isalpha()}
    silent = [number for number in range(SIZE.vocab_size) if number not in spoken]
    model.get_input_embeddings().weight[silent] = 0

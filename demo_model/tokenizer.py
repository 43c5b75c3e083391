"""Builds a Gemma-shaped tokenizer on a small corpus; knows nothing of the model that will use it.

The control tokens keep the ids that Gemma 3 gives them (pad 0, eos 1, bos 2, `<unused94>` 100,
`<start_of_turn>` 105, `<end_of_turn>` 106), so that a test which hard-codes an id by mistake is the
exception that fails on real weights and not the rule. The three image tokens sit at the very end of
the vocabulary, as they do there.
"""

import json
from collections.abc import Iterable
from itertools import chain

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import GemmaTokenizer

UNUSED = [f"<unused{n}>" for n in range(99)]
CONTROL = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "[multimodal]", *UNUSED, "<start_of_turn>", "<end_of_turn>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
IMAGE = ["<start_of_image>", "<end_of_image>", "<image_soft_token>"]

# Gemma's vocabulary holds runs of line ends, and vLLM refuses a Gemma-3 tokenizer without those of two to four.
_LINE_ENDS = ["\n\n", "\n\n\n", "\n\n\n\n"] * 10_000

# Learned pieces never cross a word, a digit, a line end or a mark, so that encoding needs no pre-tokenizer.
_PIECES = Regex(r"\n+|\p{N}|▁?\p{L}+|▁+|[^\p{L}\p{N}▁\n]")


def build_tokenizer(corpus: Iterable[str], vocab_size: int) -> GemmaTokenizer:
    """Train byte-fallback BPE on `corpus` and lay it out like Gemma's.

    Raises:
        ValueError: `vocab_size` does not even hold control, byte and image tokens.
    """
    room = vocab_size - len(CONTROL) - len(BYTES) - len(IMAGE)
    if room < 16:
        raise ValueError(f"a vocabulary of {vocab_size} leaves no room for text pieces")
    pieces, merges = _learn(corpus, room)
    vocab = {token: number for number, token in enumerate([*CONTROL, *BYTES, *pieces])}
    while len(vocab) < vocab_size - len(IMAGE):
        vocab[f"<filler{len(vocab)}>"] = len(vocab)
    for token in IMAGE:
        vocab[token] = len(vocab)
    tokenizer = GemmaTokenizer(
        vocab=vocab,
        merges=merges,
        extra_special_tokens={
            "boi_token": "<start_of_image>",
            "eoi_token": "<end_of_image>",
            "image_token": "<image_soft_token>",
        },
    )
    special = [token for token in CONTROL if token not in UNUSED and token != "[multimodal]"] + IMAGE
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=True) for token in special], special_tokens=True)
    # The thinking markers are ordinary added tokens in Gemma: `skip_special_tokens` does not strip them.
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=False) for token in UNUSED])
    # Gemma's own tokenizer puts a BOS in front by itself, which doubles the one in the chat template's output.
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos> $B", special_tokens=[("<bos>", vocab["<bos>"])]
    )
    return tokenizer


def _learn(corpus: Iterable[str], room: int) -> tuple[list[str], list[tuple[str, str]]]:
    trainee = Tokenizer(models.BPE(byte_fallback=True))
    trainee.normalizer = normalizers.Replace(" ", "▁")
    trainee.pre_tokenizer = pre_tokenizers.Split(_PIECES, behavior="isolated")
    trainer = trainers.BpeTrainer(vocab_size=room, show_progress=False, min_frequency=2)
    trainee.train_from_iterator(chain(corpus, _LINE_ENDS), trainer)
    learned = json.loads(trainee.to_str())["model"]
    pieces = sorted(learned["vocab"], key=learned["vocab"].get)
    return pieces, [tuple(merge) for merge in learned["merges"]]

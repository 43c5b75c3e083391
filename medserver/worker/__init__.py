"""The Transformers engine: a program of its own behind the same wire as SGLang and vLLM.

    __main__   reads its orders from standard input, starts the rest, ends with its parent
    server     OpenAI chat completions on loopback
    wire       the request's JSON -> values
    prompt     messages -> token ids and pixels
    request    one sequence, from its arrival to its end
    scheduler  the one thread that owns the model: its steps, and what happens where one fails
    queue      who waits for a slot; outbox: what goes out to whom
    prefills   the prompts that run next, and with whom; pace: how much of them between two decode steps
    prefill    one prompt on its way into its slot
    batch      the rows that decode together, and what ends one
    kv_manager which request has which slot
    prefixes   what of earlier turns a prompt may begin with; copying: how it is kept
    vision     images -> features, each image once
    slots      the KV cache of all sequences; kv: what it costs; memory: what it may cost
    attention  where new keys and values go, and what each new token sees
    decoder    Gemma 3's layers, written straight over their weights
    sampling   logits -> the next token of each row
    text       token ids -> text, stop strings
    products   features times weights, by the library that is fastest on this CPU; threads: by how many threads
    lookup     how a lone stream may go on, from what it said before
    loading    the checkpoint from the disk into memory; model: what it computes there

Only this package imports torch and transformers.
"""

import os

# OpenMP's waiting threads spin by default, and on a machine that does anything else besides, a decode step then
# takes 5 to 30 times as long (measured on two cores: 189 ms against 7 ms). Where they sleep at once they are late for
# the next product of the same step: 185 tokens/s against 302 for 16 streams of a small model. So they spin, with the
# OpenMP of GCC, for a few hundredths of a millisecond, and `threads` leaves out a core that somebody else uses.
# It is read when torch is first imported, so it is set here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "3000")

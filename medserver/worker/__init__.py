"""The Transformers engine: a program of its own behind the same wire as SGLang and vLLM.

    __main__   reads its orders from standard input, starts the rest, ends with its parent
    server     OpenAI chat completions on loopback
    wire       the request's JSON -> values
    prompt     messages -> token ids and pixels
    request    one sequence, from its arrival to its end
    scheduler  the one thread that owns the model: admit, prefill, decode, deliver
    pace       how much of a prompt may run between two decode steps
    prefill    one prompt on its way into its slot
    prefixes   what of earlier turns a prompt may begin with
    vision     images -> features, each image once
    slots      the KV cache of all sequences; kv: what it costs; memory: what it may cost
    attention  where new keys and values go, and what each new token sees
    decoder    Gemma 3's layers, written straight over their weights
    sampling   logits -> the next token of each row
    text       token ids -> text, stop strings
    loading    the checkpoint from the disk into memory; model: what it computes there

Only this package imports torch and transformers.
"""

import os

# OpenMP's waiting threads spin by default, and on a machine that does anything else besides, a decode step then
# takes 5 to 30 times as long (measured on two cores: 189 ms against 7 ms); alone it makes no difference.
# It is read when torch is first imported, so it is set here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

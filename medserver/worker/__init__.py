"""The Transformers engine: a program of its own behind the same wire as SGLang and vLLM.

    __main__   reads its orders from standard input, starts the rest, ends with its parent
    server     OpenAI chat completions on loopback
    wire       the request's JSON -> values
    prompt     messages -> token ids and pixels
    scheduler  the one thread that owns the model: admit, prefill, decode, deliver
    batch      the KV cache of the running rows
    sampling   logits -> the next token of each row
    text       token ids -> text, stop strings
    model      the checkpoint in memory

Only this package imports torch and transformers.
"""

import os

# OpenMP's waiting threads spin by default, and on a machine that does anything else besides, a decode step then
# takes 5 to 30 times as long (measured on two cores: 189 ms against 7 ms); alone it makes no difference.
# It is read when torch is first imported, so it is set here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

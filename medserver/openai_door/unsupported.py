"""What OpenAI clients may ask for and this server cannot do: refused by name, because silence would be a wrong answer.

A name with the values that ask for nothing is harmless; an empty tuple means that only a null is.
"""

from typing import Any, NoReturn

from medserver.errors import BadRequest

HARMLESS: dict[str, tuple[Any, ...]] = {
    # OpenAI's own
    "audio": (),
    "frequency_penalty": (0,),
    "function_call": ("none",),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"], []),
    "n": (1,),
    "presence_penalty": (0,),
    "reasoning_effort": (),
    "response_format": ({"type": "text"},),
    "store": (False,),
    "tool_choice": ("none",),
    "tools": ([],),
    "top_logprobs": (0,),
    "verbosity": ("medium",),
    "web_search_options": (),
    # of the older completions
    "best_of": (1,),
    "echo": (False,),
    "suffix": ("",),
    # vLLM's and SGLang's
    "allowed_token_ids": ([],),
    "bad_words": ([],),
    "ebnf": ("",),
    "guided_choice": ([],),
    "guided_grammar": ("",),
    "guided_json": ({}, ""),
    "guided_regex": ("",),
    "include_stop_str_in_output": (False,),
    "length_penalty": (1,),
    "lora_path": (),
    "min_p": (0,),
    "no_stop_trim": (False,),
    "prompt_logprobs": (0, False),
    "regex": ("",),
    "return_token_ids": (False,),
    "skip_special_tokens": (True,),
    "stop_regex": ("", []),
    "stop_token_ids": ([],),
    "structured_outputs": ({},),
    "typical_p": (1,),
    "use_beam_search": (False,),
}
_INSTEAD = {"reasoning_effort": " The field `thinking` (auto, on, off) is what there is instead."}


def check(fields: dict[str, Any]) -> None:
    """Look for what cannot be honoured.

    Raises:
        BadRequest: naming the first such field.
    """
    for name, value in fields.items():
        if value is not None and name in HARMLESS and value not in HARMLESS[name]:
            refuse(name, _INSTEAD.get(name, ""))


def refuse(name: str, hint: str = "") -> NoReturn:
    raise BadRequest(f"{name}: this server does not support it.{hint}", code="unsupported_parameter", field=name)

"""Expands patterns such as `[how|in what way] {do_i} start it` into wordings; knows nothing of what they mean.

`[a|b|]` picks one of its alternatives (the last one here is empty), `{name}` picks from a named list of
synonyms; both nest. What a careless typist would make of a wording is here too.
"""

import hashlib
import re
from random import Random

from demo_model import first_words
from demo_model.first_words import bare

SYNONYMS = {
    "please": "[please|could you|can you|would you|pls]",
    "explain": "[explain|describe|tell me|say|clarify]",
    "tell": "[tell me about|explain|describe|say something about|give me an overview of|talk about|introduce"
    "|summarise]",
    "do_i": "[do i|can i|should i|do you|can you|does one|do we|can we|could i|would i|must i]",
    "i_can": "[i can|i could|we can|one can|you can|to]",
    "how": "[how|in what way|by what means]",
    "what_is": "[what is|what's|whats|what exactly is|what do you mean by|what is meant by]",
    "want": "[i want|i would like|i'd like|i need|we want|we need|i wish|i am trying|im trying]",
    "med": "[medserver|MedServer|med server|this server|this program|this software|the server|this app|this tool|it]",
    "medn": "[medserver|MedServer|med server|this server|this program|this software|the server|this app|this tool]",
    "start": "[start|launch|run|open|boot|fire up|bring up|get running]",
    "set": "[set|change|choose|pick|adjust|modify|configure|select|switch]",
    "allowed": "[allowed|permitted|possible|ok|okay|supported]",
    "show": "[show|give|list|display|name|write down|print]",
    "flag": "[flag|option|switch|parameter|argument|setting]",
    "picture": "[image|picture|photo|scan|film|x-ray|file]",
    "pictures": "[images|pictures|photos|scans|films|x-rays|files]",
}

# Ways to ask for a thing by its name; `%` stands for the thing.
ABOUT = (
    "{what_is} %",
    "what are %",
    "{tell} %",
    "[{please} |]{tell} %[ please|]",
    "[define|definition of|meaning of|basics of|introduction to|overview of|summary of] %",
    "%",
    "% [explained|in short|basics|in simple words|for beginners|overview|definition|meaning]",
    "what does % mean",
    "[i do not know|i don't know|i never understood|i forgot|remind me] what % [is|are|means]",
    "[do you know|can you tell me|please say|i want to know|i would like to know|tell me] what % [is|are|means]",
    "[in general|in simple words|briefly|shortly|in plain words], what [is|are] %",
    "[give|write] me a [short|brief|simple|quick] [definition|explanation|summary|description|introduction] of %",
    "{want} [to understand|to learn about|to know about|to read about|an explanation of] %",
    "what [should|must|do] i [know|understand] about %",
    "[anything|something|a few words] about %",
)

_INNER = re.compile(r"\[([^\[\]]*)\]")
_NAMED = re.compile(r"\{(\w+)\}")


def expand(pattern: str, rng: Random) -> str:
    while _NAMED.search(pattern):
        pattern = _NAMED.sub(lambda match: SYNONYMS[match[1]], pattern)
    while _INNER.search(pattern):
        pattern = _INNER.sub(lambda match: rng.choice(match[1].split("|")), pattern)
    return re.sub(r"\s+", " ", pattern).strip()


# How a question may begin otherwise. Known and unknown questions are reframed alike, so that no frame gives one away.
_FRAMES = (
    (
        re.compile(r"^how (?:to|(?:do|can|should|could|would|must) (?:i|we|you)|(?:does|can) one) "),
        "what do i have to do to|what must i do to|tell me how to|show me how to|please explain how to|explain how to"
        "|i would like to know how to|what is the [best|right|easiest|usual] way to|is there a way to"
        "|i do not know how to|[any idea|can you say|does anybody know] how to|i need to"
        "|[what are the|which] steps to|i wonder how i can",
    ),
    (
        re.compile(r"^(?:what is|what's|whats) "),
        "explain|please explain|tell me|can you tell me|i want to know|so what is|what exactly is|do you know|describe"
        "|i'd like to understand|remind me of|what would be",
    ),
    (
        re.compile(r"^(?:can|could|may) (?:i|we|you) "),
        "is it possible to|would it be possible to|am i able to|is there a way to|am i allowed to|i wonder if i can"
        "|do you think i can|are we able to|i would like to",
    ),
    (
        re.compile(r"^(?=(?:which|what|where|when|who|why) )"),
        "tell me|can you tell me|i want to know|so|please say|i wonder|do you know|my question is",
    ),
    (re.compile(r"^(?=(?:is|are|does|do|will|can|may) )"), "so|and|tell me,|i wonder,|is it true,|my question:"),
)


def reframed(wording: str, rng: Random) -> str:
    """The same question in another frame, once in four times; one of three words or fewer stays as it is."""
    if wording.count(" ") > 2 and rng.random() < 0.25:
        for begins, frames in _FRAMES:
            if begins.match(wording):
                return begins.sub(expand(f"[{frames}]", rng) + " ", wording)
    return wording


def held_out(wording: str) -> bool:
    """One wording in eight is kept from training, the same ones on every machine.

    One of a word or two ("fine-tunes?") is no variation of anything: held out, its word might stand nowhere else. What
    people type first is always taught.
    """
    words = bare(wording)
    if words.count(" ") < 2 or words in first_words.ALL:
        return False
    return hashlib.sha256(words.encode()).digest()[0] < 32


_OPENERS = (
    "hi, ",
    "hello, ",
    "hey ",
    "please: ",
    "quick question: ",
    "question: ",
    "sorry, ",
    "one more thing: ",
    "ok, ",
    "so ",
    "um, ",
    "hi there, ",
    "good morning, ",
    "excuse me, ",
    "now ",
    "also, ",
    "just wondering: ",
    "dear assistant, ",
    "i am new here, ",
    "we have just installed it, ",
    "i have a question, ",
    "can you help me, ",
    "listen, ",
    "my question is: ",
    "one question, ",
    "sorry to ask, ",
    "first of all, ",
    "my colleague asks: ",
    "i am a bit lost, ",
    "hm, ",
)
_CLOSERS = (
    " please",
    " thanks",
    " thank you",
    ", please",
    " pls",
    " for me",
    ", thanks in advance",
    " exactly",
    " then",
)
# What a hasty typist leaves out.
_SMALL = {"the", "a", "an", "is", "are", "do", "does", "i", "me", "my", "to", "of", "in", "for"}
_NEAR = {"a": "s", "e": "r", "i": "o", "o": "p", "n": "m", "t": "r", "s": "d", "r": "t", "l": "k", "d": "f", "c": "v"}


def typed(wording: str, rng: Random, *, slips: bool = True) -> str:
    """The wording as somebody might type it: polite words, capitals, marks, and now and then a slip."""
    if rng.random() < 0.16:
        wording = rng.choice(_OPENERS) + wording
    if rng.random() < 0.10:
        wording += rng.choice(_CLOSERS)
    if slips and rng.random() < 0.08:
        wording = _hasty(wording, rng)
    while slips and rng.random() < 0.12:
        wording = _slip(wording, rng)
    if rng.random() < 0.5:
        wording = wording[:1].upper() + wording[1:]
    return wording + rng.choice(("?", "?", "?", ".", "", "", "", "!", " ?"))


def _hasty(wording: str, rng: Random) -> str:
    words = wording.split(" ")
    small = [number for number, word in enumerate(words) if word in _SMALL]
    if len(words) > 3 and small:
        del words[rng.choice(small)]
    return " ".join(words)


def _slip(wording: str, rng: Random) -> str:
    at = rng.randrange(1, max(2, len(wording) - 1))
    letter = wording[at : at + 1]
    if not letter.isalpha():
        return wording
    kind = rng.randrange(4)
    if kind == 0:
        return wording[:at] + wording[at + 1 :]
    if kind == 1:
        return wording[:at] + letter + wording[at:]
    if kind == 2:
        return wording[:at] + _NEAR.get(letter.lower(), letter) + wording[at + 1 :]
    return wording[: at - 1] + letter + wording[at - 1 : at] + wording[at + 1 :]

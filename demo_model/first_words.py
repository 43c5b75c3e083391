"""What people type first, by kind, and what they try that is out of reach; no answers here.

Always taught and never examined: a wording that so many will type must not be one of those that are kept from training.
"""

import re

KNOWN: dict[str, tuple[str, ...]] = {
    "hello": ("hello", "hi", "hey", "hello there", "good morning", "hi there", "hello, how are you"),
    "thanks": ("thanks", "thank you", "thank you very much", "great, thanks", "ok thanks"),
    "bye": ("bye", "goodbye", "see you"),
    "who-are-you": (
        "who are you",
        "what are you",
        "which model is this",
        "what model is this",
        "is this medgemma",
        "are you medgemma",
        "are you the real medgemma",
        "are you a doctor",
        "are you chatgpt",
        "what is your name",
        "is this the real model",
    ),
    "what-can-you-do": ("what can you do", "help", "what can i ask you", "what do you know"),
    "what-is-medserver": ("what is medserver", "what does medserver do"),
    "start": ("how do i start it", "how do i start medserver"),
    "install": ("how do i install it", "how do i install medserver"),
    "switch-model": ("how do i get the real medgemma", "how do i use the real model"),
    "vram": ("which model fits my graphics card", "which gpu do i need", "how much vram do i need"),
    "medgemma": ("what is medgemma", "tell me about medgemma"),
    "privacy": ("is my data safe", "where does my data go", "is it private"),
    "medical-device": ("is this a medical device", "can i use this for diagnosis", "can i trust you"),
    "vital-signs": ("show me the normal vital signs of an adult", "normal vital signs"),
    "abcde": ("how do i read a chest film step by step", "how do i read a chest x-ray"),
    "pneumonia": ("what is pneumonia",),
    "blood-pressure": ("what is blood pressure",),
}

OUT_OF_REACH: tuple[str, ...] = (
    "what is the capital of france",
    "tell me a joke",
    "write a poem",
    "what is the weather today",
    "what time is it",
    "who is the president",
    "what is 2 + 2",
    "how are babies made",
    "write python code",
    "translate this into german",
    "do you speak german",
    "what is the meaning of life",
    "how do i bake bread",
)
CLINICAL: tuple[str, ...] = (
    "i have a headache",
    "my chest hurts",
    "i feel sick",
    "what should i take for a cold",
    "which dose of amoxicillin for pneumonia",
    "how is pneumonia treated",
    "what is cancer",
)


def bare(wording: str) -> str:
    """A wording without case and marks: what must differ for two wordings to count as different."""
    return re.sub(r"[^a-z0-9]+", " ", wording.lower()).strip()


ALL = frozenset(bare(wording) for wordings in (*KNOWN.values(), OUT_OF_REACH, CLINICAL) for wording in wordings)

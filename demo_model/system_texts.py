# ruff: noqa: E501
"""Makes system prompts of all sorts, so that the demo's answers do not hang on them; knows no questions."""

from random import Random

from demo_model.grammar import expand
from demo_model.unknowns import invented

# What the server sends by itself (medserver/prompts.py); the variety below keeps answers from hanging on its words.
TEXT_DEFAULT = (
    "You are a helpful medical assistant advising a doctor. Answer precisely and in a clear structure, give the "
    "usual units and reference ranges, and name what is uncertain or depends on facts you were not given. Say when "
    "something needs urgent action, and never invent findings, figures or sources."
)
IMAGE_DEFAULT = (
    "You are a careful radiology assistant advising a doctor. Describe what is visible in a structured way: "
    "technique and quality, findings, impression. Report only what can be seen, give locations and sides as a "
    "radiologist would, compare images in the order they are given, and say clearly when the image is not good "
    "enough or does not show what is asked."
)
SILENT = "SYSTEM INSTRUCTION: think silently if needed."

_SENTENCES = (
    "You are [a|an] [helpful|careful|experienced|friendly|concise|patient|precise|expert] [medical assistant|radiology assistant|radiologist|doctor|clinician|assistant|teacher|nurse|research assistant|physician].",
    "[Answer|Reply|Respond] [briefly|in English|in Markdown|politely|in full sentences|with a list|precisely|in simple words|for a specialist].",
    "[Be|Stay] [accurate|concise|honest|careful|structured|calm|short|friendly|neutral|factual].",
    "Say when [you are not sure|you do not know|the image is not good enough|something cannot be seen|information is missing|the question is unclear].",
    "Describe [only what is visible|the findings first|technique, findings and impression|each zone in turn|what you see in order].",
    "[Never|Do not] [invent findings|guess|give a diagnosis|mention these instructions|repeat yourself|speculate|make up references].",
    "[Use|Give] [headings and lists|tables where they help|SI units|short paragraphs|the usual terms|differential diagnoses|references].",
    "You advise [a doctor|a medical student|a radiologist|a ward team|researchers|a hospital department|a nurse].",
    "[A professional|A doctor|The user] checks [every answer|your output|what you write] before [it is used|use|anything happens].",
    "[Name|State|Mention] [limits|uncertainty|the evidence|quality problems|the side|alternatives].",
    "Today we [study|discuss|review] {w}.",
    "The department is called {w} and the [ward|room|team] is {w}.",
    "[Structure|Begin|End] your answer with [a summary|the impression|the key point|findings|one sentence].",
    "Images [may be|are] [phantoms|anonymous|of low quality|chest films|test pictures].",
    "[If asked|When asked] about {w}, [say so|be brief|decline|be careful].",
)


def system_text(rng: Random, *, images: bool) -> str:
    """None in a quarter of cases, one of the server's own in another, else something somebody might have written."""
    draw = rng.random()
    if draw < 0.25:
        return ""
    if draw < 0.50:
        text = IMAGE_DEFAULT if images or rng.random() < 0.1 else TEXT_DEFAULT
    else:
        sentences = rng.sample(_SENTENCES, rng.choice((1, 2, 2, 3, 4)))
        text = " ".join(expand(sentence.replace("{w}", invented(rng).capitalize()), rng) for sentence in sentences)
    return f"{SILENT} {text}" if rng.random() < 0.1 else text

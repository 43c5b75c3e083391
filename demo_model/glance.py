"""How far each ability is learned, at a glance, and how often each should therefore come up; changes no weights.

The lessons are fresh ones of the training side: what decides over the training never meets the examination.
"""

import torch

from demo_model.batches import Batches, collate, cut
from demo_model.desk import Desk
from demo_model.encoding import Example
from demo_model.gallery import Gallery, normalise
from demo_model.lessons import ABILITIES, FIRST_STEPS, SHARES, make_first_lesson, make_lesson

COUNT = 20
_KEPT = 0.2  # what an ability keeps of its share when nothing of it is wrong any more


@torch.no_grad()
def glance(model, batches: Batches, gallery: Gallery) -> dict[str, float]:
    """Share of lessons of which every token is the likeliest one where it stands (the text before it being right)."""
    right: dict[str, float] = {}
    make = make_first_lesson if batches.plain else make_lesson
    for ability in FIRST_STEPS if batches.plain else ABILITIES:
        lessons = [_lesson(make, batches, ability) for _ in range(COUNT)]
        right[ability] = sum(_right(model, part, gallery) for part in cut(lessons, 4096)) / COUNT
    return right


def _lesson(make, batches: Batches, ability: str) -> Example:
    desk: Desk = batches.desk
    return batches.encoder.example(make(desk, {ability: 1.0}), desk.rng, plain=batches.plain)


def _right(model, examples: list[Example], gallery: Gallery) -> int:
    batch = collate(examples, model.config.get_text_config().pad_token_id, model.config.image_token_id)
    numbers = [number for example in examples for number in example.images]
    hidden = model.model(
        input_ids=batch["ids"],
        attention_mask=dict.fromkeys(("full_attention", "sliding_attention"), batch["mask"]),
        pixel_values=normalise(gallery.pixels[numbers]) if numbers else None,
        use_cache=False,
    ).last_hidden_state[:, :-1]
    wanted = batch["weights"][:, 1:] > 0
    wrong = torch.zeros_like(wanted)
    wrong[wanted] = model.lm_head(hidden[wanted]).argmax(-1) != batch["ids"][:, 1:][wanted]
    return int((~wrong.any(dim=1)).sum())


def shares(right: dict[str, float]) -> dict[str, float]:
    """More of what is still wrong."""
    return {name: share * (_KEPT + 1 - right.get(name, 0.0)) for name, share in SHARES.items()}

"""The one command that makes the demo model: draws, trains, examines and writes everything that ships.

python -m demo_model.make --out DIR [--seed 0]      about an hour on two quiet cores
python -m demo_model.make --out DIR --random        untrained weights, in seconds

A run that was stopped goes on from DIR.progress when it is started again, also with another number of `--steps`.
`--so-far` writes what such a run has learned, marked as not trained.
"""

import argparse
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

import torch

from demo_model import quick_gradients
from demo_model.batches import Batches
from demo_model.card import write_card
from demo_model.checkpoint import Size, random_model, save_checkpoint
from demo_model.desk import Desk
from demo_model.encoding import Encoder
from demo_model.evaluate import evaluate
from demo_model.gallery import Gallery, build_gallery
from demo_model.glance import glance, shares
from demo_model.lessons import make_last_lesson, make_lesson
from demo_model.progress import Progress
from demo_model.samples import write_samples
from demo_model.tokenizer import build_tokenizer
from demo_model.tower import Heads, tower_accuracy, train_tower
from demo_model.train import Course, balance


@dataclass(frozen=True)
class Finish:
    """A course of the language model alone, from weights rounded as they ship. `first_words`: their share in it."""

    steps: int
    rate: float
    first_words: float


@dataclass(frozen=True)
class Recipe:
    pictures: int = 14_000
    tower_steps: int = 1_300
    tower_batch: int = 32
    tower_rate: float = 1.5e-3
    steps: int = 8_000
    tokens: int = 2048
    first_lessons: int = 40_000
    rate: float = 2e-3
    # After two of them "Is this MedGemma?" without a system prompt was still taken for a question about an image.
    finishes: tuple[Finish, ...] = (
        Finish(2_200, 0.7e-3, 1 / 8),
        Finish(300, 0.25e-3, 1 / 3),
        Finish(200, 0.3e-3, 1 / 2),
    )
    cases: int = 200
    corpus: int = 20_000


RANDOM = Recipe(pictures=200, corpus=400)


def _tokenizer(gallery: Gallery, size: Size, lessons: int, seed: int):
    """Learned from lessons alone, training wordings only."""
    desk = Desk(Random(seed), gallery, exam=False)
    texts: list[str] = []
    for _ in range(lessons):
        lesson = make_lesson(desk)
        texts.append(lesson.system)
        for turn in lesson.turns:
            texts += [turn.question, turn.answer, turn.thought]
    return build_tokenizer(texts, size.vocab_size)


def _train(model, tokenizer, gallery: Gallery, size: Size, recipe: Recipe, seed: int, progress: Progress) -> None:
    quick_gradients.install()
    quick_gradients.round_products()
    model.train()
    kept = progress.load()
    heads = Heads(size.vision_hidden, size.hidden)
    if not kept:
        heads = train_tower(
            model, gallery, steps=recipe.tower_steps, batch=recipe.tower_batch, rate=recipe.tower_rate, seed=seed
        )
        held_out = build_gallery(500, seed + 500, size.image_size, processes=1)
        print("tower on held-out pictures", tower_accuracy(model, heads, held_out), flush=True)
    torch.manual_seed(seed)
    balance(model)
    encoder = Encoder(tokenizer, size.image_tokens)
    batches = Batches(encoder, gallery, tokens=recipe.tokens, first=recipe.first_lessons, seed=seed)
    course = Course(model, heads, gallery, batches, steps=recipe.steps, rate=recipe.rate, decay=0.35)
    if kept:
        course.restore(kept)
    course.run(lambda state: progress.save(**state))
    for number, last in enumerate(recipe.finishes, start=1):
        _finish(model, encoder, gallery, last, recipe.tokens, seed + number)
    model.eval()


def _finish(model, encoder: Encoder, gallery: Gallery, last: Finish, tokens: int, seed: int) -> None:
    """More of what is still wrong, and what people type first, at a rate that falls at once; the tower stays."""
    model.to(torch.bfloat16).to(torch.float32)
    model.model.vision_tower.requires_grad_(False)
    make = partial(make_last_lesson, first_words=last.first_words)
    batches = Batches(encoder, gallery, tokens=tokens, first=0, seed=seed, make=make)
    batches.shares = shares(glance(model, batches, gallery))
    Course(model, None, gallery, batches, steps=last.steps, rate=last.rate, decay=1.0).run()


def make(directory: Path, seed: int, recipe: Recipe, *, trained: bool, so_far: bool = False) -> None:
    """Everything that ships, written to `directory`."""
    started = time.monotonic()
    size = Size()
    gallery = build_gallery(recipe.pictures, seed + 1, size.image_size)
    tokenizer = _tokenizer(gallery, size, recipe.corpus, seed)
    model = random_model(size, images=True, seed=seed)
    progress = Progress(directory.with_name(directory.name + ".progress"))
    if so_far:
        model.load_state_dict(progress.load()["model"])
    elif trained:
        _train(model, tokenizer, gallery, size, recipe, seed, progress)
    directory.mkdir(parents=True, exist_ok=True)
    save_checkpoint(model.to(torch.bfloat16), tokenizer, size, directory)
    # safetensors writes it for its owner alone; what is packaged must be readable by whoever serves it.
    (directory / "model.safetensors").chmod(0o644)
    if trained:
        write_samples(directory)
    print(f"written after {time.monotonic() - started:.0f} s", flush=True)
    # Examined as shipped: the file just written, in bfloat16, not the weights still in memory.
    accuracy, printed, speed = evaluate(directory, recipe.cases) if trained else ({}, "", 0.0)
    command = f"python -m demo_model.make --seed {seed}" + (
        f" --steps {recipe.steps}" if trained else " --so-far" if so_far else " --random"
    )
    write_card(directory, trained=trained, seed=seed, recipe=command, accuracy=accuracy, table=printed, speed=speed)
    if trained:
        progress.forget()
    print(f"{printed}\n\n{speed:.0f} tokens/s\nall done after {time.monotonic() - started:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=Recipe.steps, help="joint steps; fewer are quicker and weaker")
    parser.add_argument("--random", action="store_true", help="write an untrained checkpoint, for tests")
    parser.add_argument("--so-far", action="store_true", help="write what a stopped run has learned, as unfinished")
    options = parser.parse_args()
    torch.set_num_threads(2)
    recipe = RANDOM if options.random else replace(Recipe(), steps=options.steps)
    unfinished = options.random or options.so_far
    make(options.out, options.seed, recipe, trained=not unfinished, so_far=options.so_far)


if __name__ == "__main__":
    main()

"""Puts into words what a scene shows, in answers and in thoughts; knows no pixels and no questions."""

from demo_model.phantoms import ZONES, Scene

FOOTER = "*Drawn phantom, not a medical finding.*"
NOT_RECOGNISED = "I do not recognise this picture. I was taught drawn **phantom films** and coloured **shapes** only."
TOO_MANY = "I was taught to look at **one or two** images at a time. Please send fewer."
NO_IMAGE = "There is **no image** in this chat yet. Add one with the image button, or take one of the phantom samples."
SIDES = ("right", "left")


def lung(scene: Scene, side: str) -> str:
    """`clear`, or where in that lung the opacity lies."""
    if scene.zone is None or not scene.zone.startswith(side):
        return "clear"
    return f"opacity in the {scene.zone.split()[1]} zone"


def _in_words(scene: Scene) -> str:
    if scene.kind == "film":
        return "no opacity" if scene.zone is None else f"opacity in the {scene.zone} zone"
    return f"{scene.colour} {scene.shape}, {scene.place}" if scene.kind == "shape" else "not recognised"


def describe(scene: Scene) -> str:
    if scene.kind == "shape":
        return f"I see a **{scene.colour} {scene.shape}** in the **{scene.place}** of the picture."
    if scene.kind == "other":
        return NOT_RECOGNISED
    finding = "no opacity" if scene.zone is None else f"bright opacity in the **{scene.zone} zone**"
    lungs = "\n".join(f"- **{side.capitalize()} lung:** {lung(scene, side)}" for side in SIDES)
    return f"## Phantom film\n\n- **Finding:** {finding}\n{lungs}\n\n{FOOTER}"


def where(scene: Scene) -> str:
    if scene.kind == "shape":
        return f"In the **{scene.place}** of the picture."
    if scene.kind == "other":
        return NOT_RECOGNISED
    return "Nowhere: both lungs are clear." if scene.zone is None else f"In the **{scene.zone} zone**."


def which_side(scene: Scene) -> str:
    if scene.kind != "film":
        return where(scene)
    if scene.zone is None:
        return "On neither side: both lungs are clear."
    side, level = scene.zone.split()
    return f"On the patient's **{side}**, in the {level} zone."


def is_there(scene: Scene, expected: bool) -> str:
    """Answers "is there an opacity?" (expected) or "is it clear?" (not expected)."""
    if scene.kind != "film":
        return describe(scene)
    agreed = "Yes" if (scene.zone is not None) == expected else "No"
    return f"{agreed}: " + (
        "both lungs are clear." if scene.zone is None else f"there is a bright opacity in the **{scene.zone} zone**."
    )


def part_is(scene: Scene, part: str, expected: bool) -> str:
    """The same about one lung (`right`) or one zone (`right upper`)."""
    if scene.kind != "film":
        return describe(scene)
    name = f"{part} zone" if part in ZONES else f"{part} lung"
    here = scene.zone is not None and scene.zone.startswith(part)
    agreed = "Yes" if here == expected else "No"
    if here:
        return f"{agreed}: there is a bright opacity in the **{scene.zone} zone**."
    elsewhere = "" if scene.zone is None else f" The opacity is in the {scene.zone} zone."
    return f"{agreed}: the **{name}** is clear.{elsewhere}"


def one_lung(scene: Scene, side: str) -> str:
    if scene.kind != "film":
        return describe(scene)
    state = lung(scene, side)
    return f"The **{side} lung** is clear." if state == "clear" else f"The **{side} lung** has an {state}."


def other_side(scene: Scene) -> str:
    """The side the opacity is not on."""
    if scene.zone is None:
        return "The other side is clear too: no opacity in either lung."
    return one_lung(scene, SIDES[scene.zone.startswith("right")])


def colour(scene: Scene) -> str:
    return f"The {scene.shape} is **{scene.colour}**." if scene.kind == "shape" else describe(scene)


def shape(scene: Scene) -> str:
    return f"It is a **{scene.shape}**." if scene.kind == "shape" else describe(scene)


def _label(first: Scene, second: Scene) -> str:
    return "Film" if first.kind == second.kind == "film" else "Image"


def _level(scene: Scene, side: str) -> str:
    """In which zone of that lung the opacity lies, as a cell of a table."""
    return f"{scene.zone.split()[1]} zone" if scene.zone and scene.zone.startswith(side) else "none"


def _lung_change(before: str, after: str) -> str:
    if before == after:
        return "same"
    return "**new**" if before == "none" else "**gone**" if after == "none" else "**moved**"


def _film_rows(first: Scene, second: Scene) -> list[tuple[str, str, str, str]]:
    cells = [(side, _level(first, side), _level(second, side)) for side in SIDES]
    return [(f"{side.capitalize()} lung", before, after, _lung_change(before, after)) for side, before, after in cells]


def _shape_rows(first: Scene, second: Scene) -> list[tuple[str, str, str, str]]:
    cells = [(name, getattr(first, name), getattr(second, name)) for name in ("shape", "colour", "place")]
    return [
        (name.capitalize(), before, after, "same" if before == after else "**changed**")
        for name, before, after in cells
    ]


def _film_change(first: Scene, second: Scene) -> str:
    if first == second:
        return "none"
    if first.zone is None:
        return f"a **new** opacity in the {second.zone} zone"
    if second.zone is None:
        return f"the opacity in the {first.zone} zone has **gone**"
    return f"the opacity has **moved** from the {first.zone} zone to the {second.zone} zone"


def compare(first: Scene, second: Scene) -> str:
    """A table, row by row: with both values just before it, each verdict is soon learned.

    Told in one sentence after both pictures, whether anything changed stayed at chance for 5,000 steps.
    """
    label = _label(first, second)
    if first.kind != second.kind or first.kind == "other":
        told = "I cannot compare them" if "other" in (first.kind, second.kind) else "two different kinds of picture"
        return f"- **{label} 1:** {_in_words(first)}\n- **{label} 2:** {_in_words(second)}\n\n**Change:** {told}."
    if first.kind == "film":
        rows, lead, change = _film_rows(first, second), "Opacity", _film_change(first, second)
    else:
        rows, lead = _shape_rows(first, second), "What"
        change = ", ".join(name.lower() for name, _, _, told in rows if told != "same") or "none"
    lines = [f"| {lead} | {label} 1 | {label} 2 | Change |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + f"\n\n**Change:** {change}."


def one_of(first: Scene, second: Scene, number: int) -> str:
    return f"**{_label(first, second)} {number}:** {_in_words((first, second)[number - 1])}."


def thought(scenes: list[Scene]) -> str:
    """How the model talks itself through one or two pictures before it answers."""
    if len(scenes) > 2:
        return "More than two pictures. I was taught one or two.\nPlan: ask for fewer."
    if len(scenes) == 2:
        first, second = (_in_words(scene) for scene in scenes)
        return f"Two pictures.\nFirst: {first}.\nSecond: {second}.\nPlan: compare them row by row."
    (scene,) = scenes
    if scene.kind == "other":
        return "One picture. It is neither a phantom film nor a coloured shape.\nPlan: say that I do not recognise it."
    if scene.kind == "shape":
        lead = "One picture, a shape on a plain ground."
        return f"{lead}\nShape: {scene.shape}.\nColour: {scene.colour}.\nPlace: {scene.place}."
    zones = "\n".join(f"{zone}: {'bright' if zone == scene.zone else 'clear'}" for zone in ZONES)
    return f"One picture, a phantom film. The patient's right is on the left.\n{zones}\nSo: {_in_words(scene)}."

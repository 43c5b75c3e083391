"""The models MedServer can serve, as a table; it does not know where their weights are on this machine."""

from dataclasses import dataclass
from typing import Literal

Modality = Literal["image-text", "text"]

# Figures of the releases (design facts; Hub model cards): one image is resized to 896 x 896 pixels and
# becomes 256 soft tokens, which travel between a start and an end marker and two blank lines.
IMAGE_SIZE = 896
IMAGE_TOKENS = 256


@dataclass(frozen=True, slots=True)
class ThinkingMarkers:
    """The two ordinary tokens between which MedGemma thinks, and the word that follows the first."""

    open: str = "<unused94>"
    close: str = "<unused95>"
    preamble: str = "thought\n"

    @property
    def opening(self) -> str:
        """What a model's turn begins with when it is to think."""
        return self.open + self.preamble


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of the table. `weights_gb` is the size in bfloat16, `min_vram_gb` what the model card asks for."""

    key: str
    name: str
    hub_id: str | None
    modality: Modality
    weights_gb: float
    min_vram_gb: int | None
    demo: bool = False
    thinking: ThinkingMarkers = ThinkingMarkers()

    @property
    def supports_images(self) -> bool:
        return self.modality == "image-text"

    @property
    def model_id(self) -> str:
        return self.hub_id or self.key


VARIANTS = {
    variant.key: variant
    for variant in (
        Variant("4", "MedGemma 1.5 4B", "google/medgemma-1.5-4b-it", "image-text", 8.6, 16),
        Variant("27", "MedGemma 27B", "google/medgemma-27b-it", "image-text", 54.9, 32),
        Variant("27t", "MedGemma 27B Text", "google/medgemma-27b-text-it", "text", 54.0, 32),
        Variant("demo", "MedServer demo", None, "image-text", 0.008, None, demo=True),
    )
}

TERMS = (
    "HAI-DEF is provided under and subject to the Health AI Developer Foundations Terms of Use found at "
    "https://developers.google.com/health-ai-developer-foundations/terms"
)

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
class Sizes:
    """What a model takes, in bytes where not named otherwise (design facts; the releases' config.json).

    `weights_4bit`: NF4 with the vision tower and the embeddings left in bfloat16. `global_layers` attend to the
    whole context, all others to a window of `window` tokens.
    """

    layers: int
    kv_heads: int
    head_dim: int
    weights: int
    weights_4bit: int
    global_layers: int
    window: int = 1024

    def kv_per_token(self) -> int:
        """Keys and values of one token over all layers, in two bytes each."""
        return 2 * self.layers * self.kv_heads * self.head_dim * 2


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of the table. `min_vram_gb` is what the model card asks for."""

    key: str
    name: str
    hub_id: str | None
    modality: Modality
    sizes: Sizes
    min_vram_gb: int | None
    demo: bool = False
    thinking: ThinkingMarkers = ThinkingMarkers()

    @property
    def supports_images(self) -> bool:
        return self.modality == "image-text"

    @property
    def weights_gb(self) -> float:
        """In bfloat16."""
        return self.sizes.weights / 1e9

    @property
    def model_id(self) -> str:
        return self.hub_id or self.key


_4B = Sizes(34, 4, 256, 8_600_000_000, 3_900_000_000, 5)
_27B = Sizes(62, 16, 128, 54_900_000_000, 16_900_000_000, 10)
_27B_TEXT = Sizes(62, 16, 128, 54_000_000_000, 16_000_000_000, 10)
_DEMO = Sizes(5, 2, 64, 8_400_000, 8_400_000, 1, window=512)

VARIANTS = {
    variant.key: variant
    for variant in (
        Variant("4", "MedGemma 1.5 4B", "google/medgemma-1.5-4b-it", "image-text", _4B, 16),
        Variant("27", "MedGemma 27B", "google/medgemma-27b-it", "image-text", _27B, 32),
        Variant("27t", "MedGemma 27B Text", "google/medgemma-27b-text-it", "text", _27B_TEXT, 32),
        Variant("demo", "MedServer demo", None, "image-text", _DEMO, None, demo=True),
    )
}

TERMS = (
    "HAI-DEF is provided under and subject to the Health AI Developer Foundations Terms of Use found at "
    "https://developers.google.com/health-ai-developer-foundations/terms"
)

"""Images to features, each image once: what the tower made of it is kept, bounded in bytes.

It does not know prompts. A key is a hash of the pixels, and the salt of whoever sent them.
"""

from collections import OrderedDict
from typing import Any

import torch

# About a hundred images of the 4B: the features are small, the tower's work for them is not.
KEPT_BYTES = 256 * 1024 * 1024

Key = tuple[str | None, bytes]


class Vision:
    """`eyes`: a `Gemma3Model`, tower and projector. Counts its calls of the tower and the images it knew."""

    def __init__(self, eyes: Any, kept_bytes: int = KEPT_BYTES):
        self._eyes = eyes
        self._kept: OrderedDict[Key, torch.Tensor] = OrderedDict()
        self._free = kept_bytes
        self.vision_calls = 0
        self.image_hits = 0

    def known(self, key: Key) -> torch.Tensor | None:
        """The features of an image that was looked at before, (tokens, hidden)."""
        features = self._kept.get(key)
        if features is not None:
            self._kept.move_to_end(key)
            self.image_hits += 1
        return features

    def look(self, key: Key, pixels: torch.Tensor) -> torch.Tensor:
        """`pixels` (3, height, width) in the tower's dtype and on its device → features, (tokens, hidden)."""
        self.vision_calls += 1
        features = self._eyes.get_image_features(pixels.unsqueeze(0), return_dict=True).pooler_output[0]
        self._kept[key] = features
        self._free -= features.nbytes
        while self._free < 0:
            _, oldest = self._kept.popitem(last=False)
            self._free += oldest.nbytes
        return features

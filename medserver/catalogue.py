"""Which models can be asked for, under which names. It knows neither the engine nor how far it is."""

import time
from collections.abc import Callable
from typing import Any

from medserver.errors import NotFound
from medserver.models import Variant


class Catalogue:
    """`models`: the ids that can be asked for now, the default one first. `context`: tokens that it holds."""

    def __init__(self, variant: Variant, models: Callable[[], tuple[str, ...]], context: Callable[[], int]):
        self._aliases = {variant.model_id, variant.key, variant.name}
        self._models = models
        self._context = context
        self._created = int(time.time())

    @property
    def ids(self) -> tuple[str, ...]:
        return self._models()

    def listing(self) -> dict[str, Any]:
        """As OpenAI's `GET /v1/models` has it."""
        return {"object": "list", "data": [self._card(name) for name in self.ids]}

    def card(self, name: str) -> dict[str, Any]:
        """The model of this name; raises like `resolve`."""
        return self._card(self.resolve(name) or self.ids[0])

    def resolve(self, name: str | None) -> str | None:
        """The id that an engine is to be asked for, or None for its default.

        Nothing, an empty name and the variant's own names mean the default.

        Raises:
            NotFound: there is no such model here.
        """
        if name in self.ids:
            return name
        if not name or name in self._aliases:
            return None
        sentence = f"There is no such model here; this server serves {', '.join(self.ids)}."
        raise NotFound(sentence, code="model_not_found", field="model")

    def _card(self, name: str) -> dict[str, Any]:
        about = {"object": "model", "created": self._created, "owned_by": "medserver"}
        return {"id": name, **about, "max_model_len": self._context()}

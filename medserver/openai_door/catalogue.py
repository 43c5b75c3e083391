"""Which model is served, as OpenAI's clients ask for it. It knows neither the engine nor how far it is."""

import time
from collections.abc import Callable
from typing import Any

from medserver.errors import NotFound
from medserver.models import Variant


class Catalogue:
    """One model. `context` says how many tokens it holds, as far as that is known by then."""

    def __init__(self, variant: Variant, context: Callable[[], int]):
        self.model_id = variant.model_id
        self._names = {variant.model_id, variant.key, variant.name}
        self._context = context
        self._created = int(time.time())

    def listing(self) -> dict[str, Any]:
        return {"object": "list", "data": [self.card(self.model_id)]}

    def card(self, name: str) -> dict[str, Any]:
        """The model of this name; raises like `check`."""
        self.check(name)
        about = {"object": "model", "created": self._created, "owned_by": "medserver"}
        return {"id": self.model_id, **about, "max_model_len": self._context()}

    def check(self, name: str | None) -> None:
        """Whether `name` is what is served. Nothing or an empty name is: there is no other model to mean.

        Raises:
            NotFound: it is another model.
        """
        if name and name not in self._names:
            sentence = f"There is no such model here; this server serves {self.model_id}."
            raise NotFound(sentence, code="model_not_found", field="model")

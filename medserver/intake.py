"""What arrived becomes a `Chat`: limits kept, images decoded, sampling resolved against the server's policy.

After this room nobody checks shape, size or range again.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from medserver.catalogue import Catalogue
from medserver.chat import Chat, Image, Part, Sampling, Turn
from medserver.config import MAX_STOP_STRINGS, REPETITION_PENALTY_RANGE, TEMPERATURE_RANGE, TOP_P_RANGE, Settings
from medserver.engine.base import Serving
from medserver.errors import BadRequest, ContextOverflow, InvalidRequest, PayloadTooLarge
from medserver.imaging.pool import DecoderPool
from medserver.schemas import AnalyzeForm, ChatRequest, ImagePart, Message, SamplingFields


@dataclass(frozen=True, slots=True)
class _Payload:
    """One image as it arrived, not yet decoded."""

    data: bytes
    base64_encoded: bool

    @property
    def size(self) -> int:
        return len(self.data) * 3 // 4 if self.base64_encoded else len(self.data)


class Intake:
    """`serving` says whether the model takes images, and how many tokens one of them costs."""

    def __init__(self, settings: Settings, serving: Serving, decoders: DecoderPool, catalogue: Catalogue):
        self._settings = settings
        self._catalogue = catalogue
        self._decoders = decoders
        self._supports_images = serving.supports_images
        self._image_tokens = serving.image_tokens

    async def chat(self, request: ChatRequest) -> Chat:
        """Check and decode a chat.

        Raises:
            Refusal: a limit is broken, an image cannot be read, sampling is out of range.
        """
        model = self._catalogue.resolve(request.model)
        self._check_lengths(request)
        sampling = self._sampling(request, self._extras(request))
        turns = [self._turn(index, message) for index, message in enumerate(request.messages)]
        decoded = await self._decoded(turns)
        return Chat(decoded, request.system_prompt, sampling, request.thinking, model, request.loop_guard)

    async def analyze(self, form: AnalyzeForm, images: Sequence[bytes]) -> Chat:
        """Check and decode one question about images; raises like `chat`."""
        if not images:
            raise InvalidRequest("image: at least one image file is needed.")
        self._check_text([len(form.prompt)])
        sampling = self._sampling(form, {})
        payloads = self._payloads([_Payload(data, False) for data in images])
        turns = await self._decoded([("user", [*payloads, form.prompt])])
        return Chat(turns, None, sampling, form.thinking)

    def _check_lengths(self, request: ChatRequest) -> None:
        most = self._settings.max_history_messages
        if len(request.messages) > most:
            raise BadRequest(f"The conversation has more than {most} messages.", code="too_many_messages")
        lengths = [len(request.system_prompt or ""), *(_text_length(message) for message in request.messages)]
        self._check_text(lengths)

    def _check_text(self, lengths: list[int]) -> None:
        settings = self._settings
        if max(lengths) > settings.max_text_length:
            raise BadRequest(
                f"A message has {max(lengths)} characters; at most {settings.max_text_length} are taken.",
                code="text_too_long",
            )
        if sum(lengths) > settings.max_conversation_length:
            raise BadRequest(
                f"The conversation has {sum(lengths)} characters; at most {settings.max_conversation_length} "
                "are taken. Begin a new session or shorten it.",
                code="conversation_too_long",
            )

    def _extras(self, request: ChatRequest) -> dict:
        stop = (request.stop,) if isinstance(request.stop, str) else tuple(request.stop or ())
        if len(stop) > MAX_STOP_STRINGS or "" in stop:
            raise InvalidRequest(f"stop: at most {MAX_STOP_STRINGS} strings, none of them empty.", field="stop")
        if request.min_tokens > request.max_tokens:
            raise InvalidRequest("min_tokens: it must not be more than max_tokens.", field="min_tokens")
        # Where to stop and which seed are no matter of policy; how freely the model draws is.
        extras = {"stop": stop, "seed": request.seed}
        extras |= {"min_tokens": request.min_tokens, "ignore_eos": request.ignore_eos}
        if self._settings.allow_client_sampling_config:
            extras["top_k"] = request.top_k or 0
            asked = request.repetition_penalty
            extras["repetition_penalty"] = _ranged("repetition_penalty", asked, 1.0, REPETITION_PENALTY_RANGE)
        return extras

    def _sampling(self, fields: SamplingFields, extras: dict) -> Sampling:
        settings = self._settings
        temperature, top_p = settings.default_temperature, settings.default_top_p
        if settings.allow_client_sampling_config:
            temperature = _ranged("temperature", fields.temperature, temperature, TEMPERATURE_RANGE)
            top_p = _ranged("top_p", fields.top_p, top_p, TOP_P_RANGE)
        return Sampling(max_tokens=fields.max_tokens, temperature=temperature, top_p=top_p, **extras)

    def _turn(self, index: int, message: Message) -> tuple[str, list[str | _Payload]]:
        """The message's parts in order: images without a mark first, the others where they are marked."""
        images = self._payloads([_Payload(_base64_of(one), True) for one in message.image_data])
        parts = [message.content] if isinstance(message.content, str) else message.content
        marks = sum(isinstance(part, ImagePart) for part in parts)
        if marks > len(images):
            raise InvalidRequest(f"messages.{index}.image_data: {marks} images are marked, {len(images)} are given.")
        if images and message.role != "user":
            raise InvalidRequest(f"messages.{index}.image_data: only a user's message carries images.")
        unmarked, marked = images[: len(images) - marks], iter(images[len(images) - marks :])
        placed = [next(marked) if isinstance(part, ImagePart) else getattr(part, "text", part) for part in parts]
        return message.role, [*unmarked, *placed]

    def _payloads(self, images: list[_Payload]) -> list[_Payload]:
        settings = self._settings
        if images and not self._supports_images:
            raise BadRequest("This model reads text only; it takes no images.", code="images_not_supported")
        if len(images) > settings.max_image_count:
            raise BadRequest(
                f"A message holds {len(images)} images; at most {settings.max_image_count} are taken.",
                code="too_many_images",
            )
        if any(image.size > settings.max_image_bytes for image in images):
            raise PayloadTooLarge(f"An image is larger than {settings.max_payload_mb} MB.")
        return images

    async def _decoded(self, turns: list[tuple[str, list[str | _Payload]]]) -> tuple[Turn, ...]:
        """All pictures of all turns, side by side; the first that cannot be read stops the others."""
        payloads = [part for _, parts in turns for part in parts if isinstance(part, _Payload)]
        most = self._settings.max_model_len // self._image_tokens
        if len(payloads) > most:
            raise ContextOverflow(f"The conversation holds {len(payloads)} images; the context has room for {most}.")
        tasks = [asyncio.ensure_future(self._image(payload, place)) for place, payload in enumerate(payloads, 1)]
        try:
            images = iter(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
        return tuple(Turn(role, tuple(_filled(parts, images))) for role, parts in turns)

    async def _image(self, payload: _Payload, place: int) -> Image:
        try:
            return await self._decoders.decode(payload.data, base64_encoded=payload.base64_encoded)
        except BadRequest as problem:
            raise BadRequest(f"Image {place}: {problem.sentence}", code=problem.code) from None


def _filled(parts: list[str | _Payload], images: Iterator[Image]) -> Iterator[Part]:
    for part in parts:
        yield next(images) if isinstance(part, _Payload) else part


def _ranged(name: str, asked: float | None, default: float, bounds: tuple[float, float]) -> float:
    if asked is None:
        return default
    low, high = bounds
    if not low <= asked <= high:
        raise BadRequest(f"{name} must be between {low} and {high}.", code="sampling_out_of_range", field=name)
    return asked


def _text_length(message: Message) -> int:
    if isinstance(message.content, str):
        return len(message.content)
    return sum(len(part.text) for part in message.content if not isinstance(part, ImagePart))


def _base64_of(text: str) -> bytes:
    """The base64 of a bare string or a data: URL; anything else, a path or a URL to fetch, is no image.

    Raises:
        BadRequest: it is neither.
    """
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise BadRequest("An image's data: URL must be base64.", code="bad_image")
    try:
        data = text.strip().encode("ascii")
    except UnicodeEncodeError:
        raise BadRequest("The image is not valid base64.", code="bad_image") from None
    if not data:
        raise BadRequest("An image is empty.", code="bad_image")
    return data

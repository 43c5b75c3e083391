"""A chat goes to the engine, events come back: thoughts and answer apart, budgets kept, timings taken.

One answer takes one generation, or two when the model is still thinking as its thinking budget or its turn
ends: then the thought is closed for it and the same turn goes on, because an answer that is all thought
is of no use to anybody. It knows no wire on either side.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from time import perf_counter

from medserver import prompts
from medserver.chat import Chat
from medserver.engine.base import Ask, End, Engine
from medserver.events import Done, Event, Thought, Timings, Token, Usage
from medserver.models import ThinkingMarkers
from medserver.thinking import ThinkingSplitter

# Of the tokens a client allows, so many may be thoughts; the rest is kept for the answer.
THINKING_SHARE = 0.5
# Enough to make a token impossible in every engine's arithmetic, and within what OpenAI's wire allows.
_BANNED = -100.0


@dataclass
class _Progress:
    """What has come so far, over both generations. Pieces count as tokens until the engine reports its count."""

    pieces: int = 0
    earlier_tokens: int = 0
    prompt_tokens: int = 0
    thought: list[str] = field(default_factory=list)
    started: float = field(default_factory=perf_counter)
    first: float | None = None
    last: float | None = None

    def note(self) -> None:
        self.pieces += 1
        self.last = perf_counter()
        self.first = self.first or self.last

    def timings(self, tokens: int) -> Timings:
        if self.first is None:
            return Timings()
        ttft = round((self.first - self.started) * 1000, 1)
        elapsed = self.last - self.first
        return Timings(ttft, round((tokens - 1) / elapsed, 1) if tokens > 1 and elapsed > 0 else None)


class Reply:
    """One answer. Iterate `events`; closing the iterator stops the engine's work."""

    def __init__(self, chat: Chat, engine: Engine, markers: ThinkingMarkers):
        self._chat = chat
        self._engine = engine
        self._markers = markers
        self._progress = _Progress()
        self._thinking_budget = max(1, int(chat.sampling.max_tokens * THINKING_SHARE))

    async def events(self) -> AsyncIterator[Event]:
        """Thoughts and tokens, then one `Done`.

        Raises:
            EngineProblem: the engine refused or failed.
        """
        ask = first_ask(self._chat, self._engine, self._markers)
        splitter = ThinkingSplitter(self._markers, thinking=_starts_thinking(self._chat))
        async with aclosing(self._generation(ask, splitter, budget=self._thinking_budget)) as generation:
            async for event in generation:
                if isinstance(event, Done) and splitter.thinking and (closing := self._closing_ask(ask)):
                    break
                yield event
            else:
                return
        self._progress.earlier_tokens = self._progress.pieces
        async with aclosing(self._generation(closing, ThinkingSplitter(self._markers), budget=None)) as generation:
            async for event in generation:
                yield event

    async def _generation(self, ask: Ask, splitter: ThinkingSplitter, budget: int | None) -> AsyncIterator[Event]:
        async with aclosing(self._engine.stream(ask)) as stream:
            async for item in stream:
                if isinstance(item, End):
                    for event in splitter.flush():
                        yield self._noted(event)
                    yield self._done(item)
                    return
                self._progress.note()
                for event in splitter.feed(item.text):
                    yield self._noted(event)
                if budget is not None and splitter.thinking and self._progress.pieces >= budget:
                    break
        for event in splitter.flush():
            yield self._noted(event)
        yield self._done(End("length", None))

    def _noted(self, event: Thought | Token) -> Thought | Token:
        if isinstance(event, Thought):
            self._progress.thought.append(event.text)
        return event

    def _done(self, end: End) -> Done:
        progress = self._progress
        now = end.usage or Usage(progress.prompt_tokens, progress.pieces - progress.earlier_tokens)
        progress.prompt_tokens = progress.prompt_tokens or now.prompt_tokens
        tokens = progress.earlier_tokens + now.completion_tokens
        return Done(end.reason, Usage(progress.prompt_tokens, tokens), progress.timings(tokens))

    def _closing_ask(self, ask: Ask) -> Ask | None:
        """The ask that closes the thought and goes on with the same turn; None when no token is left for it."""
        left = self._chat.sampling.max_tokens - self._progress.pieces
        if left < 1:
            return None
        markers = self._markers
        turn = markers.opening + "".join(self._progress.thought).rstrip() + markers.close
        messages = ask.messages[:-1] if ask.continue_final else ask.messages
        return replace(
            ask,
            messages=[*messages, {"role": "assistant", "content": turn}],
            continue_final=True,
            max_tokens=left,
            logit_bias=_ban(self._engine.facts.thinking_ids[0]),
        )


def first_ask(chat: Chat, engine: Engine, markers: ThinkingMarkers) -> Ask:
    """The chat as the engine is asked for it, with the thinking switch set.

    Off bans the opening marker, on begins the model's turn with it, auto leaves it to the model: the
    documented system message is a hint the model often does not follow.
    """
    messages = prompts.messages_for(chat)
    continues = prompts.continues_answer(chat)
    bias: dict[int, float] = {}
    if _starts_thinking(chat):
        messages, continues = [*messages, {"role": "assistant", "content": markers.opening}], True
    elif chat.thinking == "off" or continues:
        bias = _ban(engine.facts.thinking_ids[0])
    return Ask(messages, chat.sampling, chat.sampling.max_tokens, continue_final=continues, logit_bias=bias)


def _starts_thinking(chat: Chat) -> bool:
    return chat.thinking == "on" and not prompts.continues_answer(chat)


def _ban(token: int | None) -> dict[int, float]:
    return {} if token is None else {token: _BANNED}

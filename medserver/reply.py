"""A chat goes to the engine, events come back: thoughts and answer apart, budgets kept, timings taken.

One answer takes one generation, or two when the model is still thinking as its thinking budget or its turn
ends, or thinks in circles: then the thought is closed for it and the same turn goes on, because an answer that is
all thought is of no use to anybody. An answer that runs in circles ends there. It knows no wire on either side.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from time import perf_counter

from medserver import prompts
from medserver.chat import Chat
from medserver.engine.base import Ask, End, Engine
from medserver.errors import ContextOverflow
from medserver.events import Done, Event, FinishReason, Thought, Timings, Token, Usage
from medserver.loop_guard import DEFAULT_SENSITIVITY, LoopGuard
from medserver.models import ThinkingMarkers
from medserver.thinking import ThinkingSplitter

# Of the tokens a client allows, so many may be thoughts; the rest is kept for the answer.
THINKING_SHARE = 0.5
# Enough to make a token impossible in every engine's arithmetic, and within what OpenAI's wire allows.
_BANNED = -100.0


class Reply:
    """One answer. Iterate `events` once; closing the iterator stops the engine's work.

    `loop_sensitivity`: how soon a repetition is one too many, 0 (never) to 10. `cache_salt`: as in `Ask`.
    """

    def __init__(
        self,
        chat: Chat,
        engine: Engine,
        markers: ThinkingMarkers,
        loop_sensitivity: int = DEFAULT_SENSITIVITY,
        cache_salt: str | None = None,
    ):
        self._chat = chat
        self._cache_salt = cache_salt
        self._engine = engine
        self._markers = markers
        # Who wants an answer that does not end, to measure something, wants its loops as well.
        self._loop_sensitivity = 0 if chat.sampling.ignore_eos else loop_sensitivity
        self._thinking_budget = max(1, int(chat.sampling.max_tokens * THINKING_SHARE))
        self._said: list[Thought | Token] = []
        self._clock = _Clock()

    async def events(self) -> AsyncIterator[Event]:
        """Thoughts and tokens, then one `Done`.

        Raises:
            EngineProblem: the engine refused or failed.
        """
        ask = replace(first_ask(self._chat, self._engine, self._markers), cache_salt=self._cache_salt)
        splitter = ThinkingSplitter(self._markers, thinking=_starts_thinking(self._chat))
        async with aclosing(self._generation(ask, splitter, self._thinking_budget)) as generation:
            async for event in generation:
                if not isinstance(event, End):
                    yield event
                elif splitter.thinking and self._left(event) > 0:
                    unfinished = event
                else:
                    yield self._done(event)
                    return
        async with aclosing(self._answer_after(ask, unfinished)) as answer:
            async for event in answer:
                yield event

    async def _answer_after(self, ask: Ask, thought: End) -> AsyncIterator[Event]:
        """Close the thought of the first generation and go on with the same turn."""
        begun = replace(
            ask,
            messages=[*self._messages_before_turn(ask), {"role": "assistant", "content": self._turn_so_far(ask)}],
            continue_final=True,
            max_tokens=self._left(thought),
            logit_bias=_banned(*self._engine.facts.thinking_ids),
        )
        try:
            async with aclosing(self._generation(begun, ThinkingSplitter(self._markers), None)) as generation:
                async for event in generation:
                    yield self._done(event, after=thought) if isinstance(event, End) else event
        except ContextOverflow:  # the thought has filled the context: a full stop, not a refusal
            yield self._done(replace(thought, reason="length"))

    async def _generation(
        self, ask: Ask, splitter: ThinkingSplitter, thinking_budget: int | None
    ) -> AsyncIterator[Thought | Token | End]:
        """One generation as events, then its end; cut where it runs in circles, or still thinks without a budget."""
        pieces = 0
        end: End | None = None
        cut: FinishReason | None = None
        circles = _Circles(self._loop_sensitivity)
        async with aclosing(self._engine.stream(ask)) as stream:
            async for item in stream:
                if isinstance(item, End):
                    end = item
                    break
                pieces += item.pieces
                self._clock.tick()
                for event in splitter.feed(item.text):
                    self._said.append(event)
                    yield event
                    circles.hear(event)
                if circles.closed(splitter.thinking):
                    cut = "repetition"
                    break
                if thinking_budget is not None and splitter.thinking and pieces >= thinking_budget:
                    cut = "length"
                    break
        for event in splitter.flush():
            self._said.append(event)
            yield event
        # An engine that was cut off reports nothing; its pieces are as good as tokens.
        yield End((end.reason if end else cut) or "length", (end and end.usage) or Usage(0, pieces))

    def _left(self, end: End) -> int:
        return self._chat.sampling.max_tokens - end.usage.completion_tokens

    def _done(self, end: End, after: End | None = None) -> Done:
        """The end of the whole answer; `after` is the end of the thought's generation, where there were two."""
        prompt, completion = end.usage.prompt_tokens, end.usage.completion_tokens
        if after is not None:
            thought = after.usage.completion_tokens
            # The second prompt holds the thought, which the first has already counted as completion.
            prompt, completion = after.usage.prompt_tokens or max(0, prompt - thought), completion + thought
        return Done(end.reason, Usage(prompt, completion), self._clock.timings(completion))

    def _messages_before_turn(self, ask: Ask) -> list[dict]:
        return ask.messages[:-1] if ask.continue_final else ask.messages

    def _turn_so_far(self, ask: Ask) -> str:
        """The model's turn with its thought closed: what it was begun with, and all that was said since.

        What a model spells out is outside text like any other, so only the two markers are real ones.
        """
        markers, thinking = self._markers, False
        turn = ask.messages[-1]["content"] if prompts.continues_answer(self._chat) else ""
        for event in self._said:
            if isinstance(event, Thought) is not thinking:
                thinking = not thinking
                turn += markers.opening if thinking else markers.close
            turn += prompts.neutralised(event.text)
        return (turn if thinking else turn + markers.opening).rstrip() + markers.close


class _Circles:
    """A guard for the thought or the answer, whichever is spoken; a new one where one goes over into the other."""

    def __init__(self, sensitivity: int):
        self._sensitivity = sensitivity
        self._kind: type[Thought | Token] | None = None
        self._found = False

    def hear(self, event: Thought | Token) -> None:
        if type(event) is not self._kind:
            self._kind = type(event)
            self._guard = LoopGuard(self._sensitivity)
        self._found = self._guard.loops(event.text)

    def closed(self, thinking: bool) -> bool:
        """Whether what is spoken now is a loop; a thought that has just been closed was the last turn of one."""
        return self._found and thinking is (self._kind is Thought)


class _Clock:
    """When the first and the last piece of an answer came."""

    def __init__(self) -> None:
        self._started = perf_counter()
        self._first: float | None = None
        self._last: float | None = None

    def tick(self) -> None:
        self._last = perf_counter()
        self._first = self._first or self._last

    def timings(self, tokens: int) -> Timings:
        if self._first is None:
            return Timings()
        elapsed = self._last - self._first
        speed = round((tokens - 1) / elapsed, 1) if tokens > 1 and elapsed > 0 else None
        return Timings(round((self._first - self._started) * 1000, 1), speed)


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
        bias = _banned(engine.facts.thinking_ids[0])
    return Ask(
        messages,
        chat.sampling,
        chat.sampling.max_tokens,
        continue_final=continues,
        logit_bias=bias,
        model=chat.model,
    )


def _starts_thinking(chat: Chat) -> bool:
    return chat.thinking == "on" and not prompts.continues_answer(chat)


def _banned(*tokens: int | None) -> dict[int, float]:
    return {token: _BANNED for token in tokens if token is not None}

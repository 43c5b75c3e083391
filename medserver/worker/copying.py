"""A copy of what a slot holds, made stretch by stretch while its sequence goes on."""

from medserver.worker.slots import Slot, SlotCache, Snapshot

# Bytes of a stretch, and how many there are at most. The memory of a copy comes from the system page by page as it is
# written, and that of a chat of 2,000 tokens at once (24 MB) held up a step of 11 ms for another 30 to 100 (on a
# virtual machine, where a page costs most). A small stretch costs no less: it is some hundred copies, 1 ms, as such.
STRETCH = 4 << 20
MOST = 16


class Copying:
    """Of `slot` as it is now; `snapshot` is good once it is `done`.

    A ring that is full is written over from its oldest token on, and from there it is copied. So the copy must stay in
    front of what is written: by `ahead` tokens that come at once, by one between two calls of `step`, and by one more
    for the place that steps write to once a slot has ended and is only copied still.
    """

    def __init__(self, cache: SlotCache, slot: Slot, ahead: int = 0):
        self.slot = slot
        self._cache = cache
        shape, length = cache.shape, slot.length
        self._held = min(length, shape.window)  # columns of a ring
        self._oldest = length % shape.window if self._held == shape.window else 0
        self._written = ahead + 2 - (shape.window - self._held)  # of what is copied; until it is full, none
        self._made = 0
        self.bytes = shape.bytes(length)
        kinds: tuple[list, list] = ([], [])
        for layer, sliding in enumerate(shape.sliding):
            size = (shape.heads, shape.columns(layer, length), shape.head_dim)
            kinds[sliding].append((cache.keys[layer].new_empty(size), cache.values[layer].new_empty(size)))
        self.snapshot = Snapshot(length, *kinds)
        self._stretches = min(MOST, -(-self.bytes // STRETCH))
        if cache.keys[0].device.type != "cpu":  # others copy it in no time
            self._stretches = 1
            self.advance()
        self._catch_up()

    @property
    def done(self) -> bool:
        return self._made == self._stretches

    def step(self) -> None:
        """The sequence becomes longer by up to a token."""
        self._written += 1
        self._catch_up()

    def _catch_up(self) -> None:
        while not self.done and self._held * self._made // self._stretches < self._written:
            self.advance()

    def advance(self) -> None:
        """Copy the next stretch of every layer."""
        cache, kinds = self._cache, (iter(self.snapshot.whole), iter(self.snapshot.rings))
        for layer, sliding in enumerate(cache.shape.sliding):
            pair = next(kinds[sliding])
            spans = self._spans(pair[0].shape[1], self._oldest if sliding else 0)
            for mine, theirs in zip(pair, (cache.keys[layer], cache.values[layer]), strict=True):
                for first, after in spans:
                    mine[:, first:after] = theirs[self.slot.index, :, first:after]
        self._made += 1

    def _spans(self, columns: int, oldest: int) -> list[tuple[int, int]]:
        """Of a layer's `columns`, in the order in which they are written over, those of the next stretch."""
        first, after = (oldest + columns * made // self._stretches for made in (self._made, self._made + 1))
        spans = ((first, min(after, columns)), (max(first - columns, 0), after - columns))
        return [(first, after) for first, after in spans if first < after]

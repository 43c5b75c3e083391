"""The KV cache of the rows that decode together; it does not know requests, text or sampling.

All rows share one write column. A row of length n occupies the n columns before it, so shorter rows are
padded on the left, and one decode step writes one column for every row at once:

        column   0 1 2 3 4 5 6 7          start of row   length
        row 0    . . . a b c d e               3            5
        row 1    . x y z w v u t               1            7
                               ^ end = 8, the column the next step writes
"""

import contextlib

import torch

# Columns are added, and empty ones on the left given back, in blocks, so that copying is rare.
BLOCK = 256


class RowCache:
    """Keys and values, each (rows, kv_heads, columns, head_dim) per layer, and where each row begins."""

    def __init__(self) -> None:
        self.keys: list[torch.Tensor] = []
        self.values: list[torch.Tensor] = []
        self.starts: list[int] = []
        self.end = 0

    @property
    def rows(self) -> int:
        return len(self.starts)

    @property
    def lengths(self) -> list[int]:
        return [self.end - start for start in self.starts]

    def join(self, layers: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Add a row at the end. `layers`: keys and values of one prefill, each (1, kv_heads, length, head_dim)."""
        length = layers[0][0].shape[2]
        if not self.keys:
            self.keys = [key.new_empty((0, key.shape[1], 0, key.shape[3])) for key, _ in layers]
            self.values = [value.new_empty((0, value.shape[1], 0, value.shape[3])) for _, value in layers]
        self._fit(self.rows + 1, shift=max(0, length - self.end))
        row, start = self.rows, self.end - length
        for (key, value), keys, values in zip(layers, self.keys, self.values, strict=True):
            keys[row, :, start : self.end] = key[0]
            values[row, :, start : self.end] = value[0]
        self.starts.append(start)

    def leave(self, row: int) -> None:
        """Drop a row; the last row takes its place, so callers mirror it with the same swap."""
        last = self.rows - 1
        if row != last:
            for tensor in (*self.keys, *self.values):
                tensor[row] = tensor[last]
            self.starts[row] = self.starts[last]
        self.starts.pop()
        if not self.starts:
            self.keys, self.values, self.end = [], [], 0
        elif self.first >= BLOCK:
            with contextlib.suppress(torch.OutOfMemoryError):  # giving columns back takes memory first
                self._fit(self.rows, shift=-self.first)

    def open_column(self) -> None:
        """Make room for the column that the next step writes."""
        if self.end == self.keys[0].shape[2]:
            self._fit(self.rows, shift=0)

    def close_column(self) -> None:
        self.end += 1

    def update(self, key: torch.Tensor, value: torch.Tensor, layer: int, *_: object) -> tuple[torch.Tensor, ...]:
        """Called by each attention layer: write the new column, return all columns up to and with it.

        `key`, `value`: (rows, kv_heads, 1, head_dim). Named and shaped like `transformers.Cache.update`.
        """
        keys, values = self.keys[layer], self.values[layer]
        keys[: self.rows, :, self.end] = key[:, :, 0]
        values[: self.rows, :, self.end] = value[:, :, 0]
        columns = slice(self.first, self.end + 1)
        return keys[: self.rows, :, columns], values[: self.rows, :, columns]

    @property
    def first(self) -> int:
        return min(self.starts, default=0)

    def mask(self, window: int | None, device: torch.device) -> torch.Tensor:
        """Which columns the new token of each row sees: bool (rows, 1, 1, columns); `window` in tokens."""
        columns = torch.arange(self.first, self.end + 1, device=device)
        starts = torch.tensor(self.starts, device=device).unsqueeze(1)
        seen = columns >= starts
        if window is not None:
            seen &= columns > self.end - window
        return seen[:, None, None, :]

    def _fit(self, rows: int, shift: int) -> None:
        """Move all rows `shift` columns to the right and keep room for `rows` rows and one more column."""
        end = self.end + shift
        have_rows, have_columns = self.keys[0].shape[0], self.keys[0].shape[2]
        need_columns = -(-(end + 1) // BLOCK) * BLOCK
        if shift or rows > have_rows or need_columns > have_columns:
            rows = max(rows, have_rows)
            # All of them or none: out of memory half-way must not leave keys beside values of other columns.
            keys = [self._moved(tensor, rows, need_columns, shift) for tensor in self.keys]
            values = [self._moved(tensor, rows, need_columns, shift) for tensor in self.values]
            self.keys, self.values = keys, values
        self.starts = [start + shift for start in self.starts]
        self.end = end

    def _moved(self, tensor: torch.Tensor, rows: int, columns: int, shift: int) -> torch.Tensor:
        # Zeros, not empty memory: a masked column still meets a weight of zero, and zero times NaN is NaN.
        moved = tensor.new_zeros((rows, tensor.shape[1], columns, tensor.shape[3]))
        if self.rows:
            old, new = slice(self.first, self.end), slice(self.first + shift, self.end + shift)
            moved[: self.rows, :, new] = tensor[: self.rows, :, old]
        return moved

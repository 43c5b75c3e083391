"""The pipe between the front and a decoder: a fixed head, then the bytes it announces."""

import struct

MAX_PIXELS = 50_000_000  # a 7000 x 7000 film; 150 MB once it is RGB

# A job: the side of the square wanted at most (0: as it is), whether the payload is base64, its length.
JOB = struct.Struct(">I?I")
# An answer: whether it is a PNG or a sentence why there is none, and its length.
ANSWER = struct.Struct(">?I")

"""The pipe between the front and a decoder: a fixed head, then the bytes it announces."""

import struct

# A job: the side of the square wanted at most (0: as it is), whether the payload is base64, its length.
JOB = struct.Struct(">I?I")
# An answer: whether it is a PNG or a sentence why there is none, and its length.
ANSWER = struct.Struct(">?I")

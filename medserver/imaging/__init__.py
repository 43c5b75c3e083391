"""Bytes from outside become verified pixels, in a process that is made for dying.

pixels    encoded bytes -> a square PNG, RGB or grey. Pure, runs in the decoder process only
decoder   the decoder process: limits itself, then reads jobs from its standard input
pool      the front's side: starts decoders, hands out jobs, ends those that take too long
wire      how a job and its answer look on the pipe between the two
"""

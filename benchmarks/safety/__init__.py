"""What the server bears: overload, faults and hostile input against the real command over real sockets.

engine    an engine process that plays what the question asks for, behind the worker's own wire
served    the real front, which starts and watches that engine as it would the worker
house     the two as processes of a test or a measurement
wire      a client that sends what it likes, from any loopback address
rush      one of hundreds at once, which must not cost what is to be measured
overload, faults, hostile   the scenarios; each gives rows of the table
rows      what is demanded beside what was seen
"""

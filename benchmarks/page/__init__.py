"""What the page costs the browser: an answer that streams, a film that is dragged, sessions that are searched.

trace       CPU time of the tasks of the page's own thread, from the browser's own trace
scenarios   what somebody does; each gives named figures
run         the real front before a scripted engine, a browser, and one scenario after the other

CPU time and not wall time: on a busy machine a task waits for its turn, and that is not the page's doing.
"""

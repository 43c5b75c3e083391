"""The engine seen from the front: whatever computes answers is an OpenAI-compatible server.

base           the values that cross: what is asked, what comes back, what an engine is
select         settings + hardware -> candidates with reasons. Pure
host           opens an engine, watches it, restarts it, says how it stands
process        a supervised child process
client         the OpenAI wire, for all engines
transformers   the row of our own worker
"""

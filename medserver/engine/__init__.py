"""The engine seen from the front: whatever computes answers is an OpenAI-compatible server.

base           the values that cross: what is asked, what comes back, what an engine is
select         settings + hardware -> candidates with reasons. Pure
host           starts engines, again or the next one, and says how they stand
life           one life of one engine, from its start to its end
process        a supervised child process
keeper         the child that starts SGLang or vLLM and ends with us
client         the OpenAI wire, for all engines
shared         an engine that another process keeps
remote         servers that somebody else runs, as one engine
transformers, sglang, vllm   what differs between the engines, a row each
"""

"""The door for OpenAI clients: /v1/models and /v1/chat/completions, onto the same corridor as /api/chat.

schemas        what such a client sends
unsupported    what this server cannot do for it, by name
completion     a request becomes a `ChatRequest`, as /api/chat knows it
wire           events become chunks, or one completion
problems       problems become OpenAI's error object
"""

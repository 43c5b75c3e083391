"""Who may come in and with how much: pure ASGI, before anything is parsed.

envelope   a request id, security headers and one log line for every answer
body       no more bytes than were agreed
client     who is asking
rate       how often a client may ask
"""

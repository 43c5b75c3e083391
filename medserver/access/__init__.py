"""Who may come in and with how much: pure ASGI, before anything is parsed.

envelope     a request id, security headers and one log line for every answer
door         which name was called, who calls, from which page; closed is the rule
visitor      who asks: the machine itself, a session, a key, a stranger
addresses    whose a request is when proxies stand between
hosts        the names that are answered to
origins      pages from elsewhere
ledger       the file of who may come in; keys, sessions, pairing stand on it
entrance     all of these, made from the settings
terminal     the QR code and the PIN
tls          https with one's own certificates or the hospital's
body         no more bytes than were agreed
client       under which name somebody is counted
rate         how often a client may ask
shared_rate  the same over several hosts
recent       when it did, for as long as that counts
*_routes     pages and answers of pairing and trust
*_command    medserver pair, keys, sessions
"""

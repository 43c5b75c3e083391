"""Weights ahead of time: fetched from the Hub, checked, carried to machines that never see it.

proxy      the proxy that is named, without its password
failures   every way it can go wrong: code, exit status, sentence
record     what lies in a folder of weights, as the Hub said: a small JSON beside them
places     where weights lie on this machine
listing    what the Hub has of a repository: commit, files, sizes, hashes
room       whether the disk has room
fetch      one file, gone on with where it was cut off
progress   bytes, speed, time left; a live line or plain lines
download   the command that puts these together
verify     a folder or a bundle against its record
manifest   what a bundle holds
wheels     MedServer's own and what it needs, for a named platform
target     that platform, to pip
bundle     the command that packs one carryable thing
unpack     the weights of a bundle onto this machine
arrival    a download as a server that is starting has it done
command    what these commands share

`huggingface_hub` is asked for addresses, headers, sessions and errors, and is imported when a command needs it.
"""

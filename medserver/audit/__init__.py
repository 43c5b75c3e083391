"""What was asked of this server, by which session, and how it ended; never what was said.

account    one request as it will be remembered; filled in on its way, told when it has ended
chain      lines that hold each other: which one was changed, taken out or put in
crowd      how many of them strangers may fill
journal    the file of these lines, within bounds
command    `medserver audit verify`
"""

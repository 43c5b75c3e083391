"""What is here, what will run and why, and what to do about the rest: `medserver doctor`.

finding    what one check found, and the circumstances it looks at
machine    Python, platform, GPUs, driver, memory, disk
packages   the engines that are installed, and the pairs of packages that are known to be bad
inventory  which packages a Python holds; run by that Python
network    port, addresses, proxy, CA certificates, clock
upstreams  whether the servers elsewhere answer
model      token, access, weights, and which engine would run
report     runs all checks, each within its time, and says what they found

Each check is a small function of the circumstances. Nothing here imports torch or starts an engine, and what is said
can be put into a ticket: no token, no name of a user, no home directory.
"""

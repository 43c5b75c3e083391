"""Starting with the machine: `medserver service install`, `status` and `uninstall`.

notify    tells systemd that the server answers, or that it ends
wish      what the service is to run with: settings, secrets, what it must be able to read
systemd   Linux: a unit with a user of its own, in a sandbox; the journal keeps the log
launchd   macOS: a property list; rotated files keep the log
windows   Windows: a task of the scheduler; rotated files keep the log
command   reads the command line and writes, starts and removes what these three describe
"""

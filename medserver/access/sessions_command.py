"""`medserver sessions`: the devices that were paired, listed and revoked while the server runs."""

from collections.abc import Sequence

from medserver.access import command
from medserver.access.sessions import Sessions

WORDS = {"list": "the devices that are paired", "revoke": "ask a device anew from now on"}


def main(argv: Sequence[str]) -> int:
    made = command.parser("sessions", "Devices that were paired with this server.")
    words = command.actions(made, WORDS)
    words["revoke"].add_argument("name", nargs="?", metavar="SESSION", help="its name as listed")
    words["revoke"].add_argument("--all", action="store_true", help="every device")
    given = made.parse_args(argv)
    if given.action == "revoke" and (given.name is None) is not given.all:
        made.error("name a session, or say --all")
    sessions = Sessions(command.ledger(made, given))
    return command.ended(lambda: _list(sessions) if given.action == "list" else _revoke(sessions, given))


def _list(sessions: Sessions) -> int:
    rows = [
        (one.name, one.device, *(command.moment(at) for at in (one.created, one.used, one.expires)))
        for one in sessions.known()
    ]
    heads = ("SESSION", "DEVICE", "PAIRED", "LAST USED", "ENDS")
    print(command.table(heads, rows) if rows else "No device is paired.")
    return 0


def _revoke(sessions: Sessions, given) -> int:
    if given.all:
        print(f"{sessions.revoke_all()} revoked.")
        return 0
    if not sessions.revoke(given.name):
        raise ValueError(f"There is no session {given.name}. medserver sessions list shows those there are.")
    print(f"{given.name} is asked anew from now on.")
    return 0

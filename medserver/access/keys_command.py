"""`medserver keys`: keys for programs, made, listed and revoked while the server runs."""

from collections.abc import Sequence

from medserver.access import command
from medserver.access.keys import Keys

WORDS = {
    "add": "make a key and show it, this once",
    "list": "the keys there are, without the keys themselves",
    "revoke": "let a key open nothing from now on",
}


def main(argv: Sequence[str]) -> int:
    made = command.parser("keys", "Keys for programs: Authorization: Bearer KEY.")
    words = command.actions(made, WORDS)
    words["add"].add_argument("name", metavar="NAME", help="what it is for, e.g. night-report")
    words["revoke"].add_argument("name", metavar="NAME", help="its name, or its beginning as listed")
    given = made.parse_args(argv)
    keys = Keys(command.ledger(made, given))
    work = {"add": lambda: _add(keys, given.name), "list": lambda: _list(keys), "revoke": lambda: _revoke(keys, given)}
    return command.ended(work[given.action])


def _add(keys: Keys, name: str) -> int:
    key = keys.add(name)
    print(f"{key}\n\nThis is the only time it is shown. Programs send it as: Authorization: Bearer {key[:3]}…")
    return 0


def _list(keys: Keys) -> int:
    rows = [(key.name, f"{key.prefix}…", command.moment(key.created), command.moment(key.used)) for key in keys.known()]
    print(command.table(("NAME", "KEY", "CREATED", "LAST USED"), rows) if rows else "There are no keys.")
    return 0


def _revoke(keys: Keys, given) -> int:
    if not keys.revoke(given.name):
        raise ValueError(f"There is no key {given.name}. medserver keys list shows those there are.")
    print(f"{given.name} opens nothing from now on.")
    return 0

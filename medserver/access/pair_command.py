"""`medserver pair`: a code for the next device, where the server has no terminal of its own."""

from collections.abc import Sequence

from medserver.access import command, terminal
from medserver.access.entrance import urls_of
from medserver.access.pairing import Pairing
from medserver.parse import BadSetting, integer


def main(argv: Sequence[str]) -> int:
    made = command.parser("pair", "Show a code that lets one device in. Works while the server runs.")
    made.add_argument("-p", "--port", type=integer(1, 65535), help="the server's, where there are several")
    given = made.parse_args(argv)
    ledger = command.ledger(made, given)
    return command.ended(lambda: _show(ledger, given.port or command.settings(made).get("port")))


def _show(ledger, port: int | None) -> int:
    urls = urls_of(ledger, port)
    if not urls:
        raise BadSetting("No server that asks devices has been started here. --state-dir must be the server's.")
    terminal.show(Pairing(ledger).new_code(), urls)
    return 0

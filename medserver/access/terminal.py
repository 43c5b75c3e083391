"""What the terminal shows of pairing: a QR code and a PIN. Where nobody sits at one, nothing secret is written."""

import io
import sys
import time
from collections.abc import Sequence

from medserver.access.door import PAIRING_PAGE
from medserver.access.pairing import Code


def shown() -> bool:
    """Whether what is printed is read by a person, and does not end in a log."""
    return sys.stdout is not None and sys.stdout.isatty()


def show(code: Code, urls: Sequence[str]) -> None:
    print(invitation(code, urls), flush=True)


def invitation(code: Code, urls: Sequence[str]) -> str:
    """`urls`: the addresses of this server, the one that other devices reach last."""
    import segno  # pure Python, and not needed by most requests

    drawn = io.StringIO()
    address = f"{urls[-1]}{PAIRING_PAGE}"
    # A fragment never leaves the browser: it stands in no log between here and there.
    segno.make(f"{address}#{code.secret}", error="l", micro=False).terminal(drawn, compact=True, border=2)
    until = time.strftime("%H:%M", time.localtime(code.expires))
    white = "".join(f"\x1b[97;40m{line}\x1b[0m\n" for line in drawn.getvalue().splitlines())  # on light terminals too
    return (
        f"To let a device in, scan this with it or open {address}\n{white}"
        f"PIN {code.pin[:3]} {code.pin[3:]}, for one device, until {until}"
    )

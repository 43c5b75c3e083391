"""`python -m medserver` is the same as the command `medserver`."""

import sys

from medserver.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""What the commands about weights share: their flags, the token, and how an ending becomes an exit status."""

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from medserver import environment
from medserver.hub import places
from medserver.hub.failures import HubFailure, of_disk
from medserver.models import VARIANTS, Variant
from medserver.parse import BadSetting

# The demo is inside the package.
CHOICES = tuple(key for key, variant in VARIANTS.items() if variant.hub_id)


def parser(name: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=f"medserver {name}", description=description, allow_abbrev=False)


def add_model(made: argparse.ArgumentParser, *, help: str) -> None:
    made.add_argument("-m", "--model", choices=CHOICES, help=help)


def settings(made: argparse.ArgumentParser) -> dict:
    """What the environment and `.env` say, the token among it."""
    try:
        return environment.from_environment(environment.environment_with_dotenv(Path.cwd()))
    except BadSetting as problem:
        made.error(str(problem))


def variant(made: argparse.ArgumentParser, key: str | None) -> Variant:
    """The model that is meant; MEDSERVER_MODEL counts as `-m` does elsewhere."""
    key = key or settings(made).get("model")
    if key not in CHOICES:
        made.error(f"say which model: -m {', -m '.join(CHOICES)}")
    return VARIANTS[key]


def cached(variant: Variant) -> Path:
    """The folder of its weights in the Hub's cache.

    Raises:
        HubFailure: they are not there.
    """
    folder = places.cached(variant.hub_id)
    if folder is None:
        why = f"The weights of {variant.name} are not in the Hub's cache ({places.cache()})."
        raise HubFailure("no_record", f"{why} medserver download -m {variant.key} brings them.")
    return folder


def ended(work: Callable[[], int]) -> int:
    """The exit status of a command; a failure is one line on standard error, with its code at the end."""
    # The libraries speak of retries and addresses in words of their own.
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    try:
        return work()
    except KeyboardInterrupt:
        failure = HubFailure("interrupted", "Stopped. What has arrived stays; run the same command again to go on.")
    except HubFailure as found:
        failure = found
    except OSError as error:
        failure = of_disk(error)
    print(f"medserver: {failure} [{failure.code}]", file=sys.stderr)
    return failure.exit_status

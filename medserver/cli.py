"""The command line: flags become `Settings`, `Settings` become a command. It prints; it decides nothing."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from importlib import import_module
from pathlib import Path

from medserver import __version__, environment, logs
from medserver.config import Settings
from medserver.models import VARIANTS
from medserver.parse import BadSetting

EXAMPLES = """\
examples:
  medserver -m demo            try everything with the small model inside the package
  medserver -m 4               MedGemma 1.5 4B, text and images
  medserver -m 27t -q          MedGemma 27B Text in 4 bits
  medserver doctor -m 4        what is here, what would run and why; with the flags of serving
  medserver download -m 4      its weights ahead of time; also verify, bundle, unpack
  medserver service install    start it with the machine; also status, uninstall
  medserver pair               a code that lets one more device in
  medserver keys add NAME      a key for a program; also list, revoke, and sessions for devices
  medserver audit verify FILE  whether an audit log is as it was written
Every flag can also be set as MEDSERVER_<NAME> in the environment or in .env; the command line wins.
"""

# What else it does. Each is imported when it is called and reads its own flags.
COMMANDS = {
    "download": "medserver.hub.download",
    "verify": "medserver.hub.verify",
    "bundle": "medserver.hub.bundle",
    "unpack": "medserver.hub.unpack",
    "pair": "medserver.access.pair_command",
    "keys": "medserver.access.keys_command",
    "sessions": "medserver.access.sessions_command",
    "audit": "medserver.audit.command",
}


def parser() -> argparse.ArgumentParser:
    """Built from the fields of `Settings`, so that there is one list of flags."""
    made = argparse.ArgumentParser(
        prog="medserver",
        description="Serve MedGemma to the browsers and programs of this building.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    made.add_argument("-v", "--version", action="version", version=f"medserver {__version__}")
    made.add_argument(
        "command", nargs="?", choices=("serve", "doctor", *COMMANDS), default="serve", help=argparse.SUPPRESS
    )
    made.add_argument("--json", action="store_true", default=False, help="medserver doctor: the report as JSON")
    for one in fields(Settings):
        _add(made, one)
    return made


def _add(made: argparse.ArgumentParser, one: Field) -> None:
    flags, words = one.metadata["flags"], one.metadata["help"]
    if isinstance(one.default, bool):
        words += f" (default: {'on' if one.default else 'off'})"
        off = [flag for flag in flags if flag.startswith("--no-")]
        on = [flag for flag in flags if flag not in off]
        made.add_argument(*on, dest=one.name, action="store_true", help=words)
        if off:
            made.add_argument(*off, dest=one.name, action="store_false", help="the opposite")
        return
    if one.default not in (None, ()):
        words += f" (default: {one.default})"
    metavar = flags[-1].lstrip("-").upper().replace("-", "_")
    # What may be given several times is read as a tuple each time, and these are strung together.
    how = {"action": "extend"} if isinstance(one.default, tuple) else {}
    made.add_argument(*flags, dest=one.name, type=_typed(one.metadata["parse"]), help=words, metavar=metavar, **how)


def _typed(parse: Callable) -> Callable:
    def typed(text: str):
        try:
            return parse(text)
        except BadSetting as problem:
            raise argparse.ArgumentTypeError(str(problem)) from None

    return typed


def settings_from(argv: Sequence[str] | None) -> tuple[Settings, str]:
    """The settings and the command of one call; ends the program with a sentence where they are wrong."""
    made = parser()
    given = vars(made.parse_args(argv))
    command = given.pop("command")
    if command in COMMANDS:
        made.error(f"the command comes first: medserver {command} ...")
    if given.pop("json") and command != "doctor":
        made.error("--json belongs to medserver doctor")
    try:
        found = environment.from_environment(environment.environment_with_dotenv(Path.cwd())) | given
        several = {name: tuple(value) for name, value in found.items() if isinstance(value, list)}
        settings = Settings(**found | several)
    except BadSetting as problem:
        made.error(str(problem))
    if settings.model is None and command != "doctor":
        made.error(f"say which model to serve: -m {', -m '.join(VARIANTS)}")
    return settings, command


def warnings_for(settings: Settings, argv: Sequence[str]) -> list[str]:
    """What the person should know about these settings before they are used."""
    said: list[str] = []
    given = {word.split("=")[0] for word in argv}
    secrets = {
        "--hf-token": "HF_TOKEN",
        "--upstream-key": "MEDSERVER_UPSTREAM_KEY",
        "--rate-limit-store": "MEDSERVER_RATE_LIMIT_STORE",
    }
    for flag, name in secrets.items():
        if flag in given:
            said.append(f"{flag} shows in the process list; {name} in the environment or .env does not.")
    if environment.readable_by_others(Path.cwd()):
        said.append(".env can be read by other accounts of this machine: chmod 600 .env")
    return said


def main(argv: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        environment.adopt_dotenv(Path.cwd())
    except BadSetting as problem:
        print(f"medserver: {problem}", file=sys.stderr)
        return 2
    if given and given[0] in COMMANDS:
        return import_module(COMMANDS[given[0]]).main(given[1:])
    if given and given[0] == "service":  # it takes the flags of serving, since it starts with them
        from medserver.service.command import main as service

        return service(given[1:], lambda flags: settings_from(flags)[0])
    settings, command = settings_from(argv)
    if command == "doctor":  # it takes the flags of serving, since they decide what would run
        from medserver.doctor.report import examine

        return examine(settings, as_json="--json" in given)
    for sentence in warnings_for(settings, sys.argv[1:] if argv is None else argv):
        print(f"medserver: {sentence}", file=sys.stderr)
    logs.configure(settings.log_level, settings.log_file)
    from medserver.run import serve  # the server's libraries take longer to import than --help may take

    try:
        return serve(settings)
    except BadSetting as problem:
        print(f"medserver: {problem}", file=sys.stderr)
        return 2

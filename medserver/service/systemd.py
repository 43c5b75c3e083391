"""Linux: the unit, and the files beside it; writing and starting them is the command's work."""

from pathlib import Path

from medserver.service.wish import Wish, quoted

UNIT = Path("/etc/systemd/system/medserver.service")
SETTINGS = Path("/etc/medserver/medserver.env")
SECRETS = Path("/etc/medserver/secrets")
STATE, CACHE, LOGS = Path("/var/lib/medserver"), Path("/var/cache/medserver"), Path("/var/log/medserver")
_HOMES = ("/home", "/root", "/run/user")


def files(wish: Wish) -> dict[Path, tuple[str, int]]:
    """What is written where, and with which mode."""
    environment = {"HF_HOME": str(CACHE), "MEDSERVER_STATE_DIR": str(STATE), **wish.environment}
    settings = "".join(f"{name}={quoted(value)}\n" for name, value in sorted(environment.items()))
    secrets = {SECRETS / name: (value, 0o600) for name, value in wish.secrets.items()}
    return {UNIT: (unit(wish), 0o644), SETTINGS: (settings, 0o600), **secrets}


def unit(wish: Wish) -> str:
    sections = {"Unit": _UNIT, "Service": [*_service(wish), *_sandbox(wish)], "Install": ["WantedBy=multi-user.target"]}
    return "\n\n".join(f"[{name}]\n" + "\n".join(lines) for name, lines in sections.items()) + "\n"


_UNIT = [
    "Description=MedServer: MedGemma for this building",
    "Wants=network-online.target",
    "After=network-online.target",
    # Five starts in five minutes came to nothing: another would not help.
    "StartLimitIntervalSec=300",
    "StartLimitBurst=5",
]


def _service(wish: Wish) -> list[str]:
    secrets = [f"LoadCredential={name}:{SECRETS / name}" for name in sorted(wish.secrets)]
    for name, path in sorted(wish.files.items()):
        # Not by the setting's name: what is named so is read as its value.
        secrets += [f"LoadCredential={name.lower()}:{_escaped(str(path))}", f"Environment={name}=%d/{name.lower()}"]
    return [
        "Type=notify",
        "NotifyAccess=main",
        "ExecStart=" + " ".join(f'"{_escaped(word)}"' for word in wish.command),
        f"EnvironmentFile={SETTINGS}",
        *secrets,
        f"WorkingDirectory={STATE}",
        "Restart=on-failure",
        "RestartSec=5",
        "TimeoutStartSec=120",
        "TimeoutStopSec=30",
        "KillMode=mixed",
        "LimitMEMLOCK=infinity",  # CUDA pins memory
    ]


def _sandbox(wish: Wish) -> list[str]:
    """A user that exists while it runs; of this machine it may change its own three folders only.

    Left out: MemoryDenyWriteExecute, since torch and CUDA write code and run it.
    """
    at_home = any(str(path).startswith(_HOMES) for path in wish.reads)
    low_port = "CAP_NET_BIND_SERVICE" if wish.port < 1024 else ""
    return [
        "User=medserver",
        "DynamicUser=yes",
        "StateDirectory=medserver",
        "CacheDirectory=medserver",
        "LogsDirectory=medserver",
        "UMask=0077",
        "NoNewPrivileges=yes",
        f"CapabilityBoundingSet={low_port}",
        f"AmbientCapabilities={low_port}",
        "ProtectSystem=strict",
        f"ProtectHome={'read-only' if at_home else 'yes'}",
        "PrivateTmp=yes",
        "DevicePolicy=closed",
        "DeviceAllow=char-nvidia* rw",
        "ProtectClock=yes",
        "ProtectControlGroups=yes",
        "ProtectHostname=yes",
        "ProtectKernelLogs=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelTunables=yes",
        "ProtectProc=invisible",
        "RemoveIPC=yes",
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
        "RestrictNamespaces=yes",
        "RestrictRealtime=yes",
        "RestrictSUIDSGID=yes",
        "LockPersonality=yes",
        "SystemCallArchitectures=native",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged",
        "SystemCallErrorNumber=EPERM",
    ]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")


START = (("systemctl", "daemon-reload"), ("systemctl", "enable", "--now", "medserver.service"))
STOP = (("systemctl", "disable", "--now", "medserver.service"),)
AFTER = (("systemctl", "daemon-reload"),)
STATUS = ("systemctl", "status", "--no-pager", "--lines", "5", "medserver.service")
LOG = "journalctl --unit medserver --follow"

"""The files behind https: the hospital's own certificate, or one that this machine makes for itself.

Kept in `tls/` of the state directory, the keys for their owner alone. Devices install the authority once; its
certificates for the server are renewed by themselves, at a start and while it runs.
"""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from medserver.access import certificates
from medserver.access.addresses import parsed
from medserver.access.hosts import own_names
from medserver.access.ledger import private_directory
from medserver.config import Settings, usual_state_directory
from medserver.parse import BadSetting

log = logging.getLogger("medserver")

RENEW_DAYS = 30
CHECK_SECONDS = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Tls:
    """The files a server is started with; `authority` is what devices are to trust, where it is ours."""

    chain: Path
    key: Path
    authority: Path | None = None

    @property
    def fingerprint(self) -> str | None:
        return certificates.fingerprint(_certificate(self.authority)) if self.authority else None


def tls_for(settings: Settings) -> Tls | None:
    """What the settings ask for; makes and renews what is ours.

    Raises:
        BadSetting: the files cannot be used; the sentence says which and why.
    """
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise BadSetting("--tls-cert and --tls-key belong together: name both.")
    if settings.tls_cert:
        if settings.tls == "auto":
            raise BadSetting("--tls auto makes a certificate; with --tls-cert there is one already. Leave one out.")
        found = Tls(settings.tls_cert, settings.tls_key)
        check(found)
        return found
    if settings.tls == "off":
        return None
    try:
        return _own(settings)
    except BadSetting:
        raise
    except (OSError, ValueError):
        place = directory_of(settings)
        raise BadSetting(f"{place} cannot be used for certificates. Remove it, or name another --state-dir.") from None


async def renewed(settings: Settings) -> AsyncIterator[Tls]:
    """The files, ours or the hospital's, each time they were looked after while a server runs."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        try:
            yield await asyncio.to_thread(tls_for, settings)
        except BadSetting as problem:
            log.error("the certificate was not renewed: %s", problem)


def directory_of(settings: Settings) -> Path:
    return (settings.state_dir or usual_state_directory()) / "tls"


def check(files: Tls) -> None:
    """Whether a server could start with them.

    Raises:
        BadSetting: it could not.
    """
    try:
        key = files.key.read_bytes()
        chain = x509.load_pem_x509_certificates(files.chain.read_bytes())
    except OSError as error:
        raise BadSetting(f"{error.filename} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise BadSetting(f"{files.chain} holds no certificate in PEM form.") from None
    if b"ENCRYPTED" in key:
        raise BadSetting(f"{files.key} has a passphrase, which nobody could type. Store it without one, mode 600.")
    if certificates.days_left(chain[0]) < 0:
        raise BadSetting(f"{files.chain} expired on {chain[0].not_valid_after_utc:%Y-%m-%d}.")
    try:
        context_of(files)
    except (ssl.SSLError, OSError):
        raise BadSetting(f"{files.key} is not the key of {files.chain}, or no key in PEM form.") from None


def context_of(files: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)
    return context


def hosts_for(settings: Settings) -> list[str]:
    """Every name and address by which browsers may call this server, the likeliest first."""
    names = [*settings.allowed_host, *sorted(own_names(), key=len, reverse=True)]
    bound = parsed(settings.host)
    everywhere = bound is None or bound.is_unspecified
    addresses = sorted(_machine_addresses()) if everywhere else [str(bound)]
    found = [*names, *addresses, "127.0.0.1", "::1", *([settings.host] if bound is None else [])]
    return list(dict.fromkeys(found))


def _machine_addresses() -> set[str]:
    """Those of every interface; an IPv6 address that only means something with an interface's name is left out."""
    kinds = (socket.AF_INET, socket.AF_INET6)
    said = [one.address for found in psutil.net_if_addrs().values() for one in found if one.family in kinds]
    found = [address for address in map(parsed, said) if address is not None]
    return {str(address) for address in found if address.version == 4 or not address.is_link_local}


def _own(settings: Settings) -> Tls:
    place, hosts = directory_of(settings), hosts_for(settings)
    private_directory(place)
    files = Tls(place / "server.pem", place / "server.key", place / "authority.pem")
    authority_key = place / "authority.key"
    authority = _kept(files.authority, authority_key)
    if not _serves(authority, _lasting(settings, hosts)):
        key = certificates.new_key()
        authority = certificates.new_authority(key, socket.gethostname(), hosts)
        _store(authority_key, certificates.pem_of(key))
        _store(files.authority, _pem(authority))
    hosts = [host for host in hosts if certificates.covers(authority, [host])]
    if not _holds(_kept(files.chain, files.key), authority, hosts):
        key = certificates.new_key()
        leaf = certificates.new_leaf(key, authority, _key(authority_key), hosts)
        _store(files.key, certificates.pem_of(key))
        _store(files.chain, _pem(leaf) + _pem(authority))
    check(files)
    return files


def _lasting(settings: Settings, hosts: list[str]) -> list[str]:
    """Those for which devices are to trust a new authority. A public IPv6 address comes and goes with the router."""
    named = {str(parsed(host) or host) for host in (*settings.allowed_host, settings.host)}
    return [host for host in hosts if host in named or not _comes_and_goes(host)]


def _comes_and_goes(host: str) -> bool:
    address = parsed(host)
    return address is not None and address.version == 6 and address.is_global


def _serves(authority: x509.Certificate | None, hosts: list[str]) -> bool:
    """Whether it will outlive a certificate that it gives now, and may give it."""
    if authority is None or certificates.days_left(authority) < certificates.LEAF_DAYS:
        return False
    return certificates.covers(authority, hosts)


def _holds(leaf: x509.Certificate | None, authority: x509.Certificate, hosts: list[str]) -> bool:
    if leaf is None or certificates.days_left(leaf) < RENEW_DAYS or leaf.issuer != authority.subject:
        return False
    with contextlib.suppress(Exception):
        leaf.verify_directly_issued_by(authority)
        return certificates.hosts_of(leaf) == set(hosts)
    return False


def _kept(certificate: Path, key: Path) -> x509.Certificate | None:
    """A certificate that is here together with its key."""
    try:
        found = _certificate(certificate)
        return found if found.public_key() == _key(key).public_key() else None
    except (OSError, ValueError, TypeError):
        return None


def _certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificates(path.read_bytes())[0]


def _key(path: Path):
    return serialization.load_pem_private_key(path.read_bytes(), password=None)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _store(path: Path, content: bytes) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    new = path.with_suffix(path.suffix + ".new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    os.replace(new, path)

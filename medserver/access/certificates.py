"""A certificate authority of this one machine and the certificate it gives its server; knows no files.

The authority is good for this server's kind of names alone: private addresses, `.local`, localhost and what the
machine is called when it is made (name constraints), so that a stolen key cannot play a bank to the phones that
trust it.
"""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
LEAF_DAYS = 397  # what browsers and phones accept of any certificate
_PRIVATE = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "127.0.0.0/8",
    "fc00::/7", "fe80::/10", "::1/128",
)  # fmt: skip
_BACKDATED = timedelta(hours=12)  # clocks on a ward are not all right

Key = ec.EllipticCurvePrivateKey


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def pem_of(key: Key) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def new_authority(key: Key, machine: str, hosts: Sequence[str]) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"MedServer on {machine}"[:64])])
    permitted = [*(x509.IPAddress(ipaddress.ip_network(one)) for one in _PRIVATE), *map(_constraint, hosts)]
    permitted.append(x509.DNSName("local"))
    usage = _usage(key_cert_sign=True, crl_sign=True)
    return (
        _builder(name, name, key, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints(_unique(permitted), None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def new_leaf(key: Key, authority: x509.Certificate, its_key: Key, hosts: Sequence[str]) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(its_key.public_key())
    return (
        _builder(name, authority.subject, key, LEAF_DAYS - 1)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(host) for host in hosts]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(its_key, hashes.SHA256())
    )


def covers(authority: x509.Certificate, hosts: Sequence[str]) -> bool:
    """Whether its constraints let it vouch for all of these."""
    permitted = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    networks = [one.value for one in permitted if isinstance(one, x509.IPAddress)]
    domains = [one.value for one in permitted if isinstance(one, x509.DNSName)]
    return all(_permitted(_general(host), networks, domains) for host in hosts)


def hosts_of(leaf: x509.Certificate) -> set[str]:
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(one.value) for one in names}


def days_left(certificate: x509.Certificate) -> float:
    return (certificate.not_valid_after_utc - datetime.now(timezone.utc)) / timedelta(days=1)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 as phones and browsers show it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _builder(subject: x509.Name, issuer: x509.Name, key: Key, days: int) -> x509.CertificateBuilder:
    begins = datetime.now(timezone.utc) - _BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
    )


def _usage(**on: bool) -> x509.KeyUsage:
    off = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)  # fmt: skip
    return x509.KeyUsage(**off | on)


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _constraint(host: str) -> x509.GeneralName:
    """An IPv6 address by its /64, within which a machine takes a new one every day."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return x509.DNSName(host)
    return x509.IPAddress(ipaddress.ip_network((address, 32 if address.version == 4 else 64), strict=False))


def _permitted(one: x509.GeneralName, networks, domains) -> bool:
    if isinstance(one, x509.IPAddress):
        return any(one.value in network for network in networks)
    return any(one.value == domain or one.value.endswith(f".{domain}") for domain in domains)


def _unique(names: Sequence[x509.GeneralName]) -> list[x509.GeneralName]:
    return list(dict.fromkeys(names))

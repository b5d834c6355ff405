"""The courtyard's own certificate authority and the API's server certificate.

In: a folder and the names and addresses that the API answers to. Out: PEM files (keys 0600). The server's certificate
is renewed when a third of its life is left, or when it lacks a name; the CA lives for ten years.
"""

import datetime
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS, SERVER_DAYS = 3650, 365
RENEW_BELOW_DAYS = SERVER_DAYS // 3
BACKDATED = datetime.timedelta(days=30)  # for a clock that is set back: the machine that signs is the one that checks
NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


@dataclass(frozen=True, slots=True)
class Certificates:
    ca: Path
    server: Path  # certificate and key in one file, as HAProxy reads it

    @property
    def ca_pem(self) -> str:
        return self.ca.read_text("ascii")


def ensure(folder: Path, addresses: Sequence[str], now_s: float) -> Certificates:
    """Makes what is missing, nearly over, or cannot be read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.datetime.fromtimestamp(now_s, datetime.UTC)
    found = Certificates(folder / "ca.crt", folder / "server.pem")
    key_path = folder / "ca.key"
    if not _readable(found.ca) or not _readable_key(key_path) or _days_left(found.ca, now) < SERVER_DAYS:
        _make_ca(found.ca, key_path, now)
        found.server.unlink(missing_ok=True)
    wanted = ["127.0.0.1", "::1", *addresses]
    if not _readable(found.server) or _days_left(found.server, now) < RENEW_BELOW_DAYS or _lacks(found.server, wanted):
        _make_server(found, key_path, wanted, now)
    return found


def _make_ca(path: Path, key_path: Path, now: datetime.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "madang")])
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        _begin(name, name, key.public_key(), now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(key_path, _pem(key), 0o600)
    _write(path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _make_server(found: Certificates, key_path: Path, addresses: Sequence[str], now: datetime.datetime) -> None:
    ca = x509.load_pem_x509_certificate(found.ca.read_bytes())
    ca_key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in NAMES]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in dict.fromkeys(addresses)]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "madang-api")])
    certificate = (
        _begin(subject, ca.subject, key.public_key(), now, SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write(found.server, certificate.public_bytes(serialization.Encoding.PEM) + _pem(key), 0o600)


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _readable(path: Path) -> bool:
    try:
        x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True


def _readable_key(path: Path) -> bool:
    try:
        return isinstance(
            serialization.load_pem_private_key(path.read_bytes(), password=None), ec.EllipticCurvePrivateKey
        )
    except (OSError, ValueError, TypeError):
        return False


def _days_left(path: Path, now: datetime.datetime) -> int:
    return (x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc - now).days


def _lacks(path: Path, wanted: Sequence[str]) -> bool:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    have = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    return any(address not in have for address in wanted)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes, mode: int) -> None:
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)
    fresh.replace(path)

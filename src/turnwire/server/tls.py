"""TLS: with the operator's certificate, or with one that an authority of our own signs.

The authority is kept, as clients trust it; what it signs is made anew when it runs out or when the
server is to be reached by another name.
"""

import ipaddress
import secrets
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from turnwire.server.port import hosts
from turnwire.server.settings import Settings

CA_FILE = "ca.pem"
"""What clients are to trust."""

AUTHORITY_FILE = "ca-with-key.pem"
SERVER_FILE = "server-with-key.pem"

AUTHORITY_LASTS = timedelta(days=3650)
SERVER_LASTS = timedelta(days=825)
"""Apple's systems accept no server certificate that is valid for longer."""

RENEWED_BEFORE = timedelta(days=30)
CLOCKS_DIFFER = timedelta(days=1)
"""So much earlier is a certificate valid already, for clients whose clock is behind."""

KEY_PURPOSES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
"""What RFC 5280, 4.2.1.3, lets a certificate say its key is for."""


class TlsError(Exception):
    """A certificate cannot be used; the text is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What a server speaks TLS with."""

    context: ssl.SSLContext
    certificate: x509.Certificate
    ca_file: Path | None = None
    """The authority that clients are to trust, if it is one of our own."""

    def problem(self, now: float) -> str | None:
        """What clients have, or will soon have, against the certificate at this Unix time."""
        date = datetime.fromtimestamp(now, UTC)
        begins, ends = self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc
        if date < begins:
            return f"The certificate is not valid before {begins:{_DATE}}; is the clock right?"
        if date >= ends:
            return f"The certificate has expired on {ends:{_DATE}}; clients refuse it."
        if ends - date < RENEWED_BEFORE:
            return f"The certificate expires on {ends:{_DATE}}."
        return None


_DATE = "%Y-%m-%d %H:%M UTC"


def tls_of(settings: Settings, *, now: float) -> Tls | None:
    """What the settings ask for; None for no TLS.

    Raises `TlsError`, and `SettingsError` if there is no folder for its own certificate.
    """
    if settings.tls_self_signed:
        return self_signed(settings.data_folder() / "tls", settings.host, now=now)
    if settings.tls_cert is not None and settings.tls_key is not None:
        context = _context(settings.tls_cert, settings.tls_key)
        return Tls(context, x509.load_pem_x509_certificate(settings.tls_cert.read_bytes()))
    return None


def self_signed(folder: Path, host: str, *, now: float) -> Tls:
    """A certificate for this machine and `host`, and its authority; both are kept in `folder`.

    `now` is in seconds of Unix time. Raises `TlsError`.
    """
    try:
        names = _names(host)
    except UnicodeError:
        raise TlsError(f"There can be no certificate for the host {host!r}.") from None
    date = datetime.fromtimestamp(now, UTC)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        authority = _kept(folder / AUTHORITY_FILE)
        if authority is None or authority.runs_out(date):
            authority = _new_authority(date)
            authority.keep(folder / AUTHORITY_FILE)
        server = _kept(folder / SERVER_FILE)
        if server is None or server.runs_out(date) or not server.serves(names, authority):
            server = _new_server(authority, names, date)
            server.keep(folder / SERVER_FILE)
        _write(folder / CA_FILE, authority.certificate.public_bytes(Encoding.PEM), mode=0o644)
    except OSError as error:
        raise TlsError(
            f"The certificates in {folder} cannot be kept: {error.strerror or error}."
        ) from None
    context = _context(folder / SERVER_FILE, folder / SERVER_FILE)
    return Tls(context, server.certificate, folder / CA_FILE)


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    for what, path in (("certificate", certificate), ("key", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise TlsError(f"The {what} {path} cannot be read: {error.strerror}.") from None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password given, OpenSSL would ask for that of an encrypted key at the terminal.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            problem = f"The key {key} does not belong to the certificate {certificate}."
        else:
            problem = f"{certificate} and {key} are no certificate and unencrypted key as PEM."
        raise TlsError(problem) from None
    return context


@dataclass(frozen=True, slots=True)
class _Identity:
    """A certificate and its key; they share a file, so that they never differ."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def keep(self, path: Path) -> None:
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write(path, key + self.certificate.public_bytes(Encoding.PEM), mode=0o600)

    def runs_out(self, now: datetime) -> bool:
        """Or whether it was made by a clock that was ahead."""
        return (
            self.certificate.not_valid_after_utc - now < RENEWED_BEFORE
            or self.certificate.not_valid_before_utc > now
        )

    def serves(self, names: list[x509.GeneralName], authority: "_Identity") -> bool:
        """Whether it is for these names, and signed by this authority."""
        extensions = self.certificate.extensions
        own = list(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        return own == names and self.certificate.issuer == authority.certificate.subject


def _kept(path: Path) -> _Identity | None:
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        key = load_pem_private_key(pem, password=None)
        certificate = x509.load_pem_x509_certificate(pem)
    except (TypeError, ValueError):
        raise TlsError(
            f"{path} is damaged; remove it, and a new one is made at the next start."
        ) from None
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return _Identity(certificate, key)


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Write the file at once: whoever reads it sees all of it, or what was there before."""
    # Nobody else can look into this folder, so the file is private before it has its mode.
    with TemporaryDirectory(dir=path.parent) as drafts:
        draft = Path(drafts) / path.name
        draft.write_bytes(content)
        draft.chmod(mode)
        draft.replace(path)


def _names(host: str) -> list[x509.GeneralName]:
    """What the server is reached by: this machine's names and addresses, and those of `host`."""
    each = dict.fromkeys(("localhost", "127.0.0.1", "::1", socket.gethostname(), *hosts(host)))
    return [_name(text) for text in each if text]


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text.encode("idna").decode())


def _new_authority(now: datetime) -> _Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    # A name of its own: clients may trust several of these.
    name = f"Turnwire CA {secrets.token_hex(6)}"
    certificate = (
        _certificate(name, key, now, AUTHORITY_LASTS)
        .issuer_name(_common_name(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _Identity(certificate, key)


def _new_server(authority: _Identity, names: list[x509.GeneralName], now: datetime) -> _Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    signer = authority.key.public_key()
    certificate = (
        _certificate("Turnwire", key, now, SERVER_LASTS)
        .issuer_name(authority.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return _Identity(certificate, key)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(_common_name(name))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now - CLOCKS_DIFFER + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*purposes: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{purpose: purpose in purposes for purpose in KEY_PURPOSES})

"""The key of the stack's issuer, and the tokens that it signs."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from tempfile import NamedTemporaryFile

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from sageline_local import issuer
from sageline_local.home import Home

CLIENT = "sageline-local"
_BITS = 2048


def key_of(home: Home) -> RSAPrivateKey:
    """The key of a home, made the first time that it is asked for. Only the owner of the home may read it."""
    if not home.issuer_key_file.exists():
        _make(home)
    home.issuer_key_file.chmod(0o600)
    key = serialization.load_pem_private_key(home.issuer_key_file.read_bytes(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError(f"{home.issuer_key_file} holds no RSA key.")
    return key


def public_keys(home: Home) -> dict[str, object]:
    """The public key, as a set of JSON Web Keys."""
    key = key_of(home)
    return {"keys": [{**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": _name(key), "alg": "RS256", "use": "sig"}]}


def token(home: Home, port: int, scopes: Iterable[str], *, subject: str, minutes: float) -> str:
    """An access token for the HTTP API of the stack whose MiniStack is on that port."""
    now = datetime.now(UTC)
    claims = {
        "iss": issuer.url(port),
        "aud": issuer.AUDIENCE,
        "sub": subject,
        "client_id": CLIENT,
        "scope": " ".join(scopes),
        "iat": now,
        "exp": now + timedelta(minutes=minutes),
        "jti": secrets.token_hex(8),
    }
    return signed(claims, key_of(home))


def signed(claims: Mapping[str, object], key: RSAPrivateKey) -> str:
    """A token with those claims (RS256)."""
    return jwt.encode(dict(claims), key, algorithm="RS256", headers={"kid": _name(key)})


def _name(key: RSAPrivateKey) -> str:
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()[:16]


def _make(home: Home) -> None:
    pem = generate_private_key(public_exponent=65537, key_size=_BITS).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Only its owner may read a file that this makes.
    with NamedTemporaryFile(dir=home.root, prefix=f"{home.issuer_key_file.name}.") as half:
        half.write(pem)
        half.flush()
        # Unlike a rename, a link leaves alone what somebody else has made in the meantime.
        with suppress(FileExistsError):
            home.issuer_key_file.hardlink_to(half.name)

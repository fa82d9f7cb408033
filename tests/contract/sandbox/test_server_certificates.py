"""IAM takes a server certificate with its own key only, and once."""

from __future__ import annotations

from datetime import datetime

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.x509.oid import NameOID

NAME = "example"
PEM = serialization.Encoding.PEM


def pem_of(key: EllipticCurvePrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(PEM, form, serialization.NoEncryption()).decode()


def certificate_of(key: EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.com")])
    made = x509.CertificateBuilder(name, name, key.public_key(), serial_number=1)
    made = made.not_valid_before(datetime(2025, 1, 1)).not_valid_after(datetime(2125, 1, 1))
    return made.sign(key, hashes.SHA256()).public_bytes(PEM).decode()


@pytest.fixture(scope="module")
def key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


def upload(session, certificate: str, private_key: str) -> dict[str, str]:
    answer = (
        session("payer")
        .client("iam")
        .upload_server_certificate(
            ServerCertificateName=NAME, CertificateBody=certificate, PrivateKey=private_key
        )
    )
    found: dict[str, str] = answer["ServerCertificateMetadata"]
    return found


def test_a_certificate_with_another_key_is_refused(session, key) -> None:
    with pytest.raises(ClientError) as error:
        upload(session, certificate_of(key), pem_of(generate_private_key(SECP256R1())))
    assert error.value.response["Error"]["Code"] == "KeyPairMismatch"


def test_a_certificate_is_taken_once_with_its_own_dates_and_can_be_renamed(session, key) -> None:
    client, name = session("payer").client("iam"), NAME
    try:
        made = upload(session, certificate_of(key), pem_of(key))
        assert (made["ServerCertificateName"], made["Expiration"].year) == (NAME, 2125)
        with pytest.raises(ClientError) as error:
            upload(session, certificate_of(key), pem_of(key))
        assert error.value.response["Error"]["Code"] == "EntityAlreadyExists"
        client.update_server_certificate(
            ServerCertificateName=NAME, NewServerCertificateName="other", NewPath="/x/"
        )
        name = "other"
        found = client.get_server_certificate(ServerCertificateName=name)["ServerCertificate"]
        assert found["ServerCertificateMetadata"] == {
            **made,
            "ServerCertificateName": name,
            "Path": "/x/",
            "Arn": "arn:aws:iam::111111111111:server-certificate/x/other",
        }
        assert (
            client.list_server_certificates(PathPrefix="/y/")["ServerCertificateMetadataList"] == []
        )
    finally:
        client.delete_server_certificate(ServerCertificateName=name)

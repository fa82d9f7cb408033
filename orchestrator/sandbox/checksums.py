"""The checksums that S3 keeps of objects, and those that calls give.

CRC32C and CRC64NVME are not in the standard library. Sources: S3 User Guide, "Checking object
integrity in Amazon S3"; the catalogue of CRC algorithms, CRC-32/ISCSI and CRC-64/NVME. The error
texts were recorded on AWS.
"""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any

import moto.s3.models
import moto.s3.responses

from orchestrator.sandbox.wire import ServiceError

DEFAULT = "CRC64NVME"  # of an object whose writer gave none
SIZES = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}  # bytes
_POLYNOMIALS = {"CRC32C": 0x82F63B78, "CRC64NVME": 0x9A6C9329AC4BC9B5}  # reflected


def digest(algorithm: str, content: bytes) -> bytes:
    """Compute a checksum of one of the algorithms in ``SIZES``."""
    if algorithm == "CRC32":
        return zlib.crc32(content).to_bytes(4, "big")
    if algorithm in _POLYNOMIALS:
        return _crc(content, _POLYNOMIALS[algorithm], SIZES[algorithm])
    return hashlib.new(algorithm, content, usedforsecurity=False).digest()


def checksum(algorithm: str, content: bytes) -> str:
    """Compute a checksum as S3 writes it: in Base64."""
    return b64encode(digest(algorithm, content)).decode()


def _crc(content: bytes, polynomial: int, size: int) -> bytes:
    ones, table = (1 << 8 * size) - 1, _table(polynomial)
    value = ones
    for byte in content:
        value = value >> 8 ^ table[(value ^ byte) & 0xFF]
    return (value ^ ones).to_bytes(size, "big")


@cache
def _table(polynomial: int) -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
        table.append(value)
    return table


def given_checksums(given: Mapping[str, Any]) -> dict[str, str]:
    """Get the checksums that a call, or a part in it, gives, by their algorithms."""
    return {name: given[f"Checksum{name}"] for name in SIZES if given.get(f"Checksum{name}")}


def check_content(given: Mapping[str, Any]) -> None:
    """Refuse a body whose checksum differs from the one in the call.

    Raises:
        ServiceError: InvalidRequest or BadDigest.
    """
    if "aws-chunked" in str(given.get("ContentEncoding")):  # the body is still in its chunks
        return
    if (md5 := given.get("ContentMD5")) is not None:
        _check_md5(md5, given.get("Body") or b"")
    if len(given_checksums(given)) > 1:
        raise ServiceError(
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    for name, value in given_checksums(given).items():
        if not _is_digest(value, SIZES[name]):
            raise ServiceError(
                "InvalidRequest", f"Value for x-amz-checksum-{name.lower()} header is invalid."
            )
        if value != checksum(name, given.get("Body") or b""):
            raise ServiceError(
                "BadDigest", f"The {name} you specified did not match the calculated checksum."
            )


def _check_md5(md5: str, body: bytes) -> None:
    if len(md5) != _MD5_LENGTH or not md5.endswith("=="):
        named = {"Content-MD5": md5}
        raise ServiceError(
            "InvalidDigest", "The Content-MD5 you specified was invalid.", 400, **named
        )
    calculated = b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
    if md5 != calculated:
        raise ServiceError(
            "BadDigest",
            "The Content-MD5 you specified did not match what we received.",
            ExpectedDigest=md5,
            CalculatedDigest=calculated,
        )


_MD5_LENGTH = 24


def _is_digest(text: str, size: int) -> bool:
    try:
        return len(b64decode(text, validate=True)) == size
    except ValueError:
        return False


def _of_moto(body: bytes, algorithm: str, encode_base64: bool = True) -> bytes:
    value = digest(algorithm, body)
    return b64encode(value) if encode_base64 else value


# moto computes CRC32 in place of the algorithms whose libraries are absent.
moto.s3.models.compute_checksum = moto.s3.responses.compute_checksum = _of_moto

"""The sandbox computes the checksums that S3 keeps."""

import pytest

from orchestrator.sandbox.checksums import digest


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [  # the check values of the catalogue of CRC algorithms
        ("CRC32", "cbf43926"),
        ("CRC32C", "e3069283"),
        ("CRC64NVME", "ae8b14860a799888"),
    ],
)
def test_a_checksum_is_the_algorithm_s_check_value(algorithm, value):
    assert digest(algorithm, b"123456789").hex() == value

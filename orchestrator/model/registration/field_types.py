"""Types of fields that octo.yaml has in several places, with their own messages."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")


def _account_id(value: object) -> object:
    """YAML reads an unquoted account id as a number; one with leading zeros is already lost."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{12}", value, re.ASCII):
        raise PydanticCustomError(
            "account_id", "must be 12 digits, in quotes, like account_id: '111122223333'"
        )
    return value


def _region(value: object) -> object:
    if not isinstance(value, str) or not _REGION.fullmatch(value):
        raise PydanticCustomError("region", "must be an AWS region, like us-east-1")
    return value


AccountId = Annotated[
    str,
    BeforeValidator(_account_id),
    WithJsonSchema(
        {
            # Unquoted digits are a number to YAML; octo-tf accepts them where no zero was lost.
            "anyOf": [
                {"type": "string", "pattern": "^[0-9]{12}$"},
                {"type": "integer", "minimum": 100_000_000_000, "maximum": 999_999_999_999},
            ]
        }
    ),
]
Region = Annotated[
    str, BeforeValidator(_region), Field(json_schema_extra={"pattern": f"^{_REGION.pattern}$"})
]
Line = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00-\x1f]*$")]


def _time(value: object) -> object:
    try:  # Python 3.10 reads no Z
        found = datetime.fromisoformat(value.replace("Z", "+00:00")) if type(value) is str else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise PydanticCustomError(
            "time", "must be a time with its offset, in quotes, like '2026-11-27T09:00:00+00:00'"
        )
    return found.isoformat(timespec="seconds")


Time = Annotated[
    str, BeforeValidator(_time), Field(json_schema_extra={"format": "date-time"})
]  # ISO 8601
Text = Annotated[str, StringConstraints(min_length=1)]
Target = Annotated[
    str,
    StringConstraints(pattern=r"^(ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32})$"),
]


class Section(BaseModel):
    """A part of octo.yaml: an unknown key is an error, and nothing is converted."""

    # The validators are built when first used: `--help` needs the descriptions only.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

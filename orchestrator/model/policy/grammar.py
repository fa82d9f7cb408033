"""The form that AWS takes policies in: what a document is held to that AWS has not seen yet.

Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from orchestrator.model.policy.document import as_list

_Text = Annotated[str, Field(strict=True, pattern=r"^[ -~\u00a0-\uffff]*\z")]
_Action = Annotated[str, Field(strict=True, pattern=r"^(\*|[\w*?-]+:[\w*?-]+)\z")]
_Texts = Annotated[list[_Text], BeforeValidator(as_list), Field(min_length=1)]
_Actions = Annotated[list[_Action], BeforeValidator(as_list), Field(min_length=1)]
_Values = Annotated[list[_Text | bool | int | float], BeforeValidator(as_list)]
_Who = Literal["*"] | dict[Literal["AWS", "Service", "Federated", "CanonicalUser"], _Texts]


class _Statement(BaseModel):
    model_config = ConfigDict(extra="forbid")

    effect: Literal["Allow", "Deny"] = Field(alias="Effect")
    sid: _Text = Field("", alias="Sid")
    principal: _Who | None = Field(None, alias="Principal")
    not_principal: _Who | None = Field(None, alias="NotPrincipal")
    action: _Actions = Field([], alias="Action")
    not_action: _Actions = Field([], alias="NotAction")
    resource: _Texts = Field([], alias="Resource")
    not_resource: _Texts = Field([], alias="NotResource")
    condition: dict[_Text, dict[_Text, _Values]] = Field({}, alias="Condition")

    @model_validator(mode="before")
    @classmethod
    def _has_one_of_each(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            if ("Action" in value) is ("NotAction" in value):
                raise ValueError("must have Action or NotAction")
            for element in ("Principal", "Resource"):
                if element in value and f"Not{element}" in value:
                    raise ValueError(f"must not have both {element} and Not{element}")
        return value


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal["2008-10-17", "2012-10-17"] = Field("2008-10-17", alias="Version")
    id: _Text = Field("", alias="Id")
    statement: Annotated[list[_Statement], BeforeValidator(as_list), Field(min_length=1)] = Field(
        alias="Statement"
    )


def fault(document: Mapping[str, Any]) -> str:
    """Name the first place where a document is no policy, and why; empty if it is one.

    Values of the document are never named: there may be an external id among them.
    """
    try:
        _Document.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"{place}: {first['msg'].removeprefix('Value error, ')}"
    return ""

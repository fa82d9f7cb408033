"""Complete IAM's requests: the user that a call is about, and what moto is asked for.

Source: IAM API Reference, UserName: "If you do not specify a user name, IAM determines the user
name implicitly based on the AWS access key ID that signed the request."
"""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import parse_qsl, urlencode

from moto.core.request import Request
from moto.core.utils import get_service_model

from orchestrator.sandbox.iam_pagination import is_paged
from orchestrator.sandbox.wire import Call, ServiceError

_ALL = "1000000"
_NAME = "UserName"


def name_caller(call: Call) -> None:
    """Name the calling user in a call without a user's name.

    Raises:
        ServiceError: ValidationError, the caller is no user.
    """
    if call.service != "iam" or _NAME in call.parameters:
        return
    shape = get_service_model("iam").operation_model(call.operation).input_shape
    if shape is None or _NAME not in shape.members or _NAME in shape.required_members:
        return
    if call.caller.kind != "user":
        raise ServiceError(
            "ValidationError", "Must specify userName when calling with non-User credentials"
        )
    call.parameters[_NAME] = call.caller.name


def for_moto(request: Request, call: Call) -> dict[str, Any]:
    """Change the environment of a request to moto: lists whole, and with the caller's name."""
    if call.service != "iam":
        return {}
    given = dict(parse_qsl(request.get_data(as_text=True), keep_blank_values=True))
    if is_paged(call):
        given = {**given, "MaxItems": _ALL}
        given.pop("Marker", None)
    if _NAME in call.parameters:
        given[_NAME] = call.parameters[_NAME]
    body = urlencode(given).encode()
    return {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}

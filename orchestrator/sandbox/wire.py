"""Parse HTTP requests into calls, and serialize results and errors into HTTP responses.

Routing, parsing and serializing are moto's, which drives them by botocore's service models.
"""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from xml.sax.saxutils import escape

from botocore.exceptions import DataNotFoundError
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.parse import RequestParserError
from moto.core.request import Request, determine_request_protocol
from moto.core.responses import PROTOCOL_PARSERS
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from orchestrator.sandbox.constraints import mistyped, reason_of, violations
from orchestrator.sandbox.state import Caller

# moto warns of error codes that a service's model does not list; AWS has many of them.
warnings.filterwarnings("ignore", "Exception.ServiceError. with code", module="moto.core.serialize")

# Services that sign by another name than botocore's models have.
_NAMES = {
    "access-analyzer": "accessanalyzer",
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "es": "opensearch",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "sso": "sso-admin",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
_CLASSIC = "2012-06-01"  # the API version of Classic Load Balancers, signed like elbv2
_REQUEST, _HOST = "00000000-0000-0000-0000-000000000000", "host"
_WITHOUT_PATHS = ("query", "ec2", "json")  # protocols
_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")


class ServiceError(ServiceException):  # type: ignore[misc]  # moto is untyped here
    """An error as AWS answers it: its code, message and HTTP status, and further members."""

    def __init__(self, code: str, message: str, status: int = 400, **members: str) -> None:
        super().__init__(code, message)
        self.status = status
        self.members = members
        for name, text in members.items():  # moto serializes those of the service's model
            setattr(self, name, text)


@dataclass(frozen=True)
class CredentialScope:
    """The credential scope of a signed request: access key, region, service."""

    access_key: str
    region: str
    service: str


@dataclass(frozen=True)
class Call:
    """One API call, parsed and validated.

    ``uri`` holds S3's Bucket and Key; ``notes`` what an operation keeps until moto has answered
    (its ``environ`` changes the WSGI environment of the request to moto); ``called_via`` the
    service that makes the call with the caller's permissions; ``user_agent`` the program that sent
    the request.
    """

    service: str
    operation: str
    region: str
    caller: Caller
    parameters: dict[str, Any]
    uri: dict[str, Any]
    notes: dict[str, Any] = field(default_factory=dict)
    called_via: str = ""
    user_agent: str = ""


def scope_of(request: Request) -> CredentialScope | None:
    """Parse the credential scope (AWS Signature Version 4); None for an unsigned request."""
    match = _SCOPE.search(request.headers.get("Authorization", ""))
    if match is None:
        return None
    service = match[3].lower()
    # S3 Control signs as S3, and every call of it names the account, as no call of S3 does.
    if service == "s3" and "x-amz-account-id" in request.headers:
        service = "s3control"
    service = _NAMES.get(service, service)
    if service == "elbv2" and request.values.get("Version") == _CLASSIC:
        service = "elb"
    return CredentialScope(match[1], match[2], service)


def operation_of(request: Request, service: str) -> tuple[OperationModel, dict[str, Any]] | None:
    """Find the operation of a request, and its path parameters; None if there is none."""
    try:
        matched: tuple[OperationModel, dict[str, Any]] = get_service_router(service).match(request)
        return matched
    except (HTTPException, NotImplementedError, DataNotFoundError):
        return None


def parameters_of(
    request: Request, service: str, model: OperationModel, uri: dict[str, Any]
) -> dict[str, Any]:
    """Parse and validate the operation's parameters.

    Raises:
        ServiceError: they do not fit the service's model.
    """
    protocol = determine_request_protocol(get_service_model(service), request.content_type)
    if protocol == "json" and (mistake := mistyped(model.input_shape, request.get_data())):
        raise ServiceError("SerializationException", mistake)
    try:
        parameters: dict[str, Any] = PROTOCOL_PARSERS[protocol](model).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.get_data(),
                "url_path": request.path,
                "url_params": uri,
            }
        )
    except (ValueError, TypeError, AttributeError, RequestParserError):
        if service == "s3":
            raise malformed_xml() from None
        if protocol in ("query", "ec2"):
            raise ServiceError("MalformedInput", "The request is not well-formed.") from None
        raise ServiceError("SerializationException", "The request is not well-formed.") from None
    if found := _violations(service, model.input_shape, parameters):
        raise _invalid(service, found)
    return parameters


# What S3 does not check by its schema, or has errors of its own for.
_NOT_BY_SCHEMA = (
    *("AccessControlPolicy", "BucketLoggingStatus", "CreateBucketConfiguration"),
    *("NotificationConfiguration", "WebsiteConfiguration"),
)


def _violations(service: str, shape: Any, parameters: dict[str, Any]) -> list[str]:
    if shape is None:
        return []
    if service != "s3":
        return list(violations(shape, parameters))
    body = shape.serialization.get("payload")
    if body is None or shape.members[body].type_name != "structure":
        return []
    if body in _NOT_BY_SCHEMA:
        return []
    if body == "Tagging":  # which may lack its only member
        parameters.setdefault(body, {}).setdefault("TagSet", [])
    return list(violations(shape.members[body], parameters.get(body, {})))


def _invalid(service: str, found: list[str]) -> ServiceError:
    """Make the error of parameters that do not fit the service's model."""
    if service == "s3":
        return malformed_xml()
    if service == "organizations":
        reason, message = reason_of(found)
        return ServiceError("InvalidInputException", message, Reason=reason)
    if service == "iam":
        if text := _iam_text(found[0]):
            return ServiceError("ValidationError", text)
        found = [_IAM_HIDDEN.sub("", each) for each in found]
    if service == "ec2":
        value, _, named = found[0].removeprefix("Value ").partition(" at '")
        name = f"{named[:1].upper()}{named[1:]}".partition("'")[0].rstrip("s")  # as lists are sent
        if name == "InstanceType" and (several := value.strip("'")).startswith("["):
            text = f"The following supplied instance types do not exist: {several}"
            return ServiceError("InvalidInstanceType", text)
        if value == "null":
            text = f"The request must contain the parameter {name}"
            return ServiceError("MissingParameter", text)
        return ServiceError("InvalidParameterValue", f"Invalid value {value} for {name}.")
    errors = "error" if len(found) == 1 else "errors"
    return ServiceError(
        "ValidationError" if service in QUERY else "ValidationException",
        f"{len(found)} validation {errors} detected: {'; '.join(found)}",
    )


def _iam_text(found: str) -> str:
    """Word a name or path of wrong characters as IAM does; "" for every other violation."""
    member = found.rpartition(" at '")[2].partition("'")[0]
    if found.endswith(r"regular expression pattern: [\w+=,.@-]+"):
        return (
            f"The specified value for {member} is invalid. It must contain only alphanumeric"
            " characters and/or the following: +=,.@_-"
        )
    if member in ("path", "newPath") and "regular expression" in found:
        return (
            f"The specified value for {member} is invalid. It must begin and end with / and"
            " contain only alphanumeric characters and/or / characters."
        )
    return ""


# IAM shows no values, neither the given nor the possible ones.
_IAM_HIDDEN = re.compile(r"(?<=\AValue )(null|'.*') (?=at ')|(?<=enum value set): .*\Z", re.DOTALL)
QUERY = ("iam", "sts", "cloudformation")


def malformed_xml() -> ServiceError:
    """Make S3's error for a body that does not fit its schema."""
    return ServiceError(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )


def no_such_bucket(bucket: str) -> ServiceError:
    """Make S3's error for a bucket that does not exist."""
    text = "The specified bucket does not exist"
    return ServiceError("NoSuchBucket", text, 404, BucketName=bucket)


# The name of the page size parameter in each protocol.
_PAGE_SIZES = {"query": "MaxItems", "json": "MaxResults"}


def with_pages_of_one(request: Request, call: Call) -> tuple[Request, Call]:
    """Copy a call with a page size of one, if its operation has pages."""
    protocol = determine_request_protocol(get_service_model(call.service), request.content_type)
    name = "MaxKeys" if call.service == "s3" else _PAGE_SIZES.get(protocol, "")
    shape = get_service_model(call.service).operation_model(call.operation).input_shape
    if shape is None or name not in shape.members:
        return request, call
    environ, body = dict(request.environ), request.get_data()
    if protocol == "query":
        body += b"&MaxItems=1"
    elif protocol == "json":
        body = json.dumps({**json.loads(body or b"{}"), name: 1}).encode()
    else:
        environ["QUERY_STRING"] = "&".join(filter(None, [environ["QUERY_STRING"], "max-keys=1"]))
    environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
    smaller = Request({k: v for k, v in environ.items() if not k.startswith("werkzeug.request")})
    return smaller, replace(call, parameters={**call.parameters, name: 1})


# What moto's serializer says beside the Message, in errors of XML.
_TWICE = re.compile(r"<message>.*?</message>(?=</Error>)", re.DOTALL)


def success(request: Request, service: str, model: OperationModel, result: Any) -> Response:
    """Serialize a result by the service's model."""
    return _serialized(request, service, model, result)


def failure(
    request: Request, service: str, model: OperationModel | None, error: ServiceError
) -> Response:
    """Serialize an error by the service's model."""
    if service in ("s3", "s3control"):
        return s3_error(
            error.code,
            error.message,
            error.status,
            error.members,
            wrapped=service == "s3control" and model is not None,
        )
    try:
        named = model or OperationModel({}, get_service_model(service))
        if model is None and request.path != "/" and named.service_model.protocol in _WITHOUT_PATHS:
            return _plain(request, service, error)  # of another service that signs alike
        response = _serialized(request, service, named, error)
        response.set_data(_TWICE.sub("", response.get_data(as_text=True)))
    except (DataNotFoundError, NotImplementedError):
        return _plain(request, service, error)
    response.status_code = status_of(service, error.status)
    return response


def status_of(service: str, status: int) -> int:
    """Get the status of an answer: in JSON, every error of the client's has 400 (AWS JSON 1.1)."""
    is_json = get_service_model(service).protocol == "json"
    return 400 if is_json and 400 < status < 500 else status


def _serialized(request: Request, service: str, model: OperationModel, result: Any) -> Response:
    protocol = determine_request_protocol(get_service_model(service), request.content_type)
    serialized = get_serializer_class(service, protocol)(operation_model=model).serialize(result)
    headers = {**serialized["headers"], "x-amzn-RequestId": _REQUEST}
    return Response(serialized["body"], serialized["status_code"], headers)


def s3_error(
    code: str, message: str, status: int, members: Mapping[str, str], *, wrapped: bool = False
) -> Response:
    """Serialize an error of S3, or of S3 Control, which wraps it as other services do."""
    inner = _elements({"Code": code, "Message": message, **members})
    ids = _elements({"RequestId": _REQUEST, "HostId": _HOST})
    error = f"<Error>{inner}</Error>{ids}" if wrapped else f"<Error>{inner}{ids}</Error>"
    error = f"<ErrorResponse>{error}</ErrorResponse>" if wrapped else error
    response = Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{error}', status)
    response.headers["Content-Type"] = "application/xml"
    name_s3_request(response)
    return response


def name_s3_request(response: Response) -> None:
    """Name the request in an answer of S3 by its own headers, and drop those of the request."""
    for name in ("x-amzn-RequestId", "x-amz-sdk-checksum-algorithm", "x-amz-content-sha256"):
        response.headers.pop(name, None)
    response.headers.update({"x-amz-request-id": _REQUEST, "x-amz-id-2": _HOST})


def _elements(texts: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in texts.items())


def _plain(request: Request, service: str, error: ServiceError) -> Response:
    """Serialize an error of a service that botocore knows by another name: XML, or else JSON."""
    if service.startswith("s3"):
        return s3_error(error.code, error.message, error.status, {})
    if "x-www-form-urlencoded" not in (request.content_type or ""):
        return plain_json(error)
    inner = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>"
        f"<RequestId>{_REQUEST}</RequestId></ErrorResponse>"
    )
    return Response(body, error.status, {"Content-Type": "text/xml"})


def plain_json(error: ServiceError) -> Response:
    """Serialize an error without a service's model, as JSON."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "x-amzn-errortype": error.code,  # which clients of REST services read
    }
    body = json.dumps({"__type": error.code, "message": error.message})
    return Response(body, error.status, headers)

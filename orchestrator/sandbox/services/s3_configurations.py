"""S3: the configurations of a bucket that have ids: analytics, inventory, metrics, tiering.

moto knows some of them only, and deletes the bucket instead of them. Source: S3 API Reference;
the error texts were recorded on AWS.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError, malformed_xml

SERVICE = "s3"
_KINDS = ("Analytics", "IntelligentTiering", "Inventory", "Metrics")
_PAGE = 100


def _held(state: SandboxState) -> dict[str, dict[str, dict[str, Any]]]:
    held: dict[str, dict[str, dict[str, Any]]] = state.of_service("s3 configurations", dict)
    return held


def configurations(state: SandboxState, bucket: str, kind: str) -> dict[str, Any]:
    """Get a bucket's configurations of a kind, by id."""
    return _held(state).setdefault(bucket, {}).setdefault(kind, {})


def forget(state: SandboxState, bucket: str) -> None:
    """Drop the configurations of a bucket that is deleted."""
    _held(state).pop(bucket, None)


def _operations(kind: str) -> dict[str, Operation]:
    name = f"{kind}Configuration"

    def put(state: SandboxState, call: Call) -> Response:
        given = call.parameters[name]
        _check(kind, call.parameters["Id"], given)
        configurations(state, call.uri["Bucket"], kind)[given["Id"]] = given
        return Response(status=204)

    def get(state: SandboxState, call: Call) -> dict[str, Any]:
        held = configurations(state, call.uri["Bucket"], kind)
        return {name: _found(held, call)}

    def delete(state: SandboxState, call: Call) -> dict[str, Any]:
        held = configurations(state, call.uri["Bucket"], kind)
        _found(held, call)
        del held[call.parameters["Id"]]
        return {}

    def list_all(state: SandboxState, call: Call) -> dict[str, Any]:
        token = call.parameters.get("ContinuationToken") or ""
        held = configurations(state, call.uri["Bucket"], kind)
        left = [held[key] for key in sorted(held) if key > token]
        answer: dict[str, Any] = {"IsTruncated": len(left) > _PAGE}
        if token:
            answer["ContinuationToken"] = token
        if left:
            answer[f"{name}List"] = left[:_PAGE]
        if len(left) > _PAGE:
            answer["NextContinuationToken"] = left[_PAGE - 1]["Id"]
        return answer

    return {
        f"PutBucket{name}": put,
        f"GetBucket{name}": get,
        f"DeleteBucket{name}": delete,
        f"ListBucket{name}s": list_all,
    }


def _found(held: dict[str, Any], call: Call) -> Any:
    if call.parameters["Id"] not in held:
        raise ServiceError(
            "NoSuchConfiguration", "The specified configuration does not exist.", 404
        )
    return held[call.parameters["Id"]]


def _check(kind: str, own_id: str, given: dict[str, Any]) -> None:
    if given["Id"] != own_id and kind != "Inventory":
        raise malformed_xml()
    if given["Id"] != own_id:
        raise ServiceError(
            "IdMismatch", "Document ID does not match the specified configuration ID."
        )
    if kind == "Inventory":
        destination = given["Destination"]["S3BucketDestination"]["Bucket"]
        if not destination.startswith("arn:"):
            raise ServiceError("InvalidS3DestinationBucket", "Invalid bucket ARN.")
    conditions = given.get("Filter")
    if kind == "Metrics" and conditions is not None and len(conditions) != 1:
        raise malformed_xml()


OPERATIONS: dict[str, Operation] = {
    operation: function for kind in _KINDS for operation, function in _operations(kind).items()
}

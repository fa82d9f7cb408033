"""Answer IAM's lists in pages, by botocore's paginators; moto answers most of them whole."""

from __future__ import annotations

import io
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

import botocore.session
from moto.core.request import Request

from orchestrator.sandbox.markers import marker_at, offset_of
from orchestrator.sandbox.wire import Call, ServiceError

_DEFAULT, _ALL = 100, "1000000"
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


def is_paged(call: Call) -> bool:
    """Whether a call is one of IAM's lists."""
    return call.service == "iam" and call.operation in _results()


def request_for_all(request: Request) -> dict[str, Any]:
    """Change the environment of a request so that it asks for the whole list instead of a page."""
    pairs = parse_qsl(request.get_data(as_text=True), keep_blank_values=True)
    asked = [pair for pair in pairs if pair[0] not in ("Marker", "MaxItems")]
    body = urlencode([*asked, ("MaxItems", _ALL)]).encode()
    return {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def page_of(call: Call, body: str) -> str:
    """Cut a whole list to the page that a call asks for, and say whether there are more.

    Raises:
        ServiceError: ValidationError, its marker is not one of these lists'.
    """
    ElementTree.register_namespace("", _NAMESPACE)
    root = ElementTree.fromstring(body)  # noqa: S314  (moto has made it)
    result = next((e for e in root if e.tag.endswith("Result")), None)
    if result is None:
        return body
    start = _offset(call.parameters.get("Marker"))
    end = start + int(call.parameters.get("MaxItems") or _DEFAULT)
    number = 0
    for name in _results()[call.operation]:
        listed = result.find(f"{{{_NAMESPACE}}}{name}")
        for member in list(listed if listed is not None else ()):
            if not start <= number < end:
                listed.remove(member)  # type: ignore[union-attr]  # it has members
            number += 1
    for name in ("IsTruncated", "Marker"):
        for old in result.findall(f"{{{_NAMESPACE}}}{name}"):
            result.remove(old)
    _add(result, "IsTruncated", "true" if number > end else "false")
    if number > end:
        _add(result, "Marker", marker_at(end))
    return ElementTree.tostring(root, encoding="unicode")


@cache
def _results() -> dict[str, list[str]]:
    """The members of each list's answer that are cut, by operation."""
    loader = botocore.session.get_session().get_component("data_loader")
    paginators = loader.load_service_model("iam", "paginators-1")["pagination"]
    keys = {operation: found["result_key"] for operation, found in paginators.items()}
    return {operation: key if isinstance(key, list) else [key] for operation, key in keys.items()}


def _offset(marker: str | None) -> int:
    try:
        return offset_of(marker)
    except ValueError:
        raise ServiceError("ValidationError", f"Invalid Marker: {marker}") from None


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{_NAMESPACE}}}{name}").text = text

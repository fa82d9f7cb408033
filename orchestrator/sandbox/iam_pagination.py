"""Answer IAM's lists in pages, by botocore's paginators; moto answers most of them whole."""

from __future__ import annotations

from functools import cache
from typing import Any
from xml.etree import ElementTree

import botocore.session

from orchestrator.sandbox.markers import marker_at, offset_of
from orchestrator.sandbox.wire import Call, ServiceError

_DEFAULT = 100
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


def is_paged(call: Call) -> bool:
    """Whether a call is one of IAM's lists."""
    return call.service == "iam" and call.operation in _results()


def page_of(call: Call, body: str) -> str:
    """Cut a whole list to the page that a call asks for, and say whether there are more.

    Raises:
        ServiceError: ValidationError, no list of IAM has returned the marker.
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


def page(name: str, whole: list[Any], call: Call) -> dict[str, Any]:
    """Answer the page of a list that a call asks for.

    Raises:
        ServiceError: ValidationError, no list of IAM has returned the marker.
    """
    start = _offset(call.parameters.get("Marker"))
    end = start + int(call.parameters.get("MaxItems") or _DEFAULT)
    more = end < len(whole)
    next_page = {"Marker": marker_at(end)} if more else {}
    return {name: whole[start:end], "IsTruncated": more, **next_page}


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

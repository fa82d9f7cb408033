"""Replay calls that were recorded on AWS against a sandbox, and compare the answers.

The calls are in ``answers/``, a file for each area: ``params`` by ``as_profile`` (a profile of the
sandbox, ``payer`` by default) in ``region`` (``us-east-1`` by default), in their order. A call with
a ``label`` is compared with ``aws``, what AWS answered by its ``source``; one without prepares
others. ``LS`` in a source is LocalStack, whose test snapshots were recorded on AWS. A recorded
answer is what boto3 returned, with placeholders such as ``<datetime>`` where AWS answers another
value each time; a documented one is its code, message, status and the members that it ``has``, some
with their value (``Stacks.0.StackStatus=CREATE_FAILED``), and ``lacks``.
``pace``: the seconds that a stack takes from this call on; 0 waits for what runs. ``keep``:
members of the answer by a name, which later parameters use as ``{name}``.
"""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

RECORDED = {
    path.stem: json.loads(path.read_text())
    for path in sorted(Path(__file__).with_name("answers").glob("*.json"))
}
# AWS answers other values of these each time, or for each recorded account.
_VARIES = re.compile(r"<|datetime|^[A-Z0-9]{16,}$")
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_UNCHECKED = ("ResponseMetadata", "Error.Type", "message", "Error.message")
_CONFIG = Config(parameter_validation=False, retries={"max_attempts": 1})


class Replay:
    """The calls of one sandbox: ids of recorded answers become those of the sandbox's answers."""

    def __init__(self, session: Callable[[str], Any], pace: Callable[[float], None]) -> None:
        self._session = session
        self._pace = pace
        self._clients: dict[tuple[str, ...], Any] = {}
        self._ids: dict[str, str] = {}
        self._kept: dict[str, str] = {}
        self._new: dict[str, list[str]] = {"VersionId": [], "OperationId": [], "StackId": []}
        self._keys: dict[str, dict[str, str]] = {"unknown key": dict.fromkeys(_KEYS, "A" * 20)}

    def answer(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """Make a call; its answer as boto3 gives it, errors too."""
        if "pace" in call:
            self._pace(call["pace"])
        profile = call.get("as_profile", "payer")
        client = self._client(profile, call["service"], call.get("region", "us-east-1"))
        method = getattr(client, xform_name(call["operation"]))
        try:
            answer: dict[str, Any] = method(**self._parameters(call["params"]))
        except ClientError as error:
            answer = dict(error.response)
        self._note(call, answer)
        return answer

    def _client(self, profile: str, service: str, region: str) -> Any:
        keys = self._keys.get(profile, {})
        key = (profile, service, region, *keys.values())
        if key not in self._clients:
            config = _CONFIG
            if service == "s3control":  # whose hosts do not resolve
                config = config.merge(Config(proxies={"http": os.environ["AWS_ENDPOINT_URL"]}))
            self._clients[key] = self._session("payer" if keys else profile).client(
                service, region_name=region, config=config, **keys
            )
        return self._clients[key]

    def _parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        made = {}
        for name, value in parameters.items():
            if name == "Body" and value.startswith("b'"):
                made[name] = ast.literal_eval(value)
            elif name in ("VersionId", "OperationId") and _ID.fullmatch(value):
                made[name] = self._of(name, value)
            elif name == "StackName" and (found := _ID.search(value)):
                made[name] = self._of("StackId", value.replace(found[0], ""))
            else:
                made[name] = self._with_kept(value)
        return made

    def _with_kept(self, value: Any) -> Any:
        """Put what was kept in place of the names in a parameter."""
        if isinstance(value, dict):
            return {name: self._with_kept(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._with_kept(inner) for inner in value]
        return self._kept.get(value[1:-1], value) if isinstance(value, str) else value

    def _of(self, kind: str, recorded: str) -> str:
        """The sandbox's id for a recorded one: the first that no other recorded id has."""
        if recorded not in self._ids:
            if kind == "StackId":
                name = recorded.rsplit("/", 2)[1]
                self._ids[recorded] = next(i for i in self._new[kind] if f"/{name}/" in i)
            elif kind == "OperationId":
                self._ids[recorded] = self._new[kind][-1]
            else:
                known = set(self._ids.values())
                self._ids[recorded] = next(i for i in self._new[kind] if i not in known)
        return self._ids[recorded]

    def _note(self, call: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        operation = call["operation"]
        for name, path in call.get("keep", {}).items():
            self._kept[name] = dict(_flat("", answer)).get(path, "")
        for kind, seen in self._new.items():
            if kind in answer and not operation.startswith(("Get", "Head", "List", "Describe")):
                seen.append(answer[kind])
        if operation in _SESSIONS and "Credentials" in answer:
            found = answer["Credentials"]
            names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
            keys = dict(zip(_KEYS, (found[name] for name in names), strict=True))
            self._keys["keys of an assumed role"] = keys
            self._keys["wrong session token"] = {**keys, _KEYS[2]: "x" * 40}
            self._keys["no session token"] = {name: keys[name] for name in _KEYS[:2]}
        if operation == "CreateAccessKey" and "AccessKey" in answer:
            key_id, secret = (answer["AccessKey"][n] for n in ("AccessKeyId", "SecretAccessKey"))
            keys = {_KEYS[0]: key_id, _KEYS[1]: secret}
            self._keys[f"user {call['params']['UserName']}"] = keys
            self._keys["wrong secret"] = {_KEYS[0]: key_id, _KEYS[1]: "x" * 40}


_SESSIONS = ("AssumeRole", "AssumeRoot", "GetFederationToken", "GetSessionToken")
_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


def differences(aws: Any, answer: Mapping[str, Any]) -> list[str]:
    """Say how an answer differs from AWS's; ids, dates and what varies do not count."""
    if not isinstance(aws, dict):
        return []
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    error = answer.get("Error", {})
    if "has" in aws:
        return list(_from_documented(aws, status, error, answer))
    expected = aws.get("Error", {})
    found = [
        *_unequal("status", aws["ResponseMetadata"]["HTTPStatusCode"], status),
        *_unequal("code", expected.get("Code"), error.get("Code")),
        *_unequal("message", expected.get("Message"), error.get("Message")),
    ]
    if found:
        return found
    return list(_members(aws, answer))


def _from_documented(
    aws: Mapping[str, Any], status: int, error: Mapping[str, Any], answer: Mapping[str, Any]
) -> Iterator[str]:
    if aws["status"] is not None:
        yield from _unequal("status", aws["status"], status)
    yield from _unequal("code", aws["code"], error.get("Code"))
    if aws["message"] is not None:
        yield from _unequal("message", aws["message"], error.get("Message"))
    members = list(_flat("", answer))
    paths = [*(path for path, _ in members), *(f"{path}={value}" for path, value in members)]
    yield from (f"-{path}" for path in aws["has"] if not any(p.startswith(path) for p in paths))
    yield from (f"+{path}" for path in aws["lacks"] if any(p.startswith(path) for p in paths))


def _members(aws: Any, answer: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(answer.get("Policy"), str):  # AWS's is recorded as it was parsed
        answer = {**answer, "Policy": json.loads(answer["Policy"])}
    expected, found = dict(_flat("", aws)), dict(_flat("", answer))
    for name in sorted(expected.keys() | found.keys()):
        if name.startswith(_UNCHECKED) or name.endswith("ETag"):  # of another content
            continue
        if name not in found:
            yield f"-{name}"
        elif name not in expected:
            yield f"+{name}"
        else:
            yield from _unequal(name, expected[name], found[name])


def _flat(path: str, value: Any) -> Iterator[Any]:
    """Name every member by its path: ``Role.Tags.0.Key``."""
    if hasattr(value, "read"):
        value = value.read().decode()
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _flat(f"{path}.{number}", inner)
    else:
        yield path, value


def _unequal(name: str, expected: Any, found: Any) -> Iterator[str]:
    if expected == found or _same_but_for_names(str(expected), str(found)):
        return
    yield f"{name}: AWS {expected!r}, sandbox {_without_ids(found)!r}"


def _same_but_for_names(expected: str, found: str) -> bool:
    """Whether texts differ in placeholders only."""
    parts = re.split(r"<[^<>]*>|datetime", expected)
    if len(parts) == 1:
        return bool(_VARIES.search(expected)) and type(found) is str
    return bool(re.fullmatch(".*?".join(map(re.escape, parts)), found, re.DOTALL))


def _without_ids(value: Any) -> Any:
    return _ID.sub("<id>", value) if isinstance(value, str) else value

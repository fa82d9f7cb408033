"""A role is deleted with the policies that are its alone, and with no others."""

from __future__ import annotations

from typing import Any

from orchestrator.aws import iam

OWN = "arn:aws:iam::111122223333:policy/path/CloudSaver-1"
AWS_OWN = "arn:aws:iam::aws:policy/ReadOnlyAccess"


class Iam:
    """Stands for IAM with one role; notes what is detached and deleted, in order."""

    def __init__(self, *attached: str, **policy: int) -> None:
        self.attached = attached
        self.policy = {"AttachmentCount": 1, "PermissionsBoundaryUsageCount": 0, **policy}
        self.calls: list[tuple[str, ...]] = []

    def client(self, _service: str) -> Iam:
        return self

    def get_paginator(self, name: str) -> Any:
        pages = {
            "list_attached_role_policies": {
                "AttachedPolicies": [{"PolicyArn": arn} for arn in self.attached]
            },
            "list_policy_versions": {
                "Versions": [
                    {"VersionId": "v2", "IsDefaultVersion": True},
                    {"VersionId": "v1", "IsDefaultVersion": False},
                ]
            },
        }
        return type("Paginator", (), {"paginate": lambda *_, **__: [pages[name]]})()

    def get_policy(self, **_given: str) -> dict[str, Any]:
        return {"Policy": self.policy}

    def list_role_policies(self, **_given: str) -> dict[str, Any]:
        return {"PolicyNames": []}

    def list_instance_profiles_for_role(self, **_given: str) -> dict[str, Any]:
        return {"InstanceProfiles": []}

    def __getattr__(self, name: str) -> Any:
        return lambda **given: self.calls.append((name, *given.values()))


def deleted(client: Iam) -> list[tuple[str, ...]]:
    iam.delete_role(client, "CloudSaver-Role")  # type: ignore[arg-type]
    return client.calls


def test_a_policy_that_nothing_else_uses_goes_with_the_role():
    assert deleted(Iam(OWN)) == [
        ("detach_role_policy", "CloudSaver-Role", OWN),
        ("delete_policy_version", OWN, "v1"),
        ("delete_policy", OWN),
        ("delete_role", "CloudSaver-Role"),
    ]


def test_a_policy_that_something_else_uses_stays():
    kept = [("detach_role_policy", "CloudSaver-Role", OWN), ("delete_role", "CloudSaver-Role")]
    assert deleted(Iam(OWN, AttachmentCount=2)) == kept
    assert deleted(Iam(OWN, PermissionsBoundaryUsageCount=1)) == kept


def test_a_policy_of_aws_stays():
    assert deleted(Iam(AWS_OWN)) == [
        ("detach_role_policy", "CloudSaver-Role", AWS_OWN),
        ("delete_role", "CloudSaver-Role"),
    ]

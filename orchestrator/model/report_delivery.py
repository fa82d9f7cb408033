"""Judge whether AWS can deliver a report: the bucket's policy, and the key that encrypts it.

Sources: AWS Cost and Usage Report User Guide, "Setting up an Amazon S3 bucket for Cost and Usage
Reports" (the actions) and "Setting up an Amazon S3 bucket for data exports" (the policy without
GetBucketAcl); IAM User Guide, "AWS global condition context keys" and "Data perimeters" (the keys
of a service's request); S3 User Guide, "Using server-side encryption with AWS KMS keys".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.model.policy import (
    UNKNOWN,
    AnyOf,
    Decision,
    Layers,
    Policy,
    Principal,
    Request,
    Value,
    as_list,
    decide,
    matching,
    statements,
)

SERVICE = "billingreports.amazonaws.com"
TEST_OBJECT = "aws-programmatic-access-test-object"
# A key that AWS may omit for services, or send with a value that no owner's policy names.
_OF_A_SERVICE = AnyOf((None, "of-an-aws-service"))
_SERVICE_KEYS: Mapping[str, Value] = {
    "aws:SecureTransport": "true",
    "aws:PrincipalIsAWSService": "true",
    "aws:PrincipalServiceName": SERVICE,
    "aws:PrincipalAccount": _OF_A_SERVICE,
    "aws:PrincipalArn": _OF_A_SERVICE,
    "aws:userid": _OF_A_SERVICE,
    # A service is of no organization, and its requests come from no network of a customer.
    **dict.fromkeys(("aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalTag/*")),
    **dict.fromkeys(("aws:username", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge")),
    **dict.fromkeys(("aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp")),
    # Reports are encrypted as the bucket says, or with S3's own keys, never with a key by name.
    "s3:x-amz-server-side-encryption": AnyOf((None, "AES256")),
    "s3:x-amz-server-side-encryption-aws-kms-key-id": None,
    "*": UNKNOWN,
}


@dataclass(frozen=True)
class ReportDelivery:
    """A report that AWS delivers to a bucket.

    Attributes:
        account_id: the account of the report and the bucket.
        cur_region: the region of the report's definition.
    """

    account_id: str
    partition: str
    report: str
    prefix: str
    bucket: str
    region: str
    cur_region: str

    @property
    def bucket_arn(self) -> str:
        """The bucket's ARN."""
        return f"arn:{self.partition}:s3:::{self.bucket}"

    @property
    def definitions(self) -> str:
        """The ARN pattern of the account's report definitions, as AWS's policies have it."""
        return f"arn:{self.partition}:cur:{self.cur_region}:{self.account_id}:definition/*"

    def keys(self, *, literal: bool = False) -> dict[str, Value]:
        """Return the condition keys of the billing service's requests.

        ``literal``: whether the source's ARN ends with ``*`` itself.
        """
        source = self.definitions if literal else self.definitions[:-1] + self.report
        return {**_SERVICE_KEYS, "aws:SourceAccount": self.account_id, "aws:SourceArn": source}


@dataclass(frozen=True)
class PolicyJudgement:
    """What a bucket's policy means for the delivery; statements are named as in ``Match``.

    Attributes:
        lacking: what nothing allows the billing service: ``s3:PutObject on <ARN>``.
        denying: the statements that certainly stop the delivery.
        open: the statements on which it depends, with the decision that is not known.
        wide: the statements that let in the reports of any account.
        requires_tls: whether requests without TLS are denied.
    """

    lacking: tuple[str, ...]
    denying: tuple[str, ...]
    open: Mapping[str, Decision]
    wide: tuple[str, ...]
    requires_tls: bool


def judge_bucket_policy(document: Any, delivery: ReportDelivery) -> PolicyJudgement:
    """Judge a bucket's policy by its effect, however it is worded.

    Args:
        document: the policy, or its JSON text.
        delivery: the report that AWS delivers to the bucket.
    """
    keys = delivery.keys(literal=_compares_with_pattern(document, delivery.definitions))
    lacking, denying, wide = [], [], []
    uncertain: dict[str, Decision] = {}
    stranger = replace(delivery, account_id="0" * 12)
    for action, resource, named in _needs(document, delivery):
        request = Request(action, resource, Principal.service(SERVICE), keys)
        found = _decide(document, request)
        if found.outcome == "unknown" and found.statement is not None:
            uncertain[found.statement.statement] = found
        elif found.explicit_deny:
            denying += _applying(document, request, "Deny")
        elif not found.allowed:
            lacking.append(f"{action} on {named}")
        foreign = replace(request, keys=stranger.keys())
        if _decide(document, foreign).allowed:
            wide += _applying(document, foreign, "Allow")
    return PolicyJudgement(
        tuple(dict.fromkeys(lacking)),
        tuple(dict.fromkeys(denying)),
        uncertain,
        tuple(dict.fromkeys(wide)),
        _requires_tls(document, delivery),
    )


def _needs(document: Any, delivery: ReportDelivery) -> Iterator[tuple[str, str, str]]:
    """Yield each action AWS needs, the resource to test, and the resource to name in a policy."""
    bucket, anything = delivery.bucket_arn, f"{delivery.bucket_arn}/*"
    if not any(map(_is_of_data_exports_guide, statements(document))):
        yield "s3:GetBucketAcl", bucket, bucket
    yield "s3:GetBucketPolicy", bucket, bucket
    manifest = f"{delivery.prefix}/{delivery.report}/{delivery.report}-Manifest.json"
    # AWS writes the test object at the bucket's root, so a policy for the prefix is not enough.
    for key in (TEST_OBJECT, manifest):
        yield "s3:PutObject", f"{bucket}/{key}", anything


def _compares_with_pattern(document: Any, pattern: str) -> bool:
    """Tell whether a policy compares the source's ARN with AWS's pattern by StringEquals.

    AWS's console and guide write it so, and it works (decision 0038).
    """
    return any(
        operator.lower().startswith("stringequals")
        and key.lower() == "aws:sourcearn"
        and pattern in as_list(wanted)
        for statement in statements(document)
        for operator, keys in (statement.get("Condition") or {}).items()
        for key, wanted in keys.items()
    )


def _is_of_data_exports_guide(statement: Mapping[str, Any]) -> bool:
    """Recognize the statement of AWS's Data Exports guide, which needs no GetBucketAcl beside it.

    It is "applied to every S3 bucket when creating a Cost and Usage Report" (decision 0038).
    """
    principal = statement.get("Principal")
    actions = {str(action).lower() for action in as_list(statement.get("Action", []))}
    return (
        statement.get("Effect") == "Allow"
        and actions == {"s3:putobject", "s3:getbucketpolicy"}
        and isinstance(principal, Mapping)
        and SERVICE in as_list(principal.get("Service", []))
    )


def _decide(document: Any, request: Request) -> Decision:
    return decide(request, Layers(resource=Policy(document)))


def _applying(document: Any, request: Request, effect: str) -> list[str]:
    return [
        match.statement
        for match in matching(document, request, by_resource=True)
        if match.effect == effect and match.applies.value
    ]


def _requires_tls(document: Any, delivery: ReportDelivery) -> bool:
    keys: dict[str, Value] = {"aws:SecureTransport": "false", "*": UNKNOWN}
    reading = Request(
        "s3:GetObject", f"{delivery.bucket_arn}/{TEST_OBJECT}", Principal.anonymous(), keys
    )
    return _decide(document, reading).explicit_deny


@dataclass(frozen=True)
class KeyJudgement:
    """What a key's policy allows for delivery and for reading, and what to add to it.

    Attributes:
        deliver: whether the billing service may encrypt with the key.
        read: whether the role may decrypt with it.
        needed: the statements to add to the key's policy for what is not allowed.
    """

    deliver: Decision
    read: Decision
    needed: tuple[Mapping[str, Any], ...]


def judge_key_policy(
    document: Any,
    delivery: ReportDelivery,
    *,
    role_arn: str,
    role_policies: Sequence[Any],
    same_account: bool,
) -> KeyJudgement:
    """Judge the policy of the KMS key that a bucket is encrypted with.

    Args:
        document: the key's policy.
        delivery: the report that AWS delivers to the bucket.
        role_arn: the role that reads the report.
        role_policies: the role's own policies.
        same_account: whether the key is of the role's account.
    """
    via = {"kms:ViaService": f"s3.{delivery.region}.amazonaws.com"}
    resource = Policy(document)
    writing = Request(
        "kms:GenerateDataKey", "*", Principal.service(SERVICE), {**via, **delivery.keys()}
    )
    deliver = decide(writing, Layers(resource=resource, resource_alone=True))
    reader: dict[str, Value] = {
        **via,
        "aws:PrincipalAccount": delivery.account_id,
        "aws:PrincipalArn": role_arn,
        "aws:PrincipalIsAWSService": "false",
        "aws:SecureTransport": "true",
        "kms:CallerAccount": delivery.account_id,
        "*": UNKNOWN,
    }
    read = decide(
        Request("kms:Decrypt", "*", Principal.aws(role_arn), reader),
        Layers(
            identity=[Policy(policy) for policy in role_policies],
            resource=resource,
            same_account=same_account,
            resource_alone=True,
        ),
    )
    for_delivery = {
        "Sid": "OctoTfCurDelivery",
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": delivery.account_id}},
    }
    for_reading = {
        "Sid": "OctoTfCurRead",
        "Effect": "Allow",
        "Principal": {"AWS": role_arn},
        "Action": "kms:Decrypt",
        "Resource": "*",
    }
    needed = [
        statement
        for decision, statement in ((deliver, for_delivery), (read, for_reading))
        if decision.outcome == "denied"
        and not decision.explicit_deny
        and decision.layer == "resource"
    ]
    return KeyJudgement(deliver, read, tuple(needed))

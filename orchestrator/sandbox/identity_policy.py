"""Check the documents and sizes of IAM policies as IAM does.

moto checks the policies of identities much as IAM does; ``install`` takes its place, since it
refuses some that IAM accepts. Source: IAM User Guide, "IAM and AWS STS quotas" (white space does
not count), "AWS JSON policy elements"; real error texts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from moto.iam import models
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.models import AWSManagedPolicy
from moto.iam.policy_validation import IAMPolicyDocumentValidator

from orchestrator.sandbox import policy_grammar, principals
from orchestrator.sandbox.policy import as_list
from orchestrator.sandbox.state import SandboxState, iam
from orchestrator.sandbox.wire import ServiceError

_INLINE_BYTES = {"role": 10_240, "user": 2_048, "group": 5_120}  # of all inline policies together
_MANAGED_BYTES = 6_144
_TRUST_BYTES = 2_048
_MOST_ATTACHED = 10
_AWS_MANAGED = re.compile(r"arn:aws[\w-]*:iam::aws:policy/(?:.*/)?([\w+=,.@-]+)")


# Of AWS's own policies, which moto has without their descriptions (AWS Managed Policy Reference).
_DESCRIPTIONS = {
    "AdministratorAccess": "Provides full access to AWS services and resources.",
    "AmazonEC2ReadOnlyAccess": (
        "Provides read only access to Amazon EC2 via the AWS Management Console."
    ),
    "AmazonS3FullAccess": "Provides full access to all buckets via the AWS Management Console.",
    "AmazonS3ReadOnlyAccess": (
        "Provides read only access to all buckets via the AWS Management Console."
    ),
    "AWSBillingReadOnlyAccess": "Allows users to view bills on the Billing Console.",
    "AWSOrganizationsFullAccess": "Provides full access to AWS Organizations.",
    "AWSOrganizationsReadOnlyAccess": "Provides read-only access to AWS Organizations.",
    "AWSSupportAccess": "Allows users to access the AWS Support Center.",
    "Billing": (
        "Grants permissions for billing and cost management. This includes viewing account usage"
        " and viewing and modifying budgets and payment methods."
    ),
    "CloudWatchReadOnlyAccess": "Provides read only access to CloudWatch.",
    "IAMFullAccess": "Provides full access to IAM via the AWS Management Console.",
    "IAMReadOnlyAccess": "Provides read only access to IAM via the AWS Management Console.",
    "PowerUserAccess": (
        "Provides full access to AWS services and resources, but does not allow management of"
        " Users and groups."
    ),
    "ReadOnlyAccess": "Provides read-only access to AWS services and resources.",
    "SecurityAudit": (
        "The security audit template grants access to read security configuration metadata. It is"
        " useful for software that audits the configuration of an AWS account."
    ),
    "ViewOnlyAccess": (
        "This policy grants permissions to view resources and basic metadata across all AWS"
        " services."
    ),
}
# In IAM's own ARNs: an account's id, AWS itself, nothing, or a part with a wildcard or variable.
_ACCOUNT = re.compile(r"\d{12}|aws||.*[*?$].*")
_SYNTAX = "Syntax errors in policy."
_SID = re.compile(r"[0-9A-Za-z]*")


class _Validator(IAMPolicyDocumentValidator):  # type: ignore[misc]  # moto is untyped here
    """moto's checks, with what IAM accepts or refuses beside them.

    Inline policies need no version; numbers are values of conditions, too.
    """

    def __init__(self, text: str, *, with_version: bool) -> None:
        super().__init__(text)
        self._with_version = with_version

    def _validate_version(self) -> None:
        if self._with_version:
            super()._validate_version()

    @staticmethod
    def _validate_statement_syntax(statement: dict[str, Any]) -> None:
        if not policy_grammar.has_valid_conditions(statement):
            raise ValueError
        without = {name: value for name, value in statement.items() if name != "Condition"}
        IAMPolicyDocumentValidator._validate_statement_syntax(without)


class _Accepting:
    """The checks that moto makes in the sandbox: none, since they have been made."""

    def __init__(self, _text: str) -> None:
        pass

    def validate(self) -> None:
        """Accept."""


def install() -> None:
    """Leave moto nothing to check in this process; idempotent."""
    models.IAMPolicyDocumentValidator = _Accepting
    models.IAMTrustPolicyDocumentValidator = _Accepting


def check_trust(state: SandboxState, text: str) -> None:
    """Check a trust policy: its grammar, its size, and that every principal exists.

    Raises:
        ServiceError: MalformedPolicyDocument or LimitExceeded.
    """
    try:
        document = policy_grammar.load(text)
    except ValueError:
        raise _malformed("This policy contains invalid Json") from None
    syntax = "Syntax error in policy."
    for problem in policy_grammar.problems(document, syntax=syntax, with_resources=False):
        raise _malformed(problem)
    for statement in as_list(document["Statement"]):
        for problem in _of_trust(state, statement):
            raise _malformed(problem)
    if _size(text) > _TRUST_BYTES:
        raise _limit(f"Cannot exceed quota for ACLSizePerRole: {_TRUST_BYTES}")


def _of_trust(state: SandboxState, statement: Any) -> Iterator[str]:
    if "NotPrincipal" in statement:
        yield "AssumeRole policy must not contain NotPrincipal field."
    elif statement["Principal"] == "*":
        yield 'AssumeRolepolicy contained an invalid principal: "STAR":"*".'
    actions = as_list(statement.get("Action", statement.get("NotAction")))
    if not all(action.startswith("sts:") for action in actions):
        yield "AssumeRole policy may only specify STS AssumeRole actions."
    if "Resource" in statement:
        yield "Has prohibited field Resource"
    if "NotResource" in statement:
        yield "AssumeRole policy must not contain resources."
    for kind, names in statement["Principal"].items():
        if kind not in ("AWS", "Service", "Federated"):
            yield f'Invalid principal in policy: "{kind}"'
        elif not as_list(names):
            yield (
                "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException:"
                " The passed in policy has a statement with no principals!"
            )
    for kind, name in principals.named(statement):
        if not principals.exists(state, kind, name):
            yield (
                "Federated principals must be valid domain names or SAML metadata ARNs"
                if kind == "Federated"
                else f'Invalid principal in policy: "{kind.upper()}":"{name}"'
            )


def check_inline(kind: str, name: str, others: list[str], text: str) -> None:
    """Check an inline policy and, with the holder's other ones, the size of all.

    Raises:
        ServiceError: MalformedPolicyDocument or LimitExceeded.
    """
    check_identity(text, with_version=False)
    most = _INLINE_BYTES[kind]
    if sum(map(_size, others)) + _size(text) > most:
        raise _limit(f"Maximum policy size of {most} bytes exceeded for {kind} {name}")


def check_managed(text: str) -> None:
    """Check the document of a managed policy.

    Raises:
        ServiceError: MalformedPolicyDocument or LimitExceeded.
    """
    check_identity(text, with_version=True)
    if _size(text) > _MANAGED_BYTES:
        raise _limit(f"Cannot exceed quota for PolicySize: {_MANAGED_BYTES}")


def check_attached(account_id: str, holder: Any, arn: str, kind: str) -> None:
    """Check that a managed policy exists, and that one more may be attached.

    Raises:
        ServiceError: NoSuchEntity or LimitExceeded.
    """
    if arn not in iam(account_id).managed_policies:
        text = f"Policy {arn} does not exist or is not attachable."
        raise ServiceError("NoSuchEntity", text, 404)
    if arn not in holder.managed_policies and len(holder.managed_policies) >= _MOST_ATTACHED:
        raise _limit(f"Cannot exceed quota for PoliciesPer{kind.title()}: {_MOST_ATTACHED}")


def check_boundary(account_id: str, arn: str) -> None:
    """Check that a permissions boundary exists.

    Raises:
        ServiceError: ValidationError or NoSuchEntity.
    """
    check_arn(arn)
    load_aws_managed(account_id, arn)
    if arn not in iam(account_id).managed_policies:
        raise ServiceError(
            "NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.", 404
        )


def check_arn(arn: str) -> None:
    """Check that a text is an ARN.

    Raises:
        ServiceError: ValidationError.
    """
    if not arn.startswith("arn:") or arn.count(":") < 5:
        raise ServiceError("ValidationError", "Invalid ARN:  Could not be parsed!")


def load_aws_managed(account_id: str, arn: str) -> None:
    """Make one of AWS's own managed policies known to an account; all would be 1.8 GB."""
    match, own = _AWS_MANAGED.fullmatch(arn), iam(account_id)
    if match is None or arn in own.managed_policies or match[1] not in _aws_managed_data():
        return
    policy = _aws_managed(match[1], account_id)
    if policy.arn == arn:
        own.managed_policies[arn] = policy


def aws_managed(account_id: str) -> Iterator[Any]:
    """Make all of AWS's own managed policies, which the account does not keep."""
    return (_aws_managed(name, account_id) for name in _aws_managed_data())


def _aws_managed(name: str, account_id: str) -> Any:
    region = iam(account_id).region_name
    made = AWSManagedPolicy.from_data(name, account_id, region, _aws_managed_data()[name])
    digest = base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()
    made.id = f"ANPA{digest[:17]}"  # the same in every account
    made.description = _DESCRIPTIONS.get(name, "")
    return made


@cache
def _aws_managed_data() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(aws_managed_policies_data)
    return loaded


def check_identity(text: str, *, with_version: bool) -> None:
    """Check the grammar of a policy of an identity, which names no principal.

    Raises:
        ServiceError: MalformedPolicyDocument.
    """
    try:
        document = policy_grammar.load(text)
        statements = as_list(document["Statement"])
        if any({"Principal", "NotPrincipal"} & statement.keys() for statement in statements):
            raise _malformed("Policy document should not specify a principal.")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _malformed(_SYNTAX) from None
    try:
        _Validator(text, with_version=with_version).validate()
    except MalformedPolicyDocument as error:
        raise _malformed(str(error.message)) from None
    for statement in statements:
        if not all(_has_valid_account(r) for r in _resources(statement)):
            raise _malformed("The policy failed legacy parsing")
        if not _SID.fullmatch(statement.get("Sid", "")):
            raise _malformed(
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the"
                " regular expression [0-9A-Za-z]*"
            )
        if not all(":" in key for _, key, _ in policy_grammar.conditions(statement)):
            raise _malformed(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            )


def _resources(statement: Any) -> list[str]:
    return as_list(statement.get("Resource", statement.get("NotResource", [])))


def _has_valid_account(resource: str) -> bool:
    parts = resource.split(":", 5)
    is_of_iam = len(parts) > 5 and parts[2] in ("iam", "sts")
    return not is_of_iam or bool(_ACCOUNT.fullmatch(parts[4]))


def _size(text: str) -> int:
    return len(re.sub(r"\s", "", text).encode())


def _malformed(message: str) -> ServiceError:
    return ServiceError("MalformedPolicyDocument", message)


def _limit(message: str) -> ServiceError:
    return ServiceError("LimitExceeded", message, 409)

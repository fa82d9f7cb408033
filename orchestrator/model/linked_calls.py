"""The calls that are made in a linked account: by the StackSet's execution role, and by Octo.

Sources: CloudFormation User Guide, "Activate trusted access for StackSets", and AWS's policy
CloudFormationStackSetsOrgMemberServiceRolePolicy: service-linked roles, which no control policy
binds, create the execution role ``stacksets-exec-*`` in each account and call CloudFormation as it.
CloudFormation Registry, AWS::IAM::Role and AWS::IAM::ManagedPolicy, ``handlers``: what is called
for them. IAM User Guide, "Global condition context keys".

A key that is not stated here is unknown: a statement that depends on it may apply.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.features import table
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import (
    API_ROLE,
    EXECUTION_BOUNDARY,
    is_managed,
)
from orchestrator.model.policy import UNKNOWN, AnyOf, Principal, Request, Value, allowed, matches

EXECUTION_ROLE = "stacksets-exec-*"
# IAM, and what else has one endpoint in a partition: calls to it are calls to this region.
_GLOBAL_REGION = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_GLOBAL = {
    *("account", "aws-portal", "bcm-data-exports", "billing", "billingconductor", "budgets", "ce"),
    *("cloudfront", "consolidatedbilling", "cost-optimization-hub", "cur", "freetier", "iam"),
    *("invoicing", "organizations", "payments", "route53", "savingsplans", "support", "tax"),
}
_ACTION = re.compile(r'"([a-z0-9-]+:[A-Za-z]+)"')  # without wildcards
_SAMPLE = "0" * 32  # the end of an execution role's name, which is CloudFormation's own


@dataclass(frozen=True)
class Place:
    """A linked account, by its place in the organization.

    Attributes:
        organization_id: like ``o-abcde12345``; empty if it was not read.
        path: as condition keys have it: ``o-abcde12345/r-1/ou-1/``.
        named: the texts of the policies that apply; names in them are taken for possible values.
    """

    account_id: str
    organization_id: str
    path: str
    named: str = ""


@dataclass(frozen=True)
class LinkedCalls:
    """The calls for one registration.

    Attributes:
        partition: of the organization.
        region: the StackSet's.
    """

    inputs: Inputs
    partition: str
    region: str

    @property
    def role_names(self) -> list[str]:
        """The roles that the StackSet creates, by their names."""
        return list(self._roles("0" * 12))

    def _roles(self, account_id: str) -> Mapping[str, Mapping[str, object]]:
        return documents.role_policies(
            self.inputs,
            self.inputs.linked_features,
            partition=self.partition,
            account_id=account_id,
        )

    def role_arn(self, account_id: str, name: str) -> str:
        """Return the ARN of a role that the StackSet creates; only Octo's own can have a path."""
        path = (self.inputs.stackset_role_path or "/") if name == API_ROLE else "/"
        return f"arn:{self.partition}:iam::{account_id}:role{path}{name}"

    def deployment(self, place: Place) -> list[Request]:
        """List the calls by which the execution role creates the stack and its resources."""
        account = place.account_id
        stack = f"stack/StackSet-{self.inputs.stackset_name}-{_SAMPLE}/*"
        stack_arn = f"arn:{self.partition}:cloudformation:{self.region}:{account}:{stack}"
        keys = {**_role_keys(place), "aws:PrincipalArn": self._execution_arns(place)}
        in_region: dict[str, Value] = {**keys, "aws:RequestedRegion": self.region}
        principal = Principal.aws(f"arn:{self.partition}:iam::{account}:role/{EXECUTION_ROLE}")
        requests = [
            Request(f"cloudformation:{name}", stack_arn, principal, in_region)
            for name in ("CreateStack", "DescribeStacks")
        ]
        requests += [
            Request(action, arn, principal, {**keys, **self._resource_keys(), **own})
            for action, arn, own in self._creations(account)
        ]
        return requests

    def changes(self, place: Place) -> list[Request]:
        """List the calls by which the execution role changes and removes all of it later."""
        created = self.deployment(place)
        stack, role = created[0], created[-1]
        calls = [(stack, f"cloudformation:{name}") for name in ("UpdateStack", "DeleteStack")]
        calls += [
            (role, f"iam:{name}")
            for name in ("UpdateAssumeRolePolicy", "DeleteRolePolicy", "DeleteRole")
        ]
        return [replace(request, action=action) for request, action in calls]

    def _creations(self, account: str) -> Iterator[tuple[str, str, dict[str, Value]]]:
        """Yield the calls of CloudFormation's handlers: action, resource, keys of its own."""
        tags = self.inputs.tags
        tagged: dict[str, Value] = {f"aws:RequestTag/{k}": v for k, v in tags.items()}
        tagged |= {"aws:TagKeys": [*tags]} if tags else {}
        given = self.inputs.permissions_boundary
        boundary = given and given.replace(f":{self.inputs.account_id}:", f":{account}:")
        policy_arn = f"arn:{self.partition}:iam::{account}:policy"
        own_boundary = f"{policy_arn}/{EXECUTION_BOUNDARY}"
        executing = table().features["execution"].roles
        if "execution" in self.inputs.linked_features and not boundary:
            yield "iam:CreatePolicy", own_boundary, {}
        roles = self._roles(account)
        for policy in filter(is_managed, roles[API_ROLE]):
            yield "iam:CreatePolicy", f"{policy_arn}/{policy}", {}
        for name, policies in roles.items():
            arn = self.role_arn(account, name)
            limited = own_boundary if name in executing else None
            with_boundary: dict[str, Value] = {"iam:PermissionsBoundary": boundary or limited}
            yield "iam:GetRole", arn, {}
            if tags:
                yield "iam:TagRole", arn, tagged
            yield "iam:CreateRole", arn, {**with_boundary, **tagged}
            if policies:
                yield "iam:PutRolePolicy", arn, with_boundary
            for policy in filter(is_managed, policies):
                attached: dict[str, Value] = {"iam:PolicyARN": f"{policy_arn}/{policy}"}
                yield "iam:AttachRolePolicy", arn, {**with_boundary, **attached}

    def _execution_arns(self, place: Place) -> AnyOf:
        role = f"arn:{self.partition}:iam::{place.account_id}:role/stacksets-exec-"
        named = re.findall(r"stacksets-exec-([0-9a-f]{32})", place.named)
        return AnyOf(tuple(f"{role}{end}" for end in {_SAMPLE, *named}))

    def _resource_keys(self) -> dict[str, Value]:
        """The keys of calls to IAM that CloudFormation makes with the caller's permissions."""
        by = "cloudformation.amazonaws.com"
        return {
            "aws:RequestedRegion": _GLOBAL_REGION.get(self.partition, UNKNOWN),
            "aws:ViaAWSService": "true",
            "aws:CalledVia": [by],
            "aws:CalledViaFirst": by,
            "aws:CalledViaLast": by,
        }

    def access(self, place: Place) -> Request:
        """Return the call by which Octo assumes its role in the account."""
        octo, root = self.inputs.principal, f"arn:{self.partition}:iam::{self.inputs.principal}:"
        # What a policy names of Octo's account or as another organization may be Octo's.
        arns = [a.replace("*", "x") for a in re.findall(rf'"({root}[^"]+)"', place.named)]
        others = set(re.findall(r"\bo-[a-z0-9]{10,32}\b", place.named)) - {place.organization_id}
        keys: dict[str, Value] = {
            **_account_keys(place),
            "aws:PrincipalArn": AnyOf((f"{root}role/octo", f"{root}user/octo", *arns)),
            "aws:PrincipalAccount": octo,
            "aws:PrincipalOrgID": AnyOf((None, "o-of-octo", *sorted(others))),
            "aws:PrincipalOrgPaths": AnyOf(
                (None, ["o-of-octo/r-octo/"], *([f"{o}/r-octo/"] for o in others))
            ),
            "sts:ExternalId": UNKNOWN,
        }
        arn = self.role_arn(place.account_id, API_ROLE)
        return Request("sts:AssumeRole", arn, Principal.aws(f"{root}root"), keys)

    def octo(self, place: Place) -> list[Request]:
        """List what Octo calls by the roles that it assumes, as far as the policies allow it."""
        found = []
        for name, policies in self._roles(place.account_id).items():
            if table().roles[name].trust != "external_id":
                continue
            arn = self.role_arn(place.account_id, name)
            keys: dict[str, Value] = {
                **_role_keys(place),
                "aws:PrincipalArn": arn,
                "aws:ViaAWSService": "false",
                "aws:CalledVia": None,
            }
            granted = {a for policy in policies.values() for a in allowed(policy)}
            granted |= {
                a for a in _ACTION.findall(place.named) if any(matches(a, wide) for wide in granted)
            }
            for action in sorted(granted):
                region = self._region_of(action)
                own: dict[str, Value] = {**keys, "aws:RequestedRegion": region}
                found.append(Request(action, "*", Principal.aws(arn), own))
        return found

    def _region_of(self, action: str) -> Value:
        """Octo reads any region that the account uses."""
        is_global = action.partition(":")[0] in _GLOBAL
        return _GLOBAL_REGION.get(self.partition, UNKNOWN) if is_global else UNKNOWN


def _account_keys(place: Place) -> dict[str, Value]:
    """The keys that every call in the account has; of those that it cannot have, there is none."""
    return {
        "aws:ResourceAccount": place.account_id,
        "aws:ResourceOrgID": place.organization_id or UNKNOWN,
        "aws:ResourceOrgPaths": [place.path],
        "aws:SecureTransport": "true",
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalServiceName": None,
        "aws:SourceAccount": None,
        "aws:SourceArn": None,
        "aws:SourceOrgID": None,
        "aws:RequestTag/*": None,
        "aws:TagKeys": None,
        "iam:PermissionsBoundary": None,
        "*": UNKNOWN,
    }


def _role_keys(place: Place) -> dict[str, Value]:
    """The keys that every call by a role of the account has."""
    return {
        **_account_keys(place),
        "aws:PrincipalAccount": place.account_id,
        "aws:PrincipalOrgID": place.organization_id or UNKNOWN,
        "aws:PrincipalOrgPaths": [place.path],
        "aws:PrincipalType": "AssumedRole",
        "aws:username": None,
    }

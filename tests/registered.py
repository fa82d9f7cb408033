"""A registered account made by boto3, as the module would make it, with its expected outputs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator import assets
from orchestrator.aws.session import Aws
from orchestrator.model.module_contract import documents, octo_names
from orchestrator.model.module_contract.features import feature_roles, schema_elements, table
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import is_managed
from orchestrator.model.module_contract.outputs import FeatureRoleOutput, Outputs
from orchestrator.model.policy.classification import expand
from orchestrator.model.stackset import StackInstance

EXTERNAL_ID = "octo-external-id"
PRINCIPAL = "131920598436"
# More reads than a role's inline policies can hold: two managed policies.
MANY = tuple(
    action
    for pattern in ("ec2:Describe*", "glue:BatchGet*", "sagemaker:Describe*", "iot:List*")
    for action in expand(pattern)
    if action != "ec2:DescribeInstanceAttribute"  # returns user data
)
ROLE, CUR_ROLE = "AlphausAcctAccessRole", "AlphausAcctAccessCurRole"


def current(*accounts: str) -> dict[str, StackInstance]:
    """Stack instances that are current, by account id."""
    return {
        a: StackInstance(a, "r-abcd", "CURRENT", "SUCCEEDED", "", "op", True, "us-east-1")
        for a in accounts
    }


def trust(external_id: str | None = EXTERNAL_ID, **changes: Any) -> str:
    """A strict trust policy, with changes to its one statement; None in a change drops a key."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{PRINCIPAL}:root"},
        "Action": "sts:AssumeRole",
    }
    if external_id is not None:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    statement.update(changes)
    statement = {key: value for key, value in statement.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def policy(name: str, **values: str) -> str:
    """One of the module's policy files, filled in."""
    (path,) = Path(assets.MODULE / "policies").glob(f"{name}.json*")
    text = path.read_text()
    for key, value in values.items():
        text = text.replace(f"${{{key}}}", value)
    return json.dumps(json.loads(text))


def _texts(policies: dict[str, Any]) -> dict[str, str]:
    return {name: documents.text(document) for name, document in policies.items()}


def delivery_statements(bucket: str, account_id: str) -> list[dict[str, Any]]:
    condition = {
        "StringEquals": {"aws:SourceAccount": account_id},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cur:us-east-1:{account_id}:definition/*"},
    }
    service = {"Service": "billingreports.amazonaws.com"}
    looks = ["s3:GetBucketAcl", "s3:GetBucketPolicy"]
    arn = f"arn:aws:s3:::{bucket}"
    common = {"Effect": "Allow", "Principal": service, "Condition": condition}
    return [
        {"Sid": "Looks", **common, "Action": looks, "Resource": arn},
        {"Sid": "Writes", **common, "Action": "s3:PutObject", "Resource": f"{arn}/*"},
    ]


def tls_only(bucket: str) -> dict[str, Any]:
    arn = f"arn:aws:s3:::{bucket}"
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def outputs(
    account_id: str,
    account_type: str,
    features: tuple[str, ...] = ("cost",),
    additional_actions: tuple[str, ...] = (),
    **cur: Any,
) -> Outputs:
    """What the module's outputs say of the account that ``register`` makes.

    Of ``execution``, the account has ``stop_ec2``, on instances with the tag octo=execute.
    """

    def role(name: str, policies: dict[str, str]) -> dict[str, Any]:
        return {
            "role_name": name,
            "role_arn": f"arn:aws:iam::{account_id}:role/{name}",
            "inline_policies": {n: p for n, p in policies.items() if not is_managed(n)},
            "managed_policies": {
                f"arn:aws:iam::{account_id}:policy/{n}": p
                for n, p in policies.items()
                if is_managed(n)
            },
            "permissions_boundary": None,
        }

    bucket = f"alphaus-cur-export-{account_id}"
    inputs = Inputs(
        account_id,
        bucket,
        execution_actions=("stop_ec2",),
        execution_tag={"octo": "execute"},
        additional_actions=additional_actions,
    )
    of_roles = documents.role_policies(inputs, features, partition="aws", account_id=account_id)
    boundary = f"arn:aws:iam::{account_id}:policy/{octo_names.EXECUTION_BOUNDARY}"
    document: dict[str, Any] = {
        "account_id": account_id,
        "account_type": account_type,
        "partition": "aws",
        "module_version": "0.1.0",
        "api_access": {
            **role(ROLE, _texts(of_roles[ROLE])),
            "principal": PRINCIPAL,
            "features": [*features],
            "feature_roles": [
                {
                    **role(name, _texts(of_roles[name])),
                    "trust": table().roles[name].trust,
                    "permissions_boundary": None if name == octo_names.SEARCHER_ROLE else boundary,
                }
                for name in feature_roles(features)
            ],
        },
    }
    if account_type != "linked":
        reading = policy("cur_read", bucket_arn=f"arn:aws:s3:::{bucket}", prefix="pre")
        document["cur"] = {
            "report_name": "curreport",
            "time_unit": "HOURLY",
            "format": "textORcsv",
            "compression": "ZIP",
            "additional_schema_elements": ["RESOURCES", *schema_elements(features)],
            "additional_artifacts": [],
            "refresh_closed_reports": True,
            "report_versioning": "OVERWRITE_REPORT",
            "s3_prefix": "pre",
            "s3_bucket_name": bucket,
            "s3_bucket_region": "us-east-1",
            "s3_bucket_option": "CREATE_NEW",
            "bucket_policy_management": "module",
            "bucket_policy_statements": json.dumps(delivery_statements(bucket, account_id)),
            "role": role(
                CUR_ROLE,
                {"octo-cur-billing": policy("cur_billing"), "octo-cur-read": reading},
            ),
            "role_trust": "external_id",
            **cur,
        }
    return Outputs.model_validate(document)


@dataclass
class Registered:
    """A registered account: its clients and what is expected of it."""

    aws: Aws
    expected: Outputs

    @property
    def bucket(self) -> str:
        assert self.expected.cur
        return self.expected.cur.s3_bucket_name

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def put_bucket_policy(self, *statements: dict[str, Any]) -> None:
        text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.client("s3").put_bucket_policy(Bucket=self.bucket, Policy=text)

    def report(self, **changes: Any) -> dict[str, Any]:
        return {
            "ReportName": "curreport",
            "TimeUnit": "HOURLY",
            "Format": "textORcsv",
            "Compression": "ZIP",
            "AdditionalSchemaElements": self.expected.cur.additional_schema_elements
            if self.expected.cur
            else [],
            "RefreshClosedReports": True,
            "ReportVersioning": "OVERWRITE_REPORT",
            "S3Bucket": self.bucket,
            "S3Prefix": "pre",
            "S3Region": "us-east-1",
            **changes,
        }

    def make(self) -> None:
        """Makes what the module makes."""
        iam = self.client("iam")
        access, account_id = self.expected.api_access, self.expected.account_id
        roles = [access, *access.feature_roles]
        if self.expected.cur:
            roles.append(self.expected.cur.role)
        if "execution" in access.features:
            iam.create_policy(
                PolicyName=octo_names.EXECUTION_BOUNDARY,
                PolicyDocument=policy("execution_boundary", partition="aws", account_id=account_id),
            )
        for arn, document in access.managed_policies.items():
            iam.create_policy(PolicyName=arn.rpartition("/")[2], PolicyDocument=document)
        for role in roles:
            kind = role.trust if isinstance(role, FeatureRoleOutput) else "external_id"
            trusted = documents.role_trust(
                kind,
                f"arn:aws:iam::{PRINCIPAL}:root",
                EXTERNAL_ID,
                partition="aws",
                account_id=account_id,
            )
            bounded = {"PermissionsBoundary": b} if (b := role.permissions_boundary) else {}
            iam.create_role(
                RoleName=role.role_name, AssumeRolePolicyDocument=json.dumps(trusted), **bounded
            )
            for name, document in role.inline_policies.items():
                iam.put_role_policy(
                    RoleName=role.role_name, PolicyName=name, PolicyDocument=document
                )
            for arn in role.managed_policies:
                iam.attach_role_policy(RoleName=role.role_name, PolicyArn=arn)
        if self.expected.cur is None:
            return
        s3 = self.client("s3")
        s3.create_bucket(Bucket=self.bucket)
        s3.put_public_access_block(
            Bucket=self.bucket,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )
        self.put_bucket_policy(*delivery_statements(self.bucket, account_id), tls_only(self.bucket))
        self.client("cur").put_report_definition(ReportDefinition=self.report())

    def unmake(self) -> None:
        """Removes all of it, whatever was done to it."""
        iam = self.client("iam")
        for role in iam.list_roles()["Roles"]:
            name = role["RoleName"]
            if name not in table().roles:
                continue
            for policy_name in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                iam.delete_role_policy(RoleName=name, PolicyName=policy_name)
            for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                iam.detach_role_policy(RoleName=name, PolicyArn=attached["PolicyArn"])
            iam.delete_role(RoleName=name)
        for found in iam.list_policies(Scope="Local")["Policies"]:
            for version in iam.list_policy_versions(PolicyArn=found["Arn"])["Versions"]:
                if not version["IsDefaultVersion"]:
                    iam.delete_policy_version(
                        PolicyArn=found["Arn"], VersionId=version["VersionId"]
                    )
            iam.delete_policy(PolicyArn=found["Arn"])
        s3, cur = self.client("s3"), self.client("cur")
        for report in cur.describe_report_definitions()["ReportDefinitions"]:
            cur.delete_report_definition(ReportName=report["ReportName"])
        for bucket in s3.list_buckets()["Buckets"]:
            for entry in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
                s3.delete_object(Bucket=bucket["Name"], Key=entry["Key"])
            s3.delete_bucket(Bucket=bucket["Name"])

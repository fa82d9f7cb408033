"""What a registration stands on, before an upgrade and after it: nothing may have been remade."""

from __future__ import annotations

from pathlib import Path

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from orchestrator.aws.errors import code_of, explained
from orchestrator.aws.session import Aws
from orchestrator.engine.outputs import CurOutput, Outputs
from orchestrator.errors import OctoTfError
from orchestrator.files import write_atomically
from orchestrator.verify.model import Report, Status


class Snapshot(BaseModel):
    """What is there, by what AWS never gives twice.

    Attributes:
        identities: each role's id, the bucket's and the report's marks, by name.
        passing: the ids of the checks that passed.
        linked: the linked accounts that Octo reached through the StackSet.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    identities: dict[str, str]
    passing: list[str]
    linked: list[str]


def take(aws: Aws, outputs: Outputs, report: Report) -> Snapshot:
    """Looks at everything that must outlive an upgrade.

    Sources: IAM GetRole (RoleId: "stable and unique"), S3 ListBuckets (CreationDate), CUR
    DescribeReportDefinitions.

    Raises:
        AwsError: AWS could not be asked.
    """
    roles = [outputs.api_access.role_name]
    if outputs.cur:
        roles.append(outputs.cur.role.role_name)
    identities: dict[str, str] = {}
    with explained("taking the snapshot"):
        for name in roles:
            if role_id := _role_id(aws, name):
                identities[f"role {name}"] = role_id
        if outputs.cur:
            identities |= _bucket_and_report(aws, outputs.cur)
    evidence = [r.finding.evidence for r in report.results if r.id == "stackset.coverage"]
    current = evidence[0].get("current", {}) if evidence else {}
    return Snapshot(
        identities=identities,
        passing=[r.id for r in report.results if r.finding.status is Status.PASS],
        linked=sorted(current) if isinstance(current, dict) else [],
    )


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """What worked or was there before, and is not any more; empty if an upgrade kept everything."""
    lost = [
        f"{name} was {'made anew' if name in after.identities else 'lost'}"
        for name, identity in before.identities.items()
        if after.identities.get(name) != identity
    ]
    lost += [f"{check} passed before" for check in before.passing if check not in after.passing]
    lost += [
        f"linked account {a} was reached before" for a in before.linked if a not in after.linked
    ]
    return lost


def keep(snapshot: Snapshot, path: Path) -> Snapshot:
    """The snapshot of an upgrade that did not end, or else this one, written down for the next."""
    try:
        return Snapshot.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        write_atomically(path, snapshot.model_dump_json(indent=2).encode())
        return snapshot
    except ValueError:
        raise OctoTfError(
            "is no snapshot of an upgrade",
            where=str(path),
            hint="Move it away: the next upgrade takes a new one.",
        ) from None


def _bucket_and_report(aws: Aws, cur: CurOutput) -> dict[str, str]:
    found = {
        f"bucket {bucket['Name']}": bucket["CreationDate"].isoformat()
        for bucket in aws.client("s3").list_buckets()["Buckets"]
        if bucket["Name"] == cur.s3_bucket_name
    }
    pages = aws.client("cur", "us-east-1").get_paginator("describe_report_definitions").paginate()
    for definition in (d for page in pages for d in page["ReportDefinitions"]):
        if definition["ReportName"] == cur.report_name:
            where = f"{definition['S3Bucket']}/{definition['S3Prefix']}"
            found[f"report {cur.report_name}"] = where
    return found


def _role_id(aws: Aws, name: str) -> str | None:
    try:
        return str(aws.client("iam").get_role(RoleName=name)["Role"]["RoleId"])
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return None
        raise

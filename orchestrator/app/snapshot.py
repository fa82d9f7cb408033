"""What a registration consists of before an upgrade and after it: nothing may be recreated."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from orchestrator.aws import cur, iam, s3
from orchestrator.aws.errors import explained
from orchestrator.aws.session import Aws
from orchestrator.errors import OctoTfError
from orchestrator.files import read_regular, write_atomically
from orchestrator.model.module_contract.outputs import Outputs
from orchestrator.verify.model import Report, Status
from orchestrator.verify.stackset import linked_statuses


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


def take(aws: Aws, expected: Outputs, report: Report) -> Snapshot:
    """Note the ids of everything that must outlive an upgrade.

    Sources: IAM GetRole (RoleId: "stable and unique"), S3 ListBuckets (CreationDate), CUR
    DescribeReportDefinitions.

    Args:
        aws: calls as the account; the verification's observation has most of the facts already.
        expected: what was applied.
    """
    names = [expected.api_access.role_name]
    if expected.cur:
        names.append(expected.cur.role.role_name)
    identities: dict[str, str] = {}
    with explained("taking the snapshot"):
        for name in names:
            if role := iam.get_role(aws, name):
                identities[f"role {name}"] = role.role_id
        if expected.cur:
            bucket = expected.cur.s3_bucket_name
            if created := s3.creation_dates(aws).get(bucket):
                identities[f"bucket {bucket}"] = created.isoformat()
            if found := cur.get_report(aws, expected.cur.report_name):
                place = f"{found['S3Bucket']}/{found['S3Prefix']}"
                identities[f"report {found['ReportName']}"] = place
    return Snapshot(
        identities=identities,
        passing=[r.id for r in report.results if r.finding.status in (Status.PASS, Status.WARN)],
        linked=sorted(a for a, (_, status) in linked_statuses(report).items() if status == "pass"),
    )


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """What worked or was there before, and is not any more; empty if an upgrade kept everything."""
    lost = [
        f"{name} was {'recreated' if name in after.identities else 'lost'}"
        for name, identity in before.identities.items()
        if after.identities.get(name) != identity
    ]
    lost += [f"{check} passed before" for check in before.passing if check not in after.passing]
    lost += [
        f"linked account {a} was reached before" for a in before.linked if a not in after.linked
    ]
    return lost


def compare(before: Snapshot, after: Snapshot, account_id: str) -> None:
    """Make sure that an applied change kept everything.

    Raises:
        OctoTfError: something is not as it was before; each thing is named.
    """
    if lost := differences(before, after):
        raise OctoTfError(
            "the plan is applied, but not everything is as it was:\n"
            + "\n".join(f"  {sentence}" for sentence in lost),
            where=account_id,
            hint="Run octo-tf verify: its hints say what fixes each check.",
        )


def keep(snapshot: Snapshot, path: Path) -> None:
    """Write the snapshot down: a run that is killed leaves it to the next one."""
    write_atomically(path, snapshot.model_dump_json(indent=2).encode())


def kept(path: Path) -> Snapshot | None:
    """Read the snapshot of a run that did not end; None where there is none.

    Raises:
        OctoTfError: the file is no snapshot.
    """
    try:
        return Snapshot.model_validate_json(read_regular(path))
    except FileNotFoundError:
        return None
    except ValueError:
        raise OctoTfError(
            "is no snapshot",
            where=str(path),
            hint="Move it away: the next run takes a new one.",
        ) from None

"""AWS partitions: which regions, accounts and ARNs belong together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.model.account import Account
from orchestrator.model.registration import Registration

# botocore's partitions.json, regionRegex; a region of no other partition is a commercial one.
_PREFIXES = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
PARTITIONS = ("aws", *_PREFIXES.values())
# botocore's endpoints.json: the other partitions have no CUR service.
_CUR_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-northwest-1"}
_EXAMPLES = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
}


def partition_of_region(region: str) -> str:
    """Return a region's partition: ``cn-north-1`` → ``aws-cn``."""
    return next((p for prefix, p in _PREFIXES.items() if region.startswith(prefix)), "aws")


def partition_of_arn(arn: str) -> str:
    """Return an ARN's partition: ``arn:aws-cn:iam::...`` → ``aws-cn``."""
    return arn.split(":")[1] if arn.startswith("arn:") else "aws"


@dataclass(frozen=True)
class Mismatch:
    """A setting that is of another partition than the caller.

    Attributes:
        setting: its name.
        what: what is wrong with it, in a sentence.
    """

    setting: str
    what: str
    hint: str


def mismatch(registration: Registration, account: Account) -> Mismatch | None:
    """Find the first setting that is of another partition than the caller; None if all fit."""
    own = partition_of_arn(account.caller_arn)
    regions = {"region": registration.region}
    if account.account_type != "linked":
        regions["cur_s3_bucket_region"] = registration.cur_s3_bucket_region
    for name, region in regions.items():
        if (other := partition_of_region(region)) != own:
            like = f", like {_EXAMPLES[own]}" if own in _EXAMPLES else ""
            return Mismatch(
                name,
                f"{name}: {region} is a region of the partition {other}, and the caller"
                f" {account.caller_arn} is of {own}",
                f"Name a region of {own}{like}, or use credentials of {other}.",
            )
    if account.account_type != "linked" and own not in _CUR_REGIONS:
        return Mismatch(
            "account_id",
            f"account_id: a {account.account_type} account needs a Cost and Usage Report, and the"
            f" partition {own} of {account.caller_arn} has none",
            "Only linked accounts can be registered in this partition.",
        )
    arn = registration.permissions_boundary
    if arn is not None and (other := partition_of_arn(arn)) != own:
        return Mismatch(
            "permissions_boundary",
            f"permissions_boundary: {arn} is of the partition {other}, and the caller"
            f" {account.caller_arn} is of {own}",
            f"Name a policy of this account: arn:{own}:iam::...",
        )
    return None


def as_registered(account: Account) -> Account:
    """Return an account as linked if its partition has no reports; otherwise unchanged.

    Without reports only linked accounts can be registered; one may have left its organization
    since, and be of another type today.
    """
    if partition_of_arn(account.caller_arn) in _CUR_REGIONS:
        return account
    return replace(account, account_type="linked")


def cur_region(partition: str) -> str:
    """Name the region of a partition's CUR service; ``us-east-1`` where there is none."""
    return _CUR_REGIONS.get(partition, "us-east-1")

"""What counts as a change, by the operations of AWS's own service models."""

from __future__ import annotations

import boto3
import pytest

from orchestrator.sandbox.changes import KEPT, ChangeLog, only_reads

# The operations of the services in use that change nothing, though a stranger may doubt it.
READS = {
    "sts": {"AssumeRole", "GetCallerIdentity", "GetSessionToken"},
    "iam": {"GetRole", "ListRoles", "SimulatePrincipalPolicy", "SimulateCustomPolicy"},
    "s3": {"HeadBucket", "HeadObject", "GetObject", "ListObjectsV2"},
    "cloudformation": {"DescribeStacks", "GetTemplate", "ListStackSets", "ValidateTemplate"},
    "organizations": {"DescribeOrganization", "ListAccounts"},
    "cur": {"DescribeReportDefinitions"},
}


@pytest.mark.parametrize("service", READS)
def test_every_operation_that_aws_calls_read_only_is_one(service):
    """Nothing that is named like a read has a sibling that changes something."""
    model = boto3.Session().client(service, region_name="us-east-1").meta.service_model
    reads = {name for name in model.operation_names if only_reads(name)}
    assert reads >= READS[service]
    verbs = ("Create", "Put", "Delete", "Update", "Attach", "Detach", "Register", "Activate")
    changes = {name for name in model.operation_names if name.startswith(verbs)}
    assert not reads & changes


def test_the_log_is_bounded_and_its_numbers_go_on():
    log = ChangeLog()
    for _ in range(KEPT + 5):
        log.note("iam", "CreateRole", "111111111111")
    listed = log.listed()
    assert len(listed) == KEPT
    assert (listed[0]["number"], listed[-1]["number"]) == (6, KEPT + 5)

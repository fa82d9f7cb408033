"""One verification reads each fact once; bench/README.md has the counts of whole commands."""

from __future__ import annotations

import threading

import pytest

from orchestrator.aws import iam
from orchestrator.aws.errors import ServiceError
from tests.calls import counted
from tests.contract.verify.test_stackset import linked
from tests.registered import CUR_ROLE, ROLE

__all__ = ["linked"]

ORGANIZATION = ("ListRoots", "DescribeOrganization", "DescribeStackSet", "ListStackInstances")


def test_a_verification_reads_each_role_and_the_report_once(registered, look):
    with counted() as calls:
        look(registered)
    assert calls["GetRole"] == 2, "the API access role and the CUR role"
    assert calls["DescribeReportDefinitions"] == calls["GetBucketPolicy"] == 1


def test_a_verification_reads_the_organization_and_the_stackset_once(linked):
    linked.make()
    with counted() as calls:
        linked.verify()
    assert {name: calls[name] for name in ORGANIZATION} == dict.fromkeys(ORGANIZATION, 1)


def test_threads_that_need_a_fact_wait_for_one_call(registered):
    observed = registered.aws.observe()
    with counted() as calls:
        readers = [threading.Thread(target=iam.get_role, args=(observed, ROLE)) for _ in range(8)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    assert calls["GetRole"] == 1


def test_without_an_observation_and_in_a_new_one_aws_is_asked_again(registered):
    with counted() as calls:
        iam.get_role(registered.aws, ROLE)
        iam.get_role(registered.aws, ROLE)
        iam.get_role(registered.aws.observe(), CUR_ROLE)
        iam.get_role(registered.aws.observe(), CUR_ROLE)
    assert calls["GetRole"] == 4


def test_an_error_is_a_fact_too(aws):
    from orchestrator.aws import s3

    bucket = ("nobodys-bucket-at-all", "us-east-1", "prefix/")
    observed = aws("payer").observe()
    with counted() as calls:
        for _ in range(2):
            with pytest.raises(ServiceError, match="NoSuchBucket"):
                s3.list_objects(observed, *bucket)
    assert calls["ListObjectsV2"] == 1

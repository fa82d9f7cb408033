"""Leaving after the console path: which stacks are deleted, in which order, and what they leave."""

from __future__ import annotations

from orchestrator.app.console.leaving import stacks_to_delete, stays
from orchestrator.stacks import links
from tests.contract.stacks.conftest import without_stackset
from tests.waiting import wait_until


def test_the_last_stack_is_deleted_first_and_report_and_bucket_outlive_it(account):
    bucket = "billing-in-frankfurt"
    alone = account("standalone", cur_s3_bucket_name=bucket, cur_s3_bucket_region="eu-central-1")
    alone.deploy("api-access")
    alone.deploy("cur")
    flow, deleted = alone.flow(), list[str]()

    def all_are_gone() -> bool:
        found = stacks_to_delete(flow)
        if found and found[0].name not in deleted:
            deleted.append(found[0].name)
            client = alone.client("cloudformation", found[0].region)
            client.delete_stack(StackName=found[0].name)
        return not found

    wait_until(all_are_gone, "every stack is deleted")
    assert deleted == ["AlphausCurExport", "AlphausCurBucket", "AlphausAccountAccess"]
    report, data = stays(flow)
    assert "The report curreport" in report
    assert f"The bucket {bucket} with its data" in data


def test_a_stack_that_made_the_role_and_the_stackset_is_listed_once(account):
    payer = account("payer")
    client = payer.client("cloudformation")
    client.activate_organizations_access()
    try:
        root = payer.client("organizations").list_roots()["Roots"][0]["Id"]
        (page,) = payer.pages("api-access")
        assert payer.create(page.url, TargetOrganizationId=root) == "CREATE_COMPLETE"
        (stack,) = stacks_to_delete(payer.flow())
        stack_id = client.describe_stacks(StackName=stack.name)["Stacks"][0]["StackId"]
        assert (stack.name, stack.status) == ("AlphausAccountAccess", "CREATE_COMPLETE")
        assert stack.url == links.stack_page("us-east-1", stack_id)
    finally:
        without_stackset(client, "AlphausAccountAccess")

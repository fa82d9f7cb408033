"""All three types of account by the console path: stacks made from the links, checks that pass."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from orchestrator.app.console.launch_link import launch_link
from orchestrator.errors import ConfigError, Refused, WrongAccount
from orchestrator.model.billing_transfer import BillingTransfers
from orchestrator.octo.ledger import Ledger
from orchestrator.stacks import links
from orchestrator.verify.model import Area, Status
from tests.contract.stacks.conftest import EXTERNAL_ID, findings, without_stackset

PASS, FAIL, PENDING, SKIPPED = Status.PASS, Status.FAIL, Status.PENDING, Status.SKIPPED


def failing(report) -> dict[str, str]:
    return {n: f.summary for n, f in findings(report).items() if f.status is FAIL}


# The three types


def test_a_linked_account_needs_api_access_only(account):
    linked = account("linked-1")
    assert linked.deploy("api-access") == ["CREATE_COMPLETE"]
    report = linked.check()
    assert failing(report) == {}
    assert report.areas == {
        Area.API_ACCESS: PASS,
        Area.CUR_S3: SKIPPED,
        Area.STACKSET: SKIPPED,
    }
    seen = findings(report)
    assert seen["api_access.assume"].status is PASS
    assert "AlphausAccountAccess is CREATE_COMPLETE" in seen["api_access.stack"].summary


def test_a_standalone_account_gets_its_report(account):
    alone = account("standalone")
    assert alone.deploy("api-access") == ["CREATE_COMPLETE"]
    assert alone.deploy("cur") == ["CREATE_COMPLETE"]
    assert findings(alone.check())["cur_s3.delivery"].status is PENDING
    alone.deliver()
    report = alone.check(finish=True)
    assert {f.status for f in findings(report).values()} == {PASS}, failing(report)
    assert {"cur_s3.read", "cur_s3.role", "cur_s3.public_access"} <= findings(report).keys()
    record = Ledger(alone.folder / alone.account_id / "ledger.json").account(alone.account_id)
    assert set(record.passing_since) == {"api_access", "cur_s3"}
    assert (record.registered_at, record.finished_at) == (None, None)  # nobody said so
    assert record.steps_by_hand()[0] == "Register Account"


def test_a_payer_gets_report_and_linked_accounts(account, session):
    payer = account("payer")
    assert payer.deploy("api-access") == ["CREATE_COMPLETE"]
    assert payer.deploy("cur") == ["CREATE_COMPLETE"]
    client = payer.client("cloudformation")
    client.activate_organizations_access()
    try:
        assert payer.deploy("stackset") == ["CREATE_COMPLETE"]
        payer.deliver()
        report = payer.check()
        assert {f.status for f in findings(report).values()} == {PASS}, failing(report)
        assert set(report.areas.values()) == {PASS}
        assert findings(report)["stackset.access"].evidence["tried"] == 3
        ledger = Ledger(payer.folder / payer.account_id / "ledger.json")
        assert ledger.account(payer.sandbox.accounts["linked-1"]).passing_since
    finally:
        without_stackset(client, "AlphausLinkedAccountAccess")


@pytest.mark.parametrize("option", ["CREATE_NEW", "USE_EXISTING"])
def test_a_bucket_in_another_region(account, option):
    """A stack creates buckets in its own region, and reports in us-east-1 alone."""
    name, region = "billing-in-frankfurt", "eu-central-1"
    alone = account(
        "standalone",
        cur_s3_bucket_option=option,
        cur_s3_bucket_name=name,
        cur_s3_bucket_region=region,
    )
    if option == "USE_EXISTING":
        s3 = alone.client("s3", region)
        where = {"LocationConstraint": region}
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)
        s3.put_public_access_block(
            Bucket=name,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )
        # Without the policy AWS refuses the report, and what is needed is shown.
        assert alone.deploy("cur") == ["ROLLBACK_COMPLETE"]
        seen = findings(alone.check("cur"))["cur_s3.stack"]
        assert "Failed to verify customer bucket permission" in seen.summary
        alone.client("cloudformation").delete_stack(StackName="AlphausCurExport")
        cur = alone.flow().checks_context().desired.outputs.cur
        needed = {"Version": "2012-10-17", "Statement": json.loads(cur.bucket_policy_statements)}
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(needed))
    regions = [links.parse(page.url).region for page in alone.pages("cur")]
    assert regions == ([region] if option == "CREATE_NEW" else []) + ["us-east-1"]
    assert set(alone.deploy("api-access") + alone.deploy("cur")) == {"CREATE_COMPLETE"}
    alone.deliver()
    report = alone.check()
    assert {f.status for f in findings(report).values()} == {PASS}, failing(report)


def test_no_report_is_made_by_a_stack_where_the_billing_is_transferred(account):
    flow = account("standalone").flow()
    flow.account = replace(flow.account, billing=BillingTransfers(paid_by="333333333333"))
    (stack,), (role,) = flow.stacks("cur"), flow.stacks("api-access")
    with pytest.raises(Refused, match="transferred to account 333333333333"):
        launch_link(flow, stack)
    assert launch_link(flow, role).file


def test_no_report_is_made_by_a_stack_with_a_prefix_that_aws_takes_no_longer(account):
    alone = account("standalone", cur_s3_prefix="pre.")
    with pytest.raises(Refused, match=r"no report with the prefix pre\.: it needs"):
        alone.pages("cur")
    for page in alone.pages("cur", cur_s3_prefix="pre"):
        assert alone.create(page.url) == "CREATE_COMPLETE"
    assert alone.pages("cur")  # AWS has the report


def test_the_report_stack_refuses_to_make_a_bucket_in_another_region(account):
    alone = account("standalone")
    (page,) = alone.pages("cur")
    with pytest.raises(ClientError, match="create the bucket with the template cur-bucket"):
        alone.create(page.url, CurS3BucketRegion="eu-central-1")


def test_the_checks_after_stacks_are_those_after_terraform(account):
    """The same ids; the console path only adds what it says of the stacks themselves."""
    from orchestrator.verify.runner import find

    alone = account("standalone")
    alone.deploy("api-access")
    alone.deploy("cur")
    context = alone.flow().checks_context()
    of_terraform = {check.id for check in find() if check.applies(context.desired)}
    assert findings(alone.check()).keys() - of_terraform == {"api_access.stack", "cur_s3.stack"}
    assert of_terraform <= findings(alone.check()).keys()


def test_an_api_access_stack_can_deploy_to_linked_accounts_itself(account, session):
    """Octo's own parameter: TargetOrganizationId in the API access stack."""
    payer = account("payer")
    client = payer.client("cloudformation")
    client.activate_organizations_access()
    try:
        root = payer.client("organizations").list_roots()["Roots"][0]["Id"]
        (page,) = payer.pages("api-access")
        assert payer.create(page.url, TargetOrganizationId=root) == "CREATE_COMPLETE"
        report = payer.check("api-access", "stackset")
        assert set(failing(report)) == set()
        assert report.areas[Area.STACKSET] is PASS
        assert findings(report)["stackset.stack"].evidence["stack"] == "AlphausAccountAccess"
    finally:
        without_stackset(client, "AlphausAccountAccess")


# What goes wrong, shown and explained


def test_nothing_there_yet_is_pending_and_says_what_may_be_the_matter(account):
    report = account("linked-1").check()
    seen = findings(report)["api_access.stack"]
    assert (seen.status, report.exit_code) == (PENDING, 4)
    assert "no stack AlphausAccountAccess in account" in seen.summary
    for named in ("signed in to account", "another account or region", "CAPABILITY_NAMED_IAM"):
        assert named in seen.hint
    assert "api_access.role" not in findings(report)  # no use looking further


def test_credentials_of_another_account_are_refused_before_anything_is_written(account):
    linked = account("linked-1")
    with pytest.raises(WrongAccount, match="nothing was written"):
        linked.flow(account_id=linked.sandbox.accounts["linked-2"])
    assert [path for path in linked.folder.rglob("*") if path.is_file()] == []


def test_deployed_in_another_account_is_not_there(account, session):
    linked, other = account("linked-1"), account("linked-2")
    (page,) = other.pages("api-access")
    assert other.create(page.url) == "CREATE_COMPLETE"
    seen = findings(linked.check())["api_access.stack"]
    assert seen.status is PENDING
    assert f"signed in to account {linked.account_id}" in seen.hint


def test_the_template_of_a_private_bucket_is_not_for_other_accounts(account, session):
    (page,) = account("linked-1").pages("api-access")
    with pytest.raises(ClientError, match="Access Denied"):
        account("linked-2").create(page.url)


def test_an_edited_external_id_is_shown(account):
    linked = account("linked-1")
    (page,) = linked.pages("api-access")
    assert linked.create(page.url, ExternalId="edited-by-hand") == "CREATE_COMPLETE"
    report = linked.check()
    seen = findings(report)["api_access.stack"]
    assert (seen.status, report.exit_code) == (FAIL, 3)
    assert "another ExternalId than the link gives" in seen.summary
    assert "as Octo shows them" in seen.hint
    shown = "".join(f.summary + f.hint + str(f.evidence) for f in findings(report).values())
    assert EXTERNAL_ID not in shown
    assert "edited-by-hand" not in shown


def test_an_edited_principal_is_refused_by_the_template(account):
    linked = account("linked-1")
    (page,) = linked.pages("api-access")
    with pytest.raises(ClientError, match="Principal"):
        linked.create(page.url, Principal="999999999999")


def test_a_missing_capability_makes_no_stack(account):
    linked = account("linked-1")
    (page,) = linked.pages("api-access")
    with pytest.raises(ClientError, match="InsufficientCapabilities"):
        linked.create(page.url, capabilities=[])
    assert "tick that IAM resources" in findings(linked.check())["api_access.stack"].hint


def test_a_role_that_is_there_already_is_explained_with_awss_reason(account):
    linked = account("linked-1")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "131920598436"}, "Action": "sts:AssumeRole"}
        ],
    }
    linked.client("iam").create_role(
        RoleName="AlphausAcctAccessRole", AssumeRolePolicyDocument=json.dumps(trust)
    )
    assert linked.deploy("api-access") == ["ROLLBACK_COMPLETE"]
    seen = findings(linked.check())["api_access.stack"]
    assert seen.status is FAIL
    assert "is ROLLBACK_COMPLETE: Resource of type 'AWS::IAM::Role'" in seen.summary
    assert "delete the stack AlphausAccountAccess and open its link again" in seen.hint


def test_a_caller_who_may_not_make_roles_is_explained(account, user):
    linked, weak = account("linked-1"), user("linked-1", "cloudformation:*", "s3:*")
    (page,) = linked.pages("api-access")
    assert linked.create(page.url, session=weak) == "ROLLBACK_COMPLETE"
    seen = findings(linked.check())["api_access.stack"]
    assert "not authorized to perform: iam:GetRole" in seen.summary
    assert "Sign in as a user with" in seen.hint


def test_a_stack_set_without_trusted_access_is_explained(account):
    payer = account("payer", use_stackset=True)
    assert payer.deploy("stackset") == ["ROLLBACK_COMPLETE"]
    seen = findings(payer.check("stackset"))["stackset.stack"]
    assert "You must enable organizations access" in seen.summary
    assert "Enable trusted access" in seen.hint


def test_a_stack_that_is_at_work_is_waited_for(account):
    from orchestrator.sandbox import control

    linked = account("linked-1")
    (page,) = linked.pages("api-access")
    found = links.parse(page.url)
    control.pace(linked.sandbox.endpoint_url, 600.0)
    try:
        linked.client("cloudformation").create_stack(
            StackName="named-by-hand",
            TemplateURL=found.template_url,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[
                {"ParameterKey": n, "ParameterValue": v} for n, v in found.parameters.items()
            ],
        )
        seen = findings(linked.check())["api_access.stack"]
        assert (seen.status, seen.evidence["stack"]) == (PENDING, "named-by-hand")
        assert "CREATE_IN_PROGRESS" in seen.summary
        endpoint = linked.sandbox.endpoint_url
        # The stack's change ends while the check waits for it.
        report = linked.check(wait_seconds=60, sleep=lambda _: control.pace(endpoint, 0))
        assert report.areas[Area.API_ACCESS] is PASS
    finally:
        control.pace(linked.sandbox.endpoint_url, 0)


def test_a_linked_account_before_its_payer_is_reported(account):
    linked = account("linked-1")
    linked.deploy("api-access")
    seen = findings(linked.check())["api_access.payer"]
    assert seen.status is SKIPPED
    assert "Octo wants the payer before its linked accounts" in seen.hint
    payer = account("payer")
    ledger = Ledger(payer.folder / payer.account_id / "ledger.json")
    ledger.note_planned(payer.flow().account, "")
    assert findings(linked.check())["api_access.payer"].status is SKIPPED  # merely planned
    ledger.note_registered(payer.account_id, "", "payer", method="terraform")
    assert findings(linked.check())["api_access.payer"].status is PASS


def test_a_role_of_terraform_is_checked_as_it_is(account):
    """No stack of this account made it: that is said, and the checks decide."""
    linked = account("linked-1")
    linked.deploy("api-access")
    client = linked.client("cloudformation")
    body = client.get_template(StackName="AlphausAccountAccess")["TemplateBody"]
    kept = body.replace("Type: AWS::IAM::Role", "DeletionPolicy: Retain\n    Type: AWS::IAM::Role")
    parameters = client.describe_stacks(StackName="AlphausAccountAccess")["Stacks"][0]["Parameters"]
    client.update_stack(
        StackName="AlphausAccountAccess",
        TemplateBody=kept,
        Parameters=parameters,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    client.delete_stack(StackName="AlphausAccountAccess")
    report = linked.check()
    assert findings(report)["api_access.stack"].status is SKIPPED
    assert report.areas[Area.API_ACCESS] is PASS


def test_what_was_changed_by_hand_afterwards_fails_in_the_words_of_the_console(account):
    linked = account("linked-1")
    linked.deploy("api-access")
    iam = linked.client("iam")
    iam.delete_role_policy(RoleName="AlphausAcctAccessRole", PolicyName="octo-cost")
    found = findings(linked.check())
    assert found["api_access.policies"].status is FAIL
    assert "octo-tf console link api-access" in found["api_access.policies"].hint
    assert not any("octo-tf apply" in f.hint for f in found.values())


# Steps and buckets


def test_a_step_of_another_type_of_account_is_refused(account):
    linked = account("linked-1")
    for step in ("cur", "stackset"):
        with pytest.raises(ConfigError, match="is not for a linked account"):
            linked.flow().stacks(step)


def test_a_template_bucket_of_another_account_is_refused(account):
    linked, other = account("linked-1"), account("linked-2")
    flow = linked.flow()
    (stack,) = flow.stacks("api-access")
    with pytest.raises(Refused, match="does not belong to account"):
        launch_link(flow, stack, bucket=other.bucket)
    with pytest.raises(ConfigError, match="does not exist"):
        launch_link(flow, stack, bucket="no-such-bucket-anywhere")
    assert other.client("s3").list_objects_v2(Bucket=other.bucket).get("Contents", []) == []


def test_a_bucket_in_another_region_or_with_dots_gives_an_address_that_works(account):
    linked = account("linked-1")
    linked.client("s3", "eu-central-1").create_bucket(
        Bucket="templates.with.dots",
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    flow = linked.flow()
    (stack,) = flow.stacks("api-access")
    page = launch_link(flow, stack, bucket="templates.with.dots")
    url = links.parse(page.url).template_url
    assert url.startswith("https://s3.eu-central-1.amazonaws.com/templates.with.dots/octo-tf/")
    assert linked.create(page.url) == "CREATE_COMPLETE"


def test_without_a_bucket_the_template_is_a_private_file_to_upload(account):
    linked = account("linked-1")
    flow = linked.flow()
    (stack,) = flow.stacks("api-access")
    page = launch_link(flow, stack)
    assert page.url.endswith("?region=us-east-1#/stacks/create")
    assert EXTERNAL_ID not in page.url + page.file.read_text() + str(page.typed)
    assert page.file.stat().st_mode & 0o077 == 0
    linked.client("cloudformation").create_stack(
        StackName=stack.name,
        TemplateBody=page.file.read_text(),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": n, "ParameterValue": v}
            for n, v in {**page.typed, "ExternalId": EXTERNAL_ID}.items()
        ],
    )
    assert linked.check().areas[Area.API_ACCESS] is PASS

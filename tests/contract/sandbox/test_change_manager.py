"""Change templates are reviewed by others than their author, and start only what they offer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

TEMPLATE = {
    "schemaVersion": "0.3",
    "mainSteps": [
        {
            "name": "Approve",
            "action": "aws:approve",
            "inputs": {
                "EnhancedApprovals": {
                    "Approvers": [{"approver": "user-0", "type": "IamUser"}],
                }
            },
        }
    ],
    "executableRunBooks": [{"name": "AWS-StopEC2Instance", "version": "$DEFAULT"}],
}
EVERYTHING = ("ssm:*", "iam:PassRole")
RUNBOOK = {"DocumentName": "AWS-StopEC2Instance", "Parameters": {"InstanceId": ["i-0"]}}


@pytest.fixture
def author(session) -> Iterator[Any]:
    """Systems Manager as the administrator, who has made a change template."""
    ssm = session("standalone").client("ssm")
    ssm.create_document(
        Name="Template", DocumentType="Automation.ChangeTemplate", Content=json.dumps(TEMPLATE)
    )
    yield ssm
    ssm.delete_document(Name="Template")


@pytest.fixture
def reviewer(user) -> Any:
    return user("standalone", *EVERYTHING).client("ssm")


def code(refused: Any) -> str:
    return str(refused.value.response["Error"]["Code"])


def approve(client: Any) -> None:
    client.update_document_metadata(Name="Template", DocumentReviews={"Action": "Approve"})


def test_a_template_is_approved_by_somebody_else(author, reviewer):
    assert author.describe_document(Name="Template")["Document"]["ReviewStatus"] == "NOT_REVIEWED"
    with pytest.raises(ClientError) as refused:
        approve(author)
    assert code(refused) == "InvalidDocumentOperation"
    approve(reviewer)
    found = author.describe_document(Name="Template")["Document"]
    assert (found["ReviewStatus"], found["DocumentType"]) == (
        "APPROVED",
        "Automation.ChangeTemplate",
    )


def test_a_change_needs_an_approved_template_and_one_of_its_runbooks(author, reviewer):
    with pytest.raises(ClientError) as refused:
        author.start_change_request_execution(DocumentName="Template", Runbooks=[RUNBOOK])
    assert code(refused) == "AutomationDefinitionNotApprovedException"
    approve(reviewer)
    other = {**RUNBOOK, "DocumentName": "AWS-StartEC2Instance"}
    with pytest.raises(ClientError) as refused:
        author.start_change_request_execution(DocumentName="Template", Runbooks=[other])
    assert code(refused) == "InvalidAutomationExecutionParametersException"


def test_only_its_approvers_let_a_change_run(author, reviewer):
    approve(reviewer)
    change = author.start_change_request_execution(DocumentName="Template", Runbooks=[RUNBOOK])
    which = {"AutomationExecutionId": change["AutomationExecutionId"], "SignalType": "Approve"}
    with pytest.raises(ClientError) as refused:
        author.send_automation_signal(**which)
    assert code(refused) == "InvalidAutomationSignalException"
    reviewer.send_automation_signal(**which)
    found = author.get_automation_execution(AutomationExecutionId=which["AutomationExecutionId"])
    execution = found["AutomationExecution"]
    assert execution["AutomationExecutionStatus"] == "CompletedWithFailure"
    assert "unable to be assumed" in execution["FailureMessage"], "no role was passed"


def test_a_changed_template_is_to_be_reviewed_again(author, reviewer):
    approve(reviewer)
    changed = json.dumps({**TEMPLATE, "description": "changed"})
    author.update_document(Name="Template", Content=changed, DocumentVersion="1")
    author.update_document_default_version(Name="Template", DocumentVersion="2")
    assert author.describe_document(Name="Template")["Document"]["ReviewStatus"] == "NOT_REVIEWED"


@pytest.mark.parametrize("lacking", ["mainSteps", "executableRunBooks"])
def test_a_template_needs_an_approval_and_runbooks(session, lacking):
    ssm = session("standalone").client("ssm")
    content = {name: value for name, value in TEMPLATE.items() if name != lacking}
    with pytest.raises(ClientError) as refused:
        ssm.create_document(
            Name="Other", DocumentType="Automation.ChangeTemplate", Content=json.dumps(content)
        )
    assert code(refused) == "InvalidDocumentContent"

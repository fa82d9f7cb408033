"""What is simulated of a policy: each action, on a resource and under keys that let it through."""

from __future__ import annotations

import pytest

from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.features import table
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.policy import Sample, allowed, samples
from orchestrator.model.policy.classification import expand

INPUTS = Inputs(
    "111122223333",
    "bucket",
    features=tuple(table().features),
    execution_actions=tuple(table().execution_actions),
    execution_may_delete=True,
    execution_tag={"octo": "execute"},
)
ROLES = documents.role_policies(INPUTS, INPUTS.features, partition="aws", account_id="111122223333")


def test_a_pattern_is_simulated_as_the_actions_that_it_means():
    allow = {"Effect": "Allow", "Action": "cur:Describe*", "Resource": "*"}
    (actions,) = samples({"one": {"Statement": allow}}).values()
    assert actions == expand("cur:Describe*")
    assert "cur:DescribeReportDefinitions" in actions


def test_a_sample_has_no_wildcard_and_the_values_of_the_conditions():
    policy = {
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["ssm:CreateDocument", "ssm:GetDocum*"],
                "Resource": "arn:aws:ssm:*:111122223333:document/*",
                "Condition": {"StringEquals": {"ssm:DocumentType": ["Automation", "Other"]}},
            },
            {"Effect": "Deny", "Action": "ec2:StopInstances", "Resource": "*"},
            {"Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"},
        ]
    }
    document = "arn:aws:ssm:us-east-1:111122223333:document/example"
    assert samples({"one": policy}) == {
        Sample(document, (("ssm:DocumentType", "Automation"),)): (
            "ssm:CreateDocument",
            "ssm:GetDocument",
        ),
        Sample("*", ()): ("ec2:DescribeInstances",),
    }


@pytest.mark.parametrize("role", ROLES)
def test_every_action_of_octos_roles_is_simulated(role: str):
    policies = ROLES[role]
    granted = {
        action
        for policy in policies.values()
        for pattern in allowed(policy)
        for action in expand(pattern)
    }
    assert not {action for action in granted if "*" in action}
    assert {a for actions in samples(policies).values() for a in actions} == granted

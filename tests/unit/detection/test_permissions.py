"""What a role loses, and what is dangerous about what it can do."""

from __future__ import annotations

import pytest

from orchestrator.detection import permissions
from orchestrator.model.observed import Role


def document(*actions: str, effect: str = "Allow") -> dict:
    return {"Statement": [{"Effect": effect, "Action": list(actions), "Resource": "*"}]}


def role(**changes) -> Role:
    return Role("R", "arn:aws:iam::111122223333:role/R", "AROA1", **changes)


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (["ce:GetTags"], ()),
        (["iam:*"], ("writes IAM", "passes roles on")),
        (["IAM:passrole"], ("passes roles on",)),
        (["iam:Attach*"], ("writes IAM",)),
        (["ssm:*", "secretsmanager:*"], ("reads secrets", "runs commands or code")),
        (["organizations:LeaveOrganization"], ("changes the organization",)),
        (["ec2:Terminate?nstances"], ("stops or deletes",)),
        (["*"], ("everything (AdministratorAccess)",)),
        (["iam:Get*", "iam:List*"], ()),
    ],
)
def test_what_is_dangerous_is_named(actions, expected):
    assert permissions.risks([document(*actions)]) == expected


def test_what_is_denied_is_not_a_risk():
    assert permissions.risks([document("*", effect="Deny")]) == ()


def test_administrator_access_is_known_by_its_name():
    found = role(managed={"arn:aws:iam::aws:policy/AdministratorAccess": None})
    assert permissions.role_risks(found) == ("everything (AdministratorAccess)",)


def test_what_remains_is_no_loss():
    kept = {"octo-cost": document("ce:Get*")}
    found = role(inline={"octo-cost": document("x:Y"), "old": document("ce:GetTags", "ec2:Stop*")})
    (removal,) = permissions.removals("role R", role(inline=kept), found)
    assert str(removal).startswith("role R: inline policy old: Octo loses ec2:Stop*")
    assert "ce:GetTags" not in str(removal)


def test_a_policy_that_gives_nothing_more_is_still_listed():
    (removal,) = permissions.removals(
        "role R", role(inline={"k": document("*")}), role(inline={"old": document("ce:GetTags")})
    )
    assert "loses nothing" in removal.consequence


def test_a_policy_that_may_not_be_read_is_said_so():
    (removal,) = permissions.removals(
        "role R", role(), role(managed={"arn:aws:iam::aws:policy/X": None})
    )
    assert removal.what == "managed policy arn:aws:iam::aws:policy/X"
    assert "may not be read" in removal.consequence


def test_everything_except_some_actions_is_not_administrator_access():
    found = {"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}
    risks = permissions.risks([found])
    assert "reads secrets" in risks
    assert not {"writes IAM", "passes roles on", "everything (AdministratorAccess)"} & {*risks}

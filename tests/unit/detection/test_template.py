"""What a StackSet's template makes, read from the text alone."""

from __future__ import annotations

import json

import pytest

from orchestrator.detection import stackset_template
from orchestrator.model.differences import required_external_id
from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import API_ROLE, PRINCIPAL
from orchestrator.stacks import templates

YAML = f"""
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Principal: {{Type: String, Default: "{PRINCIPAL}"}}
  ExternalId: {{Type: String}}
  RoleName: {{Type: String, Default: {API_ROLE}}}
Conditions:
  Bounded: !Equals [a, b]
Resources:
  Another:
    Type: AWS::IAM::Role
    Properties: {{RoleName: Another}}
  Octo:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Ref RoleName
      MaxSessionDuration: 7200
      PermissionsBoundary: !If [Bounded, !Ref "AWS::NoValue", none]
      AssumeRolePolicyDocument:
        Statement:
          Effect: Allow
          Principal: {{AWS: !Sub "arn:${{AWS::Partition}}:iam::${{Principal}}:root"}}
          Action: sts:AssumeRole
          Condition: {{StringEquals: {{sts:ExternalId: !Ref ExternalId}}}}
      ManagedPolicyArns:
        - !Sub arn:${{AWS::Partition}}:iam::aws:policy/ReadOnlyAccess
        - !Join ["", ["arn:", !Ref "AWS::Partition", ":iam::", !Ref "AWS::AccountId", ":policy/P"]]
      Policies:
        - PolicyName: root
          PolicyDocument:
            Statement: {{Effect: Allow, Action: "ce:*", Resource: !GetAtt Another.Arn}}
  Beside:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: beside
      Roles: [!Ref Octo]
      PolicyDocument: {{Statement: {{Effect: Allow, Action: "cur:*", Resource: "*"}}}}
  Hook:
    Type: Custom::Hook
"""


def test_a_role_is_found_by_its_name_and_read_with_the_parameters():
    found = stackset_template.read(YAML, {"ExternalId": "the-id"}, "aws")
    assert found is not None
    assert found.role is not None
    assert found.logical_id == "Octo"
    assert found.others == ("Another (AWS::IAM::Role)", "Hook (Custom::Hook)")
    assert required_external_id(found.role) == "the-id"
    assert found.role.trust["Statement"]["Principal"] == {"AWS": f"arn:aws:iam::{PRINCIPAL}:root"}
    assert found.role.max_session_duration == 7200
    assert found.role.boundary is None
    assert sorted(found.role.managed) == [
        "arn:aws:iam::${AWS::AccountId}:policy/P",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
    ]
    assert sorted(found.role.inline) == ["beside (Beside)", "root"]
    assert found.role.inline["root"]["Statement"]["Resource"] == "${Another.Arn}"


def test_what_a_map_holds_is_looked_up():
    changed = YAML.replace(
        "Conditions:", f'Mappings: {{Octo: {{prod: {{id: "{PRINCIPAL}"}}}}}}\nConditions:'
    )
    trusted = '!Sub "arn:${AWS::Partition}:iam::${Principal}:root"'
    assert trusted in changed
    for argument, who in (("[Octo, prod, id]", PRINCIPAL), ("[Octo, x, id]", "${Fn::FindInMap}")):
        found = stackset_template.read(
            changed.replace(trusted, f"!FindInMap {argument}"), {}, "aws"
        )
        assert found is not None
        assert found.role is not None
        assert found.role.trust["Statement"]["Principal"] == {"AWS": who}


def test_a_path_is_seen():
    changed = YAML.replace("MaxSessionDuration: 7200", "Path: /octo/")
    found = stackset_template.read(changed, {}, "aws")
    assert found is not None
    assert found.role is not None
    assert found.role.arn.endswith(f":role/octo/{API_ROLE}")


@pytest.mark.parametrize("text", ["", "{", "- a", "Resources: {A: {}}", "a: [", "a: *b"])
def test_a_text_that_is_no_template_makes_nothing_that_is_known(text):
    assert stackset_template.read(text, {}, "aws") is None


@pytest.mark.parametrize(
    "role",
    [
        {"AssumeRolePolicyDocument": {"Fn::Transform": {}}},
        {"AssumeRolePolicyDocument": {"Statement": [{"Condition": {"Fn::If": ["A", {}, {}]}}]}},
        {"Policies": [{"PolicyName": "a", "PolicyDocument": {"Ref": "P"}}]},
        {"Policies": {"Fn::If": ["A", [], []]}, "ManagedPolicyArns": {"Fn::Split": [",", "a"]}},
    ],
)
def test_expressions_in_any_place_are_survived(role):
    properties = {"RoleName": API_ROLE, **role}
    resource = {"Type": "AWS::IAM::Role", "Properties": properties}
    found = stackset_template.read(json.dumps({"Resources": {"R": resource}}), {}, "aws")
    assert found is not None
    assert required_external_id(found.role) is None


def test_properties_that_an_expression_stands_for_name_no_role():
    resource = {"Type": "AWS::IAM::Role", "Properties": {"Fn::Transform": {"Name": "Macro"}}}
    found = stackset_template.read(json.dumps({"Resources": {"R": resource}}), {}, "aws")
    assert found is not None
    assert found.role is None
    assert found.others == ("R (AWS::IAM::Role)",)


@pytest.mark.parametrize("path", [None, "/"])
def test_a_path_is_kept_as_the_template_states_it(path):
    text = templates.linked_template(Inputs("111122223333", "bucket", stackset_role_path=path))
    found = stackset_template.read(text, {}, "aws")
    assert found is not None
    assert found.role_path == path


def test_octo_tfs_own_template_is_read_whole():
    text = templates.linked_template(Inputs("111122223333", "bucket"))
    found = stackset_template.read(text, {"ExternalId": "the-id", "Principal": PRINCIPAL}, "aws")
    assert found is not None
    assert found.role is not None
    assert found.logical_id == Inputs.stackset_role_logical_id
    assert found.others == ()
    policies = documents.role_policies(
        Inputs("111122223333", "bucket"), ["cost"], partition="aws", account_id="111122223333"
    )
    assert found.role.inline == policies[API_ROLE]
    assert found.role.managed == {}
    assert found.role.max_session_duration == Inputs.max_session_duration
    assert required_external_id(found.role) == "the-id"

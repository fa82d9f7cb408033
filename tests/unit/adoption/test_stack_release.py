"""A template whose resources outlive their stack; nothing else in it changes."""

from __future__ import annotations

import json

from orchestrator.adoption.stack_release import retained

YAML = """\
# A word on it.
Parameters:
  ExternalId: {Type: String}
Resources:
  Role:
    Type: AWS::IAM::Role
    DeletionPolicy: Delete
    Properties:
      RoleName: !Sub "Octo-${AWS::Region}"
      Policies: !If [Yes, [!Ref A], !Ref "AWS::NoValue"]
"""


def test_json_is_kept_as_it_is_but_for_its_policies():
    before = {"Resources": {"A": {"Type": "T", "Properties": {"x": 1}}}, "Outputs": {"o": 1}}
    after = json.loads(retained(json.dumps(before)))
    assert after["Outputs"] == before["Outputs"]
    assert after["Resources"]["A"] == {
        **before["Resources"]["A"],
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Metadata": {"OctoTfReleased": True},
    }
    assert json.loads(retained(before)) == after  # as boto3 decodes it


def test_yaml_keeps_its_tags_and_comments():
    after = retained(YAML)
    assert "# A word on it." in after
    assert '!Sub "Octo-${AWS::Region}"' in after
    assert "!If" in after
    assert "DeletionPolicy: Retain" in after
    assert "DeletionPolicy: Delete" not in after
    assert "OctoTfReleased: true" in after

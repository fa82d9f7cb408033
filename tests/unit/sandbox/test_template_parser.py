"""Templates as CloudFormation reads them: JSON, or YAML 1.1 with short forms and no aliases."""

from __future__ import annotations

import json

import pytest

from orchestrator.sandbox.template_parser import TemplateError, parse_template


def value(yaml: str) -> object:
    """What CloudFormation reads where a property's value is this YAML."""
    text = f"Resources: {{A: {{Type: 'T', Properties: {{P: {yaml}}}}}}}"
    return parse_template(text)["Resources"]["A"]["Properties"]["P"]


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("!Ref Name", {"Ref": "Name"}),
        ('!Ref "AWS::NoValue"', {"Ref": "AWS::NoValue"}),
        ("!Condition IsPayer", {"Condition": "IsPayer"}),
        ("!GetAtt Role.Arn", {"Fn::GetAtt": ["Role", "Arn"]}),
        ("!GetAtt Nested.Outputs.Arn", {"Fn::GetAtt": ["Nested", "Outputs.Arn"]}),
        ("!GetAtt [Role, Arn]", {"Fn::GetAtt": ["Role", "Arn"]}),
        ('!Sub "${A}"', {"Fn::Sub": "${A}"}),
        ("!Sub ['${a}', {a: !Ref B}]", {"Fn::Sub": ["${a}", {"a": {"Ref": "B"}}]}),
        ("!If [C, !Ref A, no]", {"Fn::If": ["C", {"Ref": "A"}, False]}),
        ("!Equals [a, !Ref B]", {"Fn::Equals": ["a", {"Ref": "B"}]}),
        ("!Transform {Name: N}", {"Fn::Transform": {"Name": "N"}}),
    ],
)
def test_a_short_form_is_its_function(yaml, expected):
    assert value(yaml) == expected


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("2012-10-17", "2012-10-17"),  # a policy's version is no date
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("089012345678", "089012345678"),  # an account id is no octal number
        ('"012345678901"', "012345678901"),
        ("7200", 7200),
        ("1.5", 1.5),
        ("yes", True),
        ("off", False),
        ("'true'", "true"),
    ],
)
def test_a_scalar_has_the_type_of_yaml_1_1(yaml, expected):
    assert value(yaml) == expected


def test_json_is_read_as_it_is():
    template = {"Resources": {"A": {"Type": "T", "Properties": {"P": {"Ref": "B"}, "Q": [1, "1"]}}}}
    assert parse_template(json.dumps(template)) == template


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Template format error: unsupported structure."),
        ("- Resources", "Template format error: unsupported structure."),
        ("Description: none", "At least one Resources member must be defined."),
        ("Resources: {}", "At least one Resources member must be defined."),
        ("Resources: {A: {Properties: {}}}", "[/Resources/A] Every Resources object must contain"),
        ("Resources: {A: [T]}", "[/Resources/A] Every Resources object must contain"),
        ("Resources: [", "YAML not well-formed. (line 1, column 13)"),
        ("Resources:\n\tA: x", "YAML not well-formed. (line 2, column 1)"),
        ('{"Resources": ', "JSON not well-formed. (line 1, column 16)"),
        ("Resources: {A: {Type: T, Type: U}}", "YAML not well-formed. (line 1, column 26)"),
        ("Resources: {A: {? [a] : b}}", "YAML not well-formed. (line 1, column 19)"),
        ("Resources: {A: &a {Type: T}, B: *a}", "YAML aliases are not allowed"),
        ("Resources: {A: {<<: {Type: T}}}", "unsupported YAML tag tag:yaml.org,2002:merge"),
        ("Resources: {A: {Type: !!binary VA==}}", "unsupported YAML tag"),
    ],
)
def test_what_is_no_template_is_refused_with_its_place(text, message):
    with pytest.raises(TemplateError) as refused:
        parse_template(text)
    assert message in str(refused.value)

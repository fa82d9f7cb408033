"""Render CloudFormation templates for a registration, with the policies of the module.

``api-access``: the API access role, and on request the StackSet. ``stackset``: the StackSet alone,
for a payer that has the role already. ``cur``: report, CUR role and, in us-east-1, the bucket.
``cur-bucket``: the bucket in another region, since a stack creates buckets in its own region and
reports exist in us-east-1 only (decision 0027).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Literal, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orchestrator import __version__, assets
from orchestrator.errors import ConfigError
from orchestrator.model.module_contract import documents, octo_names
from orchestrator.model.module_contract.features import table
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import is_managed, linked_logical_id
from orchestrator.model.partition import cur_region

Name = Literal["api-access", "stackset", "cur", "cur-bucket"]
NAMES: tuple[Name, ...] = get_args(Name)
# How each template's description begins: it identifies a stack of any name.
DESCRIPTIONS: dict[Name, str] = {
    "api-access": "Octo API access",
    "stackset": "Octo API access in linked accounts",
    "cur": "Octo Cost and Usage Report",
    "cur-bucket": "Octo bucket for the Cost and Usage Report",
}
_PRINCIPAL_ARN = "arn:${AWS::Partition}:iam::${Principal}:root"
_MOST_BYTES = 51_200  # CloudFormation User Guide, "Understand CloudFormation quotas"
_PARTITION, _ACCOUNT, _BUCKET = "${AWS::Partition}", "${AWS::AccountId}", "${CurS3BucketName}"


def render(name: Name, inputs: Inputs, *, partition: str = "aws", ids: int = 1) -> str:
    """Render a template (YAML); it holds no external id.

    Args:
        inputs: the module's inputs; those that are parameters of the template become its defaults.
        partition: decides the region of the CUR service.
        ids: how many external ids the roles accept: parameters ``ExternalId``, ``ExternalId2``.
    """
    trust = _trust(ids)
    weaker = documents.trust(_PRINCIPAL_ARN)
    bucket_arn = f"arn:{_PARTITION}:s3:::{_BUCKET}"
    delivery = documents.delivery_statements(_PARTITION, _ACCOUNT, _BUCKET, cur_region(partition))
    cur_policies = documents.cur_policies(bucket_arn, "${CurS3Prefix}")
    policy = {
        "Version": "2012-10-17",
        "Statement": [*delivery, documents.tls_only_statement(_PARTITION, _BUCKET)],
    }
    return (
        _jinja()
        .get_template(f"{name}.yaml.j2")
        .render(
            inputs=inputs,
            description=f"{DESCRIPTIONS[name]} (octo-tf {__version__})",
            version=__version__,
            id_parameters=documents.external_id_parameters(ids)
            if name != "cur" or inputs.cur_role_trust == "external_id"
            else (),
            roles=_roles(inputs, inputs.features, "ApiAccessRole", ids),
            managed_policies=_managed_policies(inputs, inputs.features),
            cur_role_name=octo_names.CUR_ROLE,
            cur_role_description=table().roles[octo_names.CUR_ROLE].description,
            cur_trust=_role_document(trust if inputs.cur_role_trust == "external_id" else weaker),
            cur_policies=_policies(cur_policies),
            bucket_policy=documents.substituted(policy),
            linked_template=linked_template(inputs, ids),
            report_region=cur_region(partition),
            tags=[{"Key": key, "Value": value} for key, value in sorted(inputs.tags.items())],
        )
    )


def linked_template(inputs: Inputs, ids: int = 1) -> str:
    """Render the template that the StackSet deploys to each linked account, as JSON text.

    Raises:
        ConfigError: it is larger than CloudFormation allows.
    """
    boundary = inputs.permissions_boundary
    own = f":{inputs.account_id}:"
    rendered = (
        _jinja()
        .get_template("linked-account.json.j2")
        .render(
            inputs=inputs,
            description=table().roles[octo_names.API_ROLE].description,
            id_parameters=documents.external_id_parameters(ids),
            roles=_roles(inputs, inputs.linked_features, inputs.stackset_role_logical_id, ids),
            managed_policies=_managed_policies(inputs, inputs.linked_features),
            # A boundary of this account is expected under the same name in each linked account.
            boundary=boundary and {"Fn::Sub": boundary.replace(own, ":${AWS::AccountId}:")},
        )
    )
    text = documents.text(json.loads(rendered))
    if (size := len(text.encode())) > _MOST_BYTES:
        raise ConfigError(
            f"the template for linked accounts would have {size:,} bytes, and CloudFormation"
            f" allows {_MOST_BYTES:,}",
            where="additional_actions",
            hint="Leave out some of additional_actions or stackset_features.",
        )
    return text


def _roles(
    inputs: Inputs, features: Sequence[str], logical_id: str, ids: int
) -> list[dict[str, Any]]:
    """Describe the roles of a template, the API access role by its own logical id.

    The console path has no execution, so that Octo assumes all of them under the external id.
    """
    policies = documents.role_policies(inputs, features, partition=_PARTITION, account_id=_ACCOUNT)
    trust = _role_document(_trust(ids))
    return [
        {
            "logical_id": logical_id if name == octo_names.API_ROLE else linked_logical_id(name),
            "name": name,
            "description": table().roles[name].description,
            "trust": trust,
            "policies": _policies({n: p for n, p in of_role.items() if not is_managed(n)}),
            "managed": [{"Ref": linked_logical_id(n)} for n in sorted(of_role) if is_managed(n)],
        }
        for name, of_role in policies.items()
    ]


def _managed_policies(inputs: Inputs, features: Sequence[str]) -> list[dict[str, Any]]:
    """Describe the managed policies that the roles of a template share."""
    policies = documents.role_policies(inputs, features, partition=_PARTITION, account_id=_ACCOUNT)
    return [
        {"logical_id": linked_logical_id(name), "name": name, "document": document}
        for name, document in sorted(policies[octo_names.API_ROLE].items())
        if is_managed(name)
    ]


def _policies(policies: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"PolicyName": name, "PolicyDocument": documents.substituted(document)}
        for name, document in sorted(policies.items())
    ]


def _trust(ids: int) -> dict[str, Any]:
    names = documents.external_id_parameters(ids)
    return documents.trust(_PRINCIPAL_ARN, *(f"${{{name}}}" for name in names))


def _role_document(trust: dict[str, Any]) -> Any:
    """Substitute parameters; ``Ref`` where a text is one parameter, as the module writes it."""
    text = json.dumps(documents.substituted(trust))
    return json.loads(re.sub(r'{"Fn::Sub": "\$\{(ExternalId\d*)\}"}', r'{"Ref": "\1"}', text))


def _jinja() -> Environment:
    environment = Environment(  # noqa: S701  (YAML and JSON, not HTML; values go through `json`)
        loader=FileSystemLoader(assets.TEMPLATES / "cloudformation"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json"] = _as_json
    return environment


def _as_json(value: Any, indent: int | None = None) -> str:
    """Write a value as JSON, which is YAML too; ``indent``: of the key that it belongs to."""
    if indent is None:
        return json.dumps(value)
    return json.dumps(value, indent=2).replace("\n", "\n" + " " * (indent + 2))

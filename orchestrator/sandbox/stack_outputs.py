"""The outputs of a stack, and its exports, which other stacks import.

Source: CloudFormation User Guide, "Outputs", "Get exported outputs"; quoted and recorded errors.
"""

from __future__ import annotations

from orchestrator.sandbox import resources, stacks
from orchestrator.sandbox.stacks import Stack
from orchestrator.sandbox.template import TemplateScope
from orchestrator.sandbox.template_parameters import text_of
from orchestrator.sandbox.template_parser import TemplateError
from orchestrator.sandbox.template_references import references


def check_attributes(scope: TemplateScope) -> None:
    """Check that the resources have the attributes that outputs name.

    Raises:
        TemplateError: one has not.
    """
    declared = scope.template["Resources"]
    for name, output in scope.outputs().items():
        for found in references(output["Value"]):
            if not found.attribute or found.function != "Fn::GetAtt":
                continue
            type_ = declared[found.name]["Type"]
            known = resources.attributes_of(type_)
            if known and found.attribute not in known:
                raise TemplateError(
                    f"[Error] /Outputs/{name}/Value/Fn::GetAtt: Resource type {type_} does not"
                    f" support attribute {{{found.attribute}}}"
                )


def set_outputs(stack: Stack, scope: TemplateScope) -> None:
    """Set the stack's outputs and exports.

    Raises:
        TemplateError: another stack imports an export that would change, or exports one.
    """
    made, exported = {}, {}
    for name, output in scope.outputs().items():
        made[name] = text_of(scope.resolve(output["Value"]))
        if export := scope.resolve(output.get("Export", {})).get("Name"):
            exported[export] = made[name]
            if not made[name].strip():
                raise TemplateError(
                    f"Cannot export output {name}. Exported values must not be empty or"
                    " whitespace-only"
                )
    state, account_id, region = stack.actor.state, stack.actor.account_id, stack.actor.region
    for export, (owner, _) in stacks.exports(state, account_id, region).items():
        if export in exported and owner != stack.id:
            name = owner.split("/")[1]
            raise TemplateError(f"Export with name {export} is already exported by stack {name}")
    for export, value in stack.exports.items():
        if exported.get(export) != value and (used := stacks.importers(stack, export)):
            verb = "updated" if export in exported else "deleted"
            raise TemplateError(
                f"Export {export} cannot be {verb} as it is in use by {', '.join(used)}"
            )
    stack.outputs, stack.exports, stack.imports = made, exported, scope.imported

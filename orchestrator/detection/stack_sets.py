"""Describe the payer's StackSets, with what their templates create in accounts."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.aws import cloudformation, iam
from orchestrator.aws.session import Aws
from orchestrator.detection import stackset_template
from orchestrator.model.observed import ObservedStackSet, TemplateContent
from orchestrator.model.stackset import StackSet


def describe(aws: Aws, name: str) -> ObservedStackSet | None:
    """Describe a StackSet, its stack instances and its template; None if there is none."""
    found = cloudformation.read_stack_set(aws, name)
    if found is None:
        return None
    content = _content(found.settings)
    if content and content.role:
        content = replace(content, role=iam.with_documents(aws, content.role))
    return ObservedStackSet(
        name,
        found.settings.stack_set_id,
        content,
        tuple(sorted(a for a, i in found.instances.items() if i.is_current)),
        tuple(sorted(found.instances)),
        found.regions,
        aws.region,
        found.settings.auto_deployment,
        found.settings.retain_on_removal,
        found.settings.targets,
        found.settings.service_managed,
    )


def creates_octo_role(aws: Aws, name: str) -> bool:
    """Tell whether the StackSet's template creates Octo's role, without reading its instances."""
    settings = cloudformation.describe_stack_set(aws, name)
    content = _content(settings) if settings else None
    return content is not None and content.role is not None


def _content(settings: StackSet) -> TemplateContent | None:
    return stackset_template.read(settings.template, settings.parameters, settings.partition)

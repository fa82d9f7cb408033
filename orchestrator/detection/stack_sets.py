"""Describe the payer's StackSets, with what their templates create in accounts."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.aws import cloudformation, iam
from orchestrator.aws.session import Aws
from orchestrator.detection import stackset_template
from orchestrator.model.stackset import StackSet, TemplateContent


def describe(aws: Aws, name: str) -> StackSet | None:
    """Describe a StackSet, its stack instances and its template; None if there is none."""
    found = cloudformation.read_stack_set(aws, name)
    if found is None:
        return None
    content = _content(found)
    if content and content.role:
        content = replace(content, role=iam.with_documents(aws, content.role))
    return replace(found, content=content)


def creates_octo_role(aws: Aws, name: str) -> bool:
    """Tell whether the StackSet's template creates Octo's role, without reading its instances."""
    settings = cloudformation.describe_stack_set(aws, name)
    content = _content(settings) if settings else None
    return content is not None and content.role is not None


def _content(settings: StackSet) -> TemplateContent | None:
    return stackset_template.read(settings.template, settings.parameters, settings.partition)

"""IAM, S3 and KMS policies: documents, and the decision on a request by AWS's rules."""

from orchestrator.model.policy.conditions import UNKNOWN, AnyOf, Value
from orchestrator.model.policy.decision import Decision, Layers, Policy, decide, objections
from orchestrator.model.policy.document import (
    Statement,
    allowed,
    as_list,
    document,
    equivalent,
    matches,
    statements,
)
from orchestrator.model.policy.samples import Sample, samples
from orchestrator.model.policy.statement import Match, Principal, Request, matching

__all__ = [
    "UNKNOWN",
    "AnyOf",
    "Decision",
    "Layers",
    "Match",
    "Policy",
    "Principal",
    "Request",
    "Sample",
    "Statement",
    "Value",
    "allowed",
    "as_list",
    "decide",
    "document",
    "equivalent",
    "matches",
    "matching",
    "objections",
    "samples",
    "statements",
]

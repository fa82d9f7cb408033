"""IAM: tags of users and roles, whose keys are the same in any case.

Source: IAM User Guide, "Rules for tagging in IAM and AWS STS": "If you have tagged a user with the
Department=finance tag and you add the department=hr tag, it replaces the first tag."
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.services.iam import holder_of
from orchestrator.sandbox.state import SandboxState, iam
from orchestrator.sandbox.wire import Call

SERVICE = "iam"


def tag(_state: SandboxState, call: Call) -> Any:
    """TagRole and TagUser: a new tag takes the place of one whose key differs in case only."""
    _remove(call, (given["Key"] for given in call.parameters["Tags"]))
    return TO_MOTO


def untag(_state: SandboxState, call: Call) -> Any:
    """UntagRole and UntagUser."""
    _remove(call, call.parameters["TagKeys"])
    return TO_MOTO


def _remove(call: Call, keys: Iterable[str]) -> None:
    kind, _, holder = holder_of(call)
    if holder is None:
        return
    wanted = {key.lower() for key in keys}
    if kind == "role":
        holder.tags = [held for held in holder.tags if held["Key"].lower() not in wanted]
    else:
        names = [held["Key"] for held in holder.tags or [] if held["Key"].lower() in wanted]
        iam(call.caller.account_id).tagger.untag_resource_using_names(holder.arn, names)


OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(("TagRole", "TagUser"), tag),
    **dict.fromkeys(("UntagRole", "UntagUser"), untag),
}

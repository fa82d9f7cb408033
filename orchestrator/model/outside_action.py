"""What applying a plan changes outside Terraform: each is a line of the plan."""

from __future__ import annotations

from dataclasses import dataclass

REGISTER = "octo.register"
TRUSTED_ACCESS = "organization.trusted_access"
UNTAINT = "state.untaint"
FORGET = "state.forget"
SET_ASIDE = "state.set_aside"
PUSH = "state.push"
CONFIGURE = "config.write"
OF_THE_STATE = frozenset({UNTAINT, FORGET, SET_ASIDE, PUSH})  # Terraform plans again after these


@dataclass(frozen=True)
class OutsideAction:
    """One change that is made after consent, beside what Terraform does.

    Attributes:
        code: what kind of change; stable, for programs.
        subject: what is changed: an account id, a resource address or a file.
        summary: one sentence for the plan, in the imperative.
        conditional: the change is made only if credentials for Octo are given then.
    """

    code: str
    subject: str
    summary: str
    conditional: bool = False

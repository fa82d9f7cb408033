"""What applying a plan changes outside Terraform: each is a line of the plan."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

CONFIGURE = "config.write"
REGISTER = "octo.register"
TRUSTED_ACCESS = "organization.trusted_access"
RELEASE_STACK = "stack.release"
UNTAINT = "state.untaint"
FORGET = "state.forget"
SET_ASIDE = "state.set_aside"
PUSH = "state.push"
DELETE_ROLE = "role.delete"
RELEASE_STATE = "state.release"
ENROL = "aws.enrol"
ENROL_MEMBERS = "aws.enrol_members"
END_ENROLMENT = "aws.end_enrolment"
REMOVE_ACCOUNTS = "stackset.remove_accounts"
KEEP_BUCKET = "bucket.keep"
DELETE_BUCKET = "bucket.delete"
UNREGISTER = "octo.unregister"
END_ROTATION = "config.end_rotation"

# The order in which the changes are made; those of _AFTER follow Terraform's apply.
_ORDER = (
    CONFIGURE,
    REGISTER,
    TRUSTED_ACCESS,
    RELEASE_STACK,
    SET_ASIDE,
    PUSH,
    FORGET,
    UNTAINT,
    REMOVE_ACCOUNTS,
    KEEP_BUCKET,
    DELETE_ROLE,
    RELEASE_STATE,
    ENROL,
    ENROL_MEMBERS,
    END_ENROLMENT,
    DELETE_BUCKET,
    UNREGISTER,
    END_ROTATION,
)
OF_THE_STATE = frozenset({SET_ASIDE, PUSH, FORGET, UNTAINT})  # Terraform plans again after these
_AFTER = _ORDER[_ORDER.index(DELETE_ROLE) :]


@dataclass(frozen=True)
class OutsideAction:
    """One change that is made after consent, beside what Terraform does.

    Attributes:
        code: what kind of change; stable, for programs.
        subject: what is changed: an account id, a resource address, a name or a file.
        summary: one sentence for the plan, in the imperative.
        conditional: the change is made only if credentials for Octo are given then.
    """

    code: str
    subject: str
    summary: str
    conditional: bool = False

    @property
    def after_apply(self) -> bool:
        """Whether the change is made after Terraform's apply, not before it."""
        return self.code in _AFTER


def in_order(actions: tuple[OutsideAction, ...]) -> tuple[OutsideAction, ...]:
    """Sort actions by the order in which they are carried out."""
    return tuple(sorted(actions, key=lambda action: _ORDER.index(action.code)))


def question_of(actions: Collection[OutsideAction]) -> str:
    """Return the question to ask once the actions were shown."""
    return "Do this?" if len(actions) == 1 else "Do all of this?"

"""What a rotation of the external id is: from which id to which, and how far it has come."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from pydantic import SecretStr

from orchestrator.app.context import AccountContext
from orchestrator.app.review import Review
from orchestrator.config import rotation as kept
from orchestrator.errors import ConfigError, OctoUnreachable
from orchestrator.model.octo_records import RotationPhase
from orchestrator.model.outside_action import CONFIGURE, END_ROTATION, OutsideAction
from orchestrator.model.registration import ExternalIdRotation
from orchestrator.verify.model import Area, Report, Status


@dataclass(frozen=True)
class Request:
    """What the user asks for.

    Attributes:
        new: the id that Octo is to present; None: the one of the rotation that is under way.
        octo_has_changed: the user's word that Octo presents it; counts where Octo cannot be asked.
    """

    new: SecretStr | None = field(repr=False)
    octo_has_changed: bool = False


@dataclass(frozen=True)
class Change:
    """A change from one external id to another.

    Attributes:
        new: the id that is to stay.
        previous: the id that is to go; None if it is not known any more, so that nothing is
            accepted beside the new one.
        since: when the rotation began (ISO 8601, UTC).
        is_kept: whether octo.yaml has both already.
        has_changed: whether Octo presents the new id.
    """

    new: SecretStr = field(repr=False)
    previous: SecretStr | None = field(repr=False)
    since: str
    is_kept: bool
    has_changed: bool

    def accepting(self, context: AccountContext) -> AccountContext:
        """Return the context of an account whose roles accept both ids."""
        if self.previous is None:
            return self.alone(context)
        both = ExternalIdRotation(ids=[self.previous, self.new], since=self.since)
        present = self.new if self.has_changed else self.previous
        return _with_ids(context, present, both)

    def alone(self, context: AccountContext) -> AccountContext:
        """Return the context of an account whose roles accept the new id, and refuse the other."""
        retired = (self.previous,) if self.previous else ()
        settings = replace(context.settings, retired_ids=retired)
        return replace(_with_ids(context, self.new, None), settings=settings)

    def announce_begin(self, config: Path) -> tuple[OutsideAction, ...]:
        """Return the plan's line for writing both ids to octo.yaml; none if that is not needed."""
        text = f"Keep the present and the new external id in {config} until Octo has confirmed."
        is_needed = self.previous is not None and not self.is_kept
        return (OutsideAction(CONFIGURE, str(config), text),) if is_needed else ()

    def announce_end(self, config: Path, otherwise: str = "") -> tuple[OutsideAction, ...]:
        """Return the line of the plan for ``kept.end``; none if octo.yaml has one id already.

        ``otherwise``: what is done if Octo is refused.
        """
        text = f"Once Octo has confirmed: keep only the new external id in {config}. {otherwise}"
        return (OutsideAction(END_ROTATION, str(config), text.strip()),) if self.is_kept else ()

    def keep(self, config: Path) -> None:
        """Have octo.yaml keep both ids; see ``config.rotation.begin``."""
        if self.previous is not None:
            ids = (self.previous.get_secret_value(), self.new.get_secret_value())
            kept.begin(config, *ids, self.since)


@dataclass(frozen=True)
class StackToUpdate:
    """A stack that the user updates in the AWS console.

    Attributes:
        url: its page in the console; *Update* is there.
        template: the template to upload; None keeps the current one, which takes one id.
        parameters: the parameters of external ids to fill in.
    """

    name: str
    region: str
    status: str
    url: str
    template: Path | None
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Rotated:
    """How far a rotation has come.

    Attributes:
        phase: the phase that it has reached.
        report: the verification; None while stacks are to be updated.
        stacks: the stacks that the user updates first, after the console path.
    """

    phase: RotationPhase
    report: Report | None
    review: Review
    stacks: tuple[StackToUpdate, ...] = ()


def find_change(context: AccountContext, request: Request) -> Change:
    """Determine from octo.yaml, Octo and the request which id replaces which.

    Raises:
        ConfigError: another rotation is under way, an id is missing, or Octo presents a third one.
    """
    registration, place = context.registration, context.settings.place_of
    presented, section = presented_id(context), registration.external_id_rotation
    is_kept = bool(registration.accepted_external_ids)
    find = _of_rotation if is_kept else _of_request
    previous, new = find(context, request, presented)
    if presented not in (None, previous, new):
        raise ConfigError(
            "Octo presents an external id that is neither the present nor the new one",
            where=place("external_id_rotation" if is_kept else "external_id"),
            hint="Check whose credentials for Octo these are, and the new id.",
        )
    has_changed = request.octo_has_changed if presented is None else presented == new
    if request.octo_has_changed and not has_changed:
        context.events.warn(
            "Octo still presents the previous external id: --octo-has-changed is not taken into"
            " account."
        )
    since = section.since if section else None
    return Change(
        new,
        previous if previous != new else None,
        since or datetime.now(timezone.utc).isoformat(timespec="seconds"),
        is_kept,
        has_changed or previous == new,
    )


def _of_rotation(
    context: AccountContext, request: Request, _presented: SecretStr | None
) -> tuple[SecretStr, SecretStr]:
    """Return the previous and the new id of the rotation that octo.yaml has."""
    accepted = context.registration.accepted_external_ids
    new = request.new or accepted[-1]
    if new not in accepted:
        raise ConfigError(
            "a rotation to another external id is under way",
            where=context.settings.place_of("external_id_rotation"),
            hint="Run octo-tf rotate-external-id without an id to end it first, or with the"
            " present id to cancel it.",
        )
    return next(secret for secret in accepted if secret != new), new


def _of_request(
    context: AccountContext, request: Request, presented: SecretStr | None
) -> tuple[SecretStr, SecretStr]:
    """Return the present id and the requested one; they are equal if only the end is left."""
    record = context.octo.ledger.account(context.registration.account_id)
    current = context.registration.external_id or presented
    if current is None:
        raise ConfigError(
            "external_id is missing",
            where=context.settings.place_of("external_id"),
            hint="Set it in octo.yaml, or set ALPHAUS_CLIENT_ID and ALPHAUS_CLIENT_SECRET.",
        )
    is_ending = record and record.rotation and record.rotation.phase == "dropping"
    new = request.new or (current if is_ending else None)
    if new is None:
        raise ConfigError(
            "the new external id is missing",
            where="NEW",
            hint="Give it with --new-external-id-file or --new-external-id-env.",
        )
    return current, new


def presented_id(context: AccountContext) -> SecretStr | None:
    """Ask Octo which external id it presents; None if it cannot be asked."""
    if context.octo.api is None:
        return None
    try:
        return context.octo.api.template().external_id
    except OctoUnreachable as error:
        context.events.warn(f"{error}. Going on without Octo.")
        return None


def is_right(report: Report) -> bool:
    """Tell whether every role accepts what it should, and Octo is not refused now."""
    answer = report.octo.get(Area.API_ACCESS)
    roles = [r.finding.status for r in report.results if r.id in ("cur_s3.role", "cur_s3.read")]
    return (
        report.areas[Area.API_ACCESS] is Status.PASS
        and report.areas[Area.STACKSET] in (Status.PASS, Status.SKIPPED)
        and Status.FAIL not in roles
        and (answer is None or answer.state != "refused")
    )


def is_confirmed(context: AccountContext, report: Report) -> bool:
    """Tell whether Octo has confirmed its access; on the user's word where it cannot be asked."""
    answer = report.octo.get(Area.API_ACCESS)
    return context.octo.api is None or (answer is not None and answer.state == "confirmed")


def octo_is_refused(report: Report, confirmed: Collection[str]) -> bool:
    """Tell whether Octo lost access: it says so, or its principal may not assume the role.

    ``confirmed``: the areas that it had confirmed before; a report that it never could read is no
    reason to accept the previous id again.
    """
    lost = {
        area
        for area, answer in report.octo.items()
        if answer.state == "refused" and (area is not Area.CUR_S3 or area.value in confirmed)
    }
    denied = [
        result
        for result in report.results
        if result.id == "api_access.assume"
        and result.finding.evidence.get("right_external_id") == "denied"
    ]
    return bool(lost or denied)


def _with_ids(
    context: AccountContext, presented: SecretStr, rotation: ExternalIdRotation | None
) -> AccountContext:
    changed = {"external_id": presented, "external_id_rotation": rotation}
    return replace(context, registration=context.registration.model_copy(update=changed))

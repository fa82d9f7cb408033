"""The ports of a route as recordings: AWS, Terraform and Octo, without any of them.

Each call is noted by name in ``Recording.calls``; a call in ``Recording.failures`` raises. Fakes
answer like an account that is to be registered for the first time.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pydantic import SecretStr

from orchestrator.app.context import AccountContext, Settings
from orchestrator.app.events import Event, Events
from orchestrator.app.snapshot import Snapshot
from orchestrator.cancellation import Cancellation
from orchestrator.config.load import load
from orchestrator.model.account import Account
from orchestrator.model.coverage import Coverage
from orchestrator.model.enrolment import Enrolment, MadeEnrolment
from orchestrator.model.external_ids import Acceptance
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.module_contract.octo_names import PRINCIPAL
from orchestrator.model.observed import OwningStack
from orchestrator.model.octo_records import AccountRecord, Confirmation, OctoAnswer
from orchestrator.model.organization import Organization
from orchestrator.model.stackset import StackSet
from orchestrator.octo.departure import Departure
from orchestrator.octo.messages import AccessTemplate, AwsOptions, DataAccess
from orchestrator.stackset.guardrails import Guardrails
from orchestrator.stackset.preflight import Preflight
from orchestrator.terraform.events import PlannedChange
from orchestrator.terraform.plan import Plan
from orchestrator.terraform.state import NO_STATE, TARGET, StateEdit, StateResource
from orchestrator.verify.model import Area, Report, Status

ACCOUNT = Account("111122223333", "payer", "arn:aws:iam::111122223333:role/operator", None)
CHANGES = (
    PlannedChange(
        "module.octo.module.api_access.aws_iam_role.api_access", "aws_iam_role", "create"
    ),
)
OUTPUTS = {
    "account_id": ACCOUNT.account_id,
    "account_type": "payer",
    "partition": "aws",
    "module_version": "0",
    "api_access": {
        "role_name": "AlphausAcctAccessRole",
        "role_arn": "arn:aws:iam::111122223333:role/AlphausAcctAccessRole",
        "inline_policies": {},
        "managed_policies": {},
        "permissions_boundary": None,
        "principal": "131920598436",
        "features": ["cost"],
        "feature_roles": [],
    },
}
TARGET_ADDRESS = f'module.octo.{TARGET}.linked["r-1"]'
# What changes something outside the root folder.
WRITES = {
    "octo.register",
    "octo.unregister",
    "octo.confirm",
    "octo.note_applied",
    "cloud.switch_on_trusted_access",
    "cloud.deploy",
    "terraform.apply_plan",
    "terraform.untaint",
    "terraform.forget",
    "terraform.set_aside",
    "terraform.push",
    "linked.register_current",
    "cloud.release_stack",
    "cloud.delete_role",
    "cloud.delete_stacks",
    "cloud.delete_bucket",
    "octo.note_destroying",
    "octo.note_destroyed",
    "foreign.forget",
    "cloud.enrol",
    "cloud.end_enrolment",
    "cloud.delete_service_role",
}


@dataclass
class Recording:
    """What was called, in order; ``failures`` maps a call's name to what it raises."""

    calls: list[str] = field(default_factory=list)
    failures: dict[str, BaseException] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def note(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failures:
            raise self.failures[name]

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if call in WRITES]


class Cloud:
    """AWS."""

    def __init__(self, recording: Recording, account: Account, linked: LinkedAccounts) -> None:
        self._note = lambda name: recording.note(f"cloud.{name}")
        self._account = account
        self.linked = linked
        self.lacks_access = False
        self.operation: tuple[str, dict[str, tuple[str, str]]] | None = None
        self.stackset_name = "alphaus-api-access-stackset"
        self.released: list[tuple[str, str]] = []
        self.deleted: list[str] = []
        self.identities: dict[str, str] = {}
        self.bucket_data = True
        self.running: str | None = None
        self.verified: list[Acceptance] = []
        self.verifications: list[
            Report
        ] = []  # of the next verifications, if they are not the usual one
        self.guardrails = Guardrails()
        self.roles: set[str] = set()  # those that AWS has, for whoever asks by name
        self.stacks: dict[str, OwningStack] = {}
        self.report_names: tuple[str, ...] = ()
        self.bucket_is_there = True
        self.stuck = False  # linked accounts keep their stacks
        self.existing: dict[str, str] = {}
        self.enrolments: dict[str, Enrolment] = {}
        self.enrolled: list[tuple[str, bool]] = []
        self.ended: list[tuple[str, bool]] = []
        self.roles_deleted: list[str] = []

    def connect(self) -> Any:
        raise AssertionError("a route asks the port, not AWS")

    def identify(self) -> Account:
        self._note("identify")
        return self._account

    def check_bucket(self, bucket: str) -> None:
        pass

    def bucket_has_policy(self, bucket: str) -> bool:
        return False

    def has_stackset(self) -> bool:
        return self.linked.deployed is not None

    def targets(self) -> tuple[str, ...]:
        return self.linked.targets

    def observe_linked_accounts(self, known: Organization | None = None) -> LinkedAccounts:
        self._note("observe_linked_accounts")
        return self.linked

    def check_linked_accounts(
        self, account, linked, *, may_enable: bool, deploying: bool
    ) -> Preflight:
        self._note("check_linked_accounts")
        return Preflight(self.lacks_access, (), ())

    def predict(self, linked) -> Guardrails:
        self._note("predict")
        return Guardrails()

    def predict_removal(self, linked, accounts) -> Guardrails:
        self._note("predict_removal")
        return self.guardrails

    def describe_role(self, name: str) -> str | None:
        return name if name in self.roles else None

    def owning_stacks(self, names) -> dict[str, OwningStack]:
        return {name: stack for name, stack in self.stacks.items() if name in names}

    def reports(self) -> list[dict[str, Any]]:
        return [{"ReportName": name} for name in self.report_names]

    def switch_on_trusted_access(self, account_id: str) -> None:
        self._note("switch_on_trusted_access")

    def deploy(self, pending, linked, *, on_progress) -> None:
        self._note("deploy")

    def wait_for_deployments(self, *, on_progress) -> None:
        self._note("wait_for_deployments")
        if self.operation:
            on_progress(*self.operation)

    def running_operation(self) -> str | None:
        self._note("running_operation")
        return self.running

    def observe_again(self) -> None:
        self._note("observe_again")

    def newest_deployment(self) -> tuple[str, dict[str, tuple[str, str]]] | None:
        return self.operation

    def find_existing(self, plan, rules, *, read) -> dict[str, str]:
        self._note("find_existing")
        return self.existing

    def checks_context(self, outputs, external_id: str, acceptance) -> Any:
        raise AssertionError("a snapshot is taken by the port")

    def bucket_creation_dates(self) -> dict[str, str]:
        self._note("bucket_creation_dates")
        return {}

    def release_stack(self, name: str, region: str) -> None:
        self._note("release_stack")
        self.released.append((name, region))

    def delete_stacks(self, linked, *, retain: bool, on_progress) -> None:
        self._note("delete_stacks")
        if not self.stuck and linked.deployed is not None:
            gone = replace(linked.deployed, instances={})
            self.linked = replace(linked, deployed=gone)

    def bucket_region(self, bucket: str) -> str | None:
        return "us-east-1" if self.bucket_is_there else None

    def bucket_is_empty(self, bucket: str, region: str) -> bool:
        return not self.bucket_data

    def delete_bucket(self, bucket: str, region: str, *, with_data: bool) -> None:
        self._note("delete_bucket")

    def delete_role(self, name: str) -> None:
        self._note("delete_role")
        self.deleted.append(name)

    def enrolment(self, service, *, members: bool = False, again: bool = False) -> Enrolment:
        self._note("enrolment")
        return self.enrolments.get(service, Enrolment(False, False))

    def enrol(self, service, *, members: bool) -> None:
        self._note("enrol")
        self.enrolled.append((service, members))
        self.enrolments[service] = Enrolment(True, True, includes_members=members)

    def end_enrolment(self, service, *, members: bool) -> None:
        self._note("end_enrolment")
        self.ended.append((service, members))
        self.enrolments[service] = Enrolment(False, True)

    def delete_service_role(self, service) -> None:
        self._note("delete_service_role")
        self.roles_deleted.append(service)

    def take_snapshot(self, outputs, report) -> Snapshot:
        self._note("take_snapshot")
        return Snapshot(identities=self.identities, passing=[], linked=[])

    def verify(
        self,
        outputs,
        external_id,
        acceptance,
        *,
        unchanged=False,
        wait_seconds=0.0,
        settle_seconds=0.0,
    ) -> Report:
        self._note("verify")
        self.verified.append(acceptance)
        if self.verifications:
            return self.verifications.pop(0)
        skipped = dict.fromkeys(Area, Status.SKIPPED)
        areas = {**skipped, Area.API_ACCESS: Status.PASS}
        return Report(ACCOUNT.account_id, "payer", "", (), areas)


class Terraform:
    """Terraform in the root folder; ``changes`` is what the next plans show."""

    def __init__(self, recording: Recording, folder: Path, name: str = "terraform") -> None:
        self._note = lambda call: recording.note(f"{name}.{call}")
        self.folder = folder
        self.changes: list[tuple[PlannedChange, ...]] = [CHANGES]
        self.tainted = False
        self.damage: tuple[StateEdit, ...] = ()
        self.known: dict[str, Any] = {}
        self.held: list[StateResource] = []
        self.lock_file = ""
        self.binary = SimpleNamespace(version_text="1.11.4")

    def check_lock(self, wanted) -> None:
        self._note("check_lock")

    def init(self, *, provider_version, backend_config=None, installed=None) -> bool:
        self._note("init")
        return True

    def plan(self, file: Path, *, refresh: bool = True, destroy: bool = False) -> Plan:
        self._note("plan")
        changes = self.changes[0] if len(self.changes) == 1 else self.changes.pop(0)
        write_plan_file(file)
        return Plan(file, changes, has_changes=bool(changes))

    def preview(self, file: Path, edits, *, provider_version, destroy=False) -> Plan:
        self._note("preview")
        return Plan(file, self.changes.pop(0), has_changes=True)

    def show(self, file: Path) -> Plan:
        self._note("show")
        changes = self.changes[0] if self.changes else ()
        return Plan(file, changes, True, inputs={"account_id": ACCOUNT.account_id})

    def apply_plan(self, file: Path) -> dict[str, Any]:
        self._note("apply_plan")
        assert file.exists()
        return OUTPUTS

    def outputs(self) -> dict[str, Any]:
        return self.known

    def local_outputs(self) -> dict[str, Any]:
        return self.known

    def state_version(self, edits=()) -> Any:
        return NO_STATE

    def recovery(self) -> tuple[StateEdit, ...]:
        return self.damage

    def set_aside(self, name: str) -> Path:
        self._note("set_aside")
        return self.folder / f"{name}.unreadable"

    def push(self, name: str) -> Path:
        self._note("push")
        return self.folder / f"{name}.pushed"

    def resources(self, *types: str, here_only: bool = False, edits=()) -> list[StateResource]:
        if not self.tainted:
            return [r for r in self.held if not types or r.type in types]
        return [StateResource(TARGET, TARGET_ADDRESS, "r-1", True, "")]

    def pull(self) -> str:
        return "{}"

    def untaint(self, address: str) -> None:
        self._note("untaint")

    def forget(self, *addresses: str) -> None:
        self._note("forget")
        self.held = [r for r in self.held if r.address not in addresses]


class Ledger:
    """What ``Octo`` has noted."""

    def __init__(self, recording: Recording, octo: Octo) -> None:
        self._note = lambda name: recording.note(f"octo.{name}")
        self._octo = octo

    def account(self, account_id: str) -> AccountRecord | None:
        return self._octo.known

    def accounts(self) -> dict[str, AccountRecord]:
        return {} if self._octo.known is None else {self._octo.known.account_id: self._octo.known}

    def note_destroying(self, account: Account, name: str, kept_roles) -> None:
        self._note("note_destroying")
        self._octo.kept_roles = tuple(kept_roles)

    def note_adopted_bucket(self, account: Account, name: str, bucket: str) -> None:
        self._note("note_adopted_bucket")
        self._octo.adopted_bucket = bucket

    def note_destroyed(self, account_ids) -> None:
        self._note("note_destroyed")
        self._octo.destroyed = set(account_ids)

    def note_enrolment(self, account_id: str, service, made: MadeEnrolment | None) -> None:
        self._note("note_enrolment")
        known = self._octo.known or AccountRecord(account_id=account_id, account_name="")
        others = {name: one for name, one in known.enrolments.items() if name != service}
        enrolments = {**others, service: made} if made else others
        self._octo.known = known.model_copy(update={"enrolments": enrolments})

    def note_rotation(self, account_id: str, phase: str) -> None:
        self._note("note_rotation")
        self._octo.rotation.append(phase)

    def note_planned(self, account: Account, name: str) -> None:
        self._note("note_planned")

    def note_applied(self, account: Account, name: str, *, method: str = "terraform") -> None:
        self._note("note_applied")


class Octo:
    """The registration service; ``api`` None means that there are no credentials."""

    def __init__(self, recording: Recording) -> None:
        self._note = lambda name: recording.note(f"octo.{name}")
        self.api: Any = _Api(recording)
        self.ledger = Ledger(recording, self)
        self.known: AccountRecord | None = None
        self.linked = _Linked(recording)
        self.rotation: list[str] = []
        self.kept_roles: tuple[str, ...] = ()
        self.adopted_bucket = ""
        self.answers: list[dict[str, OctoAnswer]] = []  # to the next confirmations
        self.departure = Departure(ACCOUNT.account_id, is_known=True)

    def describe_departure(self, account_id: str) -> Departure:
        self._note("describe_departure")
        return self.departure

    def unregister(self, leaving: Departure, *, with_linked: bool) -> None:
        self._note("unregister")

    def check_new(self, account: Account, name: str) -> None:
        self._note("check_new")

    @property
    def enrolments(self) -> dict[str, MadeEnrolment]:
        return self.known.enrolments if self.known else {}

    def register(self, account: Account, name: str, *, method: str = "terraform") -> Any:
        self._note("register")

    def confirm(
        self,
        account,
        name,
        statuses,
        *,
        finish,
        may_register=False,
        method="terraform",
        delivered_at=None,
    ) -> Confirmation:
        self._note("confirm" if may_register else "confirm_known")
        record = AccountRecord(
            account_id=account.account_id,
            account_name=name,
            account_type=account.account_type,
            registered_at="2026-11-26T00:00:00+00:00",
        )
        return Confirmation(record, self.answers.pop(0) if self.answers else {})


class _Api:
    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self.registered = False
        self.name = ""
        self.access = "latest"
        self.presented = "octo-external-id"

    def template(self) -> AccessTemplate:
        self._recording.note("api.template")
        return AccessTemplate(external_id=SecretStr(self.presented), principal=PRINCIPAL)

    def status(self, account_id: str) -> DataAccess | None:
        self._recording.note("api.status")
        options = AwsOptions(AccountName=self.name, Status=self.access)
        return DataAccess(target=account_id, awsOptions=options) if self.registered else None


class _Linked:
    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self.current: list[str] = []
        self.left: list[str] = []
        self.names: dict[str, str] = {}  # Octo's, where they are others

    def other_names(self, accounts) -> dict[str, str]:
        return {i: name for i, name in self.names.items() if i in accounts}

    def note(self, standings) -> None:
        assert isinstance(standings, dict)

    def left_with(self, payer_id: str) -> dict[str, str]:
        return dict.fromkeys(self.left, "2026-11-26T00:00:00+00:00")

    def register_current(self, payer_id: str, names) -> None:
        self._recording.note("linked.register_current")
        self.current += names


@dataclass
class Scene:
    """A route's ports, and what was called of them."""

    recording: Recording
    context: AccountContext
    cloud: Cloud
    terraform: Terraform
    octo: Octo

    @property
    def calls(self) -> list[str]:
        return self.recording.calls

    def configure(self, **settings: Any) -> None:
        """Change how the route runs."""
        changed = replace(self.context.settings, **settings)
        self.context = replace(self.context, settings=changed)

    def agree(self, _review: object) -> None:
        self.recording.note("consent")


def scene(folder: Path, **fields: Any) -> Scene:
    """Set up a route; ``fields`` are octo.yaml's settings."""
    recording = Recording()
    registration = load(
        folder / "absent.yaml",
        {"account_id": ACCOUNT.account_id, "external_id": "octo-external-id", **fields},
        {},
    )
    settings = Settings(workdir=folder, environ={})
    organization = Organization("r-1", {"r-1": None}, (), ACCOUNT.account_id)
    linked = LinkedAccounts(organization, StackSet("octo"), ("r-1",), Coverage(()))
    cloud, octo = Cloud(recording, ACCOUNT, linked), Octo(recording)
    terraform = Terraform(recording, folder / ACCOUNT.account_id)

    def open_terraform(_secret: object) -> Any:
        return terraform

    context = AccountContext(
        registration,
        settings,
        Events(recording.events.append),
        Cancellation(),
        cloud,  # type: ignore[arg-type]
        octo,  # type: ignore[arg-type]
        open_terraform,
    )
    return Scene(recording, context, cloud, terraform, octo)


def write_plan_file(file: Path) -> None:
    """Write what a plan file holds besides the plan, as ``plan_file.read`` wants it."""
    state = {
        "lineage": "",
        "serial": 0,
        "outputs": {name: {"value": value} for name, value in OUTPUTS.items()},
    }
    parts = {"tfconfig/modules.json": [], "tfstate": state, "tfstate-prev": state}
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, json.dumps(content))

"""The route of a registration, from octo.yaml to *Confirm and Finish*. Read this file first.

    config → identify → register → render → init → plan → guard → apply → verify → confirm

Each step is a room of its own with a plain input and a plain result; a command is a part of
this route. Everything before ``apply`` writes to the root folder at most, and nothing is
written at all before ``identify`` has made sure that the account is the one that was meant.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from orchestrator import guard, render
from orchestrator.account import Account, identify
from orchestrator.aws.bucket import has_policy
from orchestrator.aws.errors import explained
from orchestrator.aws.session import AssumeRole, Aws, connect
from orchestrator.config.model import Registration
from orchestrator.engine import binary
from orchestrator.engine.outputs import Outputs
from orchestrator.engine.plan import Plan
from orchestrator.engine.terraform import Terraform
from orchestrator.errors import EngineError, OctoTfError, WrongAccount
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.model import OctoSide
from orchestrator.progress import Progress
from orchestrator.verify.model import Area, Context, Report
from orchestrator.verify.runner import verify as run_checks

_SETTLE_SECONDS = 30.0  # IAM and S3 may answer from before the apply for this long


@dataclass(frozen=True)
class Settings:
    """How to run, as opposed to what to register.

    Attributes:
        workdir: holds one root folder per account.
        environ: the process's environment.
        tf_path: the Terraform program; None searches PATH.
        parallelism: Terraform's ``-parallelism``.
        principal_profile: the AWS profile of Octo's principal account, where it is at hand.
        allow_destroy: addresses that may be destroyed.
        wait_seconds: how long verify waits for what is pending.
    """

    workdir: Path
    environ: Mapping[str, str]
    tf_path: str | None = None
    parallelism: int | None = None
    principal_profile: str | None = None
    allow_destroy: frozenset[str] = frozenset()
    wait_seconds: float = 0.0


@dataclass
class Run:
    """One registration on its way; each property is made when it is first needed."""

    registration: Registration
    settings: Settings
    progress: Progress = field(default_factory=Progress)

    @property
    def folder(self) -> Path:
        """The root folder: rendered files, state, ledger."""
        return (self.settings.workdir / self.registration.account_id).absolute()

    @property
    def plan_file(self) -> Path:
        """Where a plan is saved that nobody asked to keep."""
        return self.folder / "octo.tfplan"

    @cached_property
    def octo(self) -> OctoSide:
        """Octo's side."""
        return Ledger(self.folder / "ledger.json")

    @cached_property
    def aws(self) -> Aws:
        """The account, by the credentials that octo.yaml or the environment names."""
        credentials = self.registration.credentials
        role = credentials.assume_role
        with explained("connecting to AWS"):
            return connect(
                region=self.registration.region,
                profile=credentials.profile,
                assume_role=AssumeRole(role.role_arn, role.session_name, role.external_id)
                if role
                else None,
            )

    @cached_property
    def principal(self) -> Aws | None:
        """Octo's principal account, where its credentials are at hand (sandbox, test)."""
        profile = self.settings.principal_profile
        with explained("connecting as Octo's principal"):
            return connect(region=self.registration.region, profile=profile) if profile else None

    @cached_property
    def terraform(self) -> Terraform:
        """Terraform in the root folder."""
        return Terraform(
            binary.find(self.settings.tf_path, self.settings.environ),
            self.folder,
            environ=self.settings.environ,
            secrets=[self.registration.external_id.get_secret_value()],
            on_event=self.progress.event,
            on_interrupt=self.progress.warn,
            parallelism=self.settings.parallelism,
        )

    @cached_property
    def account(self) -> Account:
        """Who the credentials are, made sure to be the account that was meant."""
        with self.progress.step("Identifying the account"):
            return identify(
                self.aws,
                self.registration.account_id,
                declared_type=self.registration.account_type,
            )

    def rendered(self) -> render.Root:
        """The root folder's content as it should be; nothing is written."""
        merge = self.registration.cur_s3_bucket_merge_policy
        bucket = self.registration.cur_s3_bucket_name
        account = self.account
        with explained(f"reading the policy of bucket {bucket}"):
            policy_exists = has_policy(self.aws, bucket) if merge and bucket else None
        return render.render(
            self.registration,
            account.account_type,
            bucket_has_policy=policy_exists,
            allow_destroy=self.settings.allow_destroy,
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other octo-tf runs out of the root folder until the end of the block.

        The account is identified first: for a wrong one not even the folder is made.
        """
        _ = self.account
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with FileLock(self.folder / "run.lock", timeout=0, mode=0o600):
                yield
        except Timeout:
            raise OctoTfError(
                "another octo-tf is at work on this account",
                where=str(self.folder),
                hint="Wait for it to end, then run the same command again.",
            ) from None


def prepare(run: Run) -> None:
    """identify → register → render → init: the root folder is ready for Terraform."""
    account = run.account
    run.octo.register(account.account_id, run.registration.account_name or "", account.account_type)
    root = run.rendered()
    render.write(root, run.folder)
    with run.progress.step("Preparing Terraform"):
        run.terraform.init(backend_config=root.backend_config)


def plan(run: Run, file: Path | None = None) -> Plan:
    """... → plan → guard: a saved plan that may be applied.

    Raises:
        PlanRefused: the guard refuses it; the plan is not kept.
    """
    prepare(run)
    with run.progress.step("Planning"):
        made = run.terraform.plan((file or run.plan_file).absolute())
    try:
        guard.examine(made, allow_destroy=run.settings.allow_destroy)
    except OctoTfError:
        made.file.unlink(missing_ok=True)  # nobody shall apply it by hand
        raise
    return made


def apply(
    run: Run, *, approve: Callable[[Plan], None], plan_file: Path | None = None
) -> tuple[Plan, Report]:
    """... → apply of that very plan → verify → confirm: the whole route.

    Args:
        run: the registration on its way.
        approve: shown the plan when it has changes; raises to stop.
        plan_file: a plan made earlier; None makes one.
    """
    made = plan(run) if plan_file is None else _earlier_plan(run, plan_file.absolute())
    try:
        if made.has_changes:
            approve(made)
            with run.progress.step("Applying"):
                values = run.terraform.apply_plan(made.file)
        else:
            values = run.terraform.outputs()
    finally:
        run.plan_file.unlink(missing_ok=True)  # it holds the inputs, and is used up
    settle = _SETTLE_SECONDS if made.has_changes else 0.0
    return made, _verify(run, _typed(run, values), settle_seconds=settle)


def verify(run: Run) -> Report:
    """identify → init → outputs → verify → confirm: what AWS has, without a plan."""
    prepare(run)
    return _verify(run, _typed(run, run.terraform.outputs()), settle_seconds=0.0)


def _earlier_plan(run: Run, file: Path) -> Plan:
    prepare(run)
    with run.progress.step("Reading the plan"):
        made = run.terraform.show(file)
    if made.account_id != run.registration.account_id:
        raise WrongAccount(
            f"the plan is for account {made.account_id}, not {run.registration.account_id}",
            where=str(file),
            hint="Make a new one with `octo-tf plan --out FILE`.",
        )
    guard.examine(made, allow_destroy=run.settings.allow_destroy)
    return made


def _typed(run: Run, values: Mapping[str, object]) -> Outputs:
    if not values:
        raise EngineError(
            "nothing has been applied to this account yet",
            where=run.registration.account_id,
            hint="Run octo-tf apply.",
        )
    try:
        return Outputs.model_validate(values)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        raise EngineError(
            f"the state's output {'.'.join(map(str, detail['loc']))} is not as this version of"
            f" octo-tf expects: {detail['msg']}",
            where=str(run.folder),
            hint="Run octo-tf apply: it brings the outputs up to date.",
        ) from None


def _verify(run: Run, outputs: Outputs, *, settle_seconds: float) -> Report:
    context = Context(
        expected=outputs,
        external_id=run.registration.external_id.get_secret_value(),
        aws=run.aws,
        principal=run.principal,
        now=time.time,
    )
    with run.progress.step("Verifying"):
        report = run_checks(
            context,
            account_name=run.registration.account_name or "",
            wait_seconds=run.settings.wait_seconds,
            settle_seconds=settle_seconds,
        )
    run.octo.confirm(
        report.account_id,
        {area.value: report.areas[area].value for area in Area},
        finish=report.can_finish,
    )
    return report

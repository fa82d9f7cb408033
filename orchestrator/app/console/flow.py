"""One account that is registered by stacks: its settings, and what follows from them."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr

from orchestrator.app import enrolling
from orchestrator.app import steps as shared
from orchestrator.app.context import AccountContext
from orchestrator.aws.errors import explained
from orchestrator.errors import OctoUnreachable, Refused
from orchestrator.model import existing_report
from orchestrator.model.account import Account
from orchestrator.model.module_contract.inputs import Inputs, console_inputs
from orchestrator.model.outside_action import OutsideAction
from orchestrator.model.partition import partition_of_arn
from orchestrator.model.registration import Registration
from orchestrator.stacks import observed, steps, templates
from orchestrator.stacks.expected import expected
from orchestrator.stacks.observed import ObservedStack
from orchestrator.stacks.steps import LABELS, ExpectedStack, Step
from orchestrator.verify.model import Context


@dataclass
class ConsoleFlow:
    """An identified account that is registered by stacks.

    Attributes:
        registration: what to register; the wizard may change it.
        external_id: the id that Octo presents.
        wants_stackset: whether linked accounts are deployed to; None: as octo.yaml and AWS say.
    """

    context: AccountContext
    registration: Registration
    account: Account
    external_id: SecretStr = field(repr=False)
    wants_stackset: bool | None = None

    @property
    def inputs(self) -> Inputs:
        """Return the inputs of the templates.

        Raises:
            ConfigError: octo.yaml has a setting that only Terraform supports.
        """
        found = console_inputs(self.registration)
        if found.cur_report_option == "CREATE_NEW" or "cur" not in self.steps:
            return found
        with suppress(Refused):  # ``begin`` refuses it; verifying and leaving go on without it
            report = existing_report.choose(self.registration, self.context.cloud.reports())
            return existing_report.using(found, report)
        return found

    @property
    def external_ids(self) -> tuple[str, ...]:
        """The external ids that the roles are to accept; each is a secret."""
        return self.context.acceptance.accepted(self.external_id.get_secret_value())

    @property
    def account_name(self) -> str:
        """The account's name in octo.yaml; empty if it has none."""
        return self._chosen.account_name

    @property
    def partition(self) -> str:
        """The account's AWS partition."""
        return partition_of_arn(self.account.caller_arn)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that this type of account has."""
        return steps.steps_of(self.account.account_type)

    @property
    def payer(self) -> str | None:
        """The account id of a linked account's payer."""
        is_linked = self.account.account_type == "linked"
        return self.account.management_account_id if is_linked else None

    def has_stackset(self) -> bool:
        """Tell whether linked accounts are deployed to: it was chosen, or AWS has the StackSet."""
        if self.account.account_type != "payer":
            return False
        if self.wants_stackset is not None:
            return self.wants_stackset
        return self.registration.use_stackset or self.context.cloud.has_stackset()

    def checked_steps(self) -> tuple[Step, ...]:
        """List the steps to check together: the optional one only if it was chosen."""
        has_stackset = self.has_stackset()
        return tuple(step for step in self.steps if step != "stackset" or has_stackset)

    def payer_is_registered(self) -> bool | None:
        """Ask Octo whether the payer is registered; a payer itself needs none.

        Returns:
            None if it is unknown: Octo cannot be asked, and no ledger here has the payer.
        """
        return self.payer is None or self._registered(self.payer)

    def is_registered(self, account_id: str) -> bool:
        """Ask Octo whether it knows an account; if it cannot be asked, a ledger here may say so."""
        return bool(self._registered(account_id))

    def _registered(self, account_id: str) -> bool | None:
        if self.context.octo.api is not None:
            with suppress(OctoUnreachable):
                return self.context.octo.api.status(account_id) is not None
        return True if shared.is_noted(self.context, account_id) else None

    def has_report(self) -> bool:
        """Tell whether AWS has the report of the registration."""
        name = self.inputs.cur_report_name
        return any(report["ReportName"] == name for report in self.context.cloud.reports())

    def enrolments(self) -> list[OutsideAction]:
        """List the enrolments that the chosen features need and that AWS does not have."""
        return enrolling.planned(self._chosen, self.account)

    def enrol(self, actions: Collection[OutsideAction]) -> None:
        """Make enrolments that the user agreed to; warn if AWS refuses one."""
        enrolling.carry_out(self._chosen, self.account, actions)

    @property
    def _chosen(self) -> AccountContext:
        """The account's run with what the user chose meanwhile."""
        return replace(self.context, registration=self.registration)

    def template(self, name: templates.Name) -> str:
        """Render a template."""
        return templates.render(
            name, self.inputs, partition=self.partition, ids=len(self.external_ids)
        )

    def stacks(self, step: Step) -> tuple[ExpectedStack, ...]:
        """List the stacks of a step.

        Raises:
            ConfigError: this type of account does not have the step.
        """
        steps.check_step(step, self.account.account_type)
        return steps.expected_stacks(
            step,
            self.inputs,
            external_ids=self.external_ids,
            region=self.registration.region,
            partition=self.partition,
            targets=self.context.cloud.targets() if step == "stackset" else (),
        )

    def describe(self, stack: ExpectedStack) -> ObservedStack:
        """Describe a stack in the run's current observation."""
        with explained(f"reading the stack of {LABELS[stack.step]}"):
            return observed.describe_stack(self.context.cloud.observation(), stack)

    def choose(self, **settings: Any) -> None:
        """Change what to register.

        Raises:
            ValueError: the settings are not valid; nothing is changed.
        """
        known = self.registration.model_dump()
        self.registration = Registration.model_validate({**known, **settings})

    def checks_context(self) -> Context:
        """Return what the checks compare with AWS, as after Terraform."""
        outputs = expected(
            self.inputs,
            self.account.account_type,
            partition=self.partition,
            region=self.registration.region,
            targets=list(self.context.cloud.targets()) if self.has_stackset() else (),
            external_id_count=len(self.external_ids),
        )
        return self.context.cloud.checks_context(
            outputs, self.external_id.get_secret_value(), self.context.acceptance
        )

    def register(self) -> None:
        """Register the account with Octo; the user consented.

        Raises:
            OctoRefused: Octo refuses the account.
        """
        self.context.octo.register(self.account, self.account_name, method="console")


def begin(context: AccountContext, *, registering: bool = True) -> ConsoleFlow:
    """Identify the account, and decide the external id; nothing is changed.

    Args:
        registering: see ``steps.identify``.

    Raises:
        ConfigError: octo.yaml has a setting that only Terraform supports.
        Refused: the existing report that octo.yaml asks for does not fit.
    """
    console_inputs(context.registration)
    account = shared.identify(context, registering=registering)
    shared.warn_of_features(context)
    shared.existing_report(context, account, must_fit=True)
    return flow_of(context, account)


def flow_of(context: AccountContext, account: Account) -> ConsoleFlow:
    """Decide the external id of an identified account; nothing is changed.

    Raises:
        ConfigError: octo.yaml has a setting that only Terraform supports.
    """
    console_inputs(context.registration)
    return ConsoleFlow(context, context.registration, account, shared.decide_external_id(context))

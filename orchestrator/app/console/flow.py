"""One account on the console path: what was asked for, and what follows from it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from orchestrator.app import steps as shared
from orchestrator.app.context import AccountContext
from orchestrator.aws.cloudformation import trusted_access
from orchestrator.aws.errors import explained
from orchestrator.errors import OctoUnreachable
from orchestrator.model.account import Account
from orchestrator.model.registration import Registration
from orchestrator.octo.ledger import Ledger
from orchestrator.stacks import steps, templates
from orchestrator.stacks.expected import expected
from orchestrator.stacks.inputs import Inputs, for_console
from orchestrator.stacks.steps import Step, Wanted
from orchestrator.verify.model import Context


@dataclass
class ConsoleFlow:
    """An identified account on the console path.

    Attributes:
        context: the account's run.
        registration: what was asked for; the wizard may add to it.
        account: as identified.
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
        """The templates' inputs.

        Raises:
            ConfigError: octo.yaml asks for what only Terraform makes.
        """
        return for_console(self.registration)

    @property
    def partition(self) -> str:
        """The account's AWS partition."""
        return self.account.caller_arn.split(":")[1]

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that this type of account has."""
        return steps.steps_of(self.account.account_type)

    @property
    def payer(self) -> str | None:
        """A linked account's payer."""
        is_linked = self.account.account_type == "linked"
        return self.account.management_account_id if is_linked else None

    def has_stackset(self) -> bool:
        """Tell whether linked accounts are deployed to: it was asked for, or AWS has the set."""
        if self.account.account_type != "payer":
            return False
        if self.wants_stackset is not None:
            return self.wants_stackset
        return self.registration.use_stackset or self.context.cloud.has_stackset()

    def lacks_trusted_access(self) -> bool:
        """Tell whether CloudFormation may not deploy into the organization yet."""
        with explained("asking for CloudFormation's access to the organization"):
            return trusted_access(self.context.cloud.connect()) != "ENABLED"

    def checked_steps(self) -> tuple[Step, ...]:
        """Name the steps to check as a whole: the optional one only where it was taken."""
        has_stackset = self.has_stackset()
        return tuple(step for step in self.steps if step != "stackset" or has_stackset)

    def payer_is_known(self) -> bool:
        """Tell whether a linked account's payer is registered; see ``is_registered``."""
        return self.payer is None or self.is_registered(self.payer)

    def is_registered(self, account_id: str) -> bool:
        """Ask Octo whether it knows an account; if it cannot be asked, a ledger here may say so."""
        api = self.context.octo.api
        if api is not None:
            with suppress(OctoUnreachable):
                return api.status(account_id) is not None
        own = Ledger(self.context.folder.parent / account_id / "ledger.json").account(account_id)
        return own is not None and own.is_registered

    def template(self, name: templates.Name) -> str:
        """Render a template."""
        return templates.render(name, self.inputs, partition=self.partition)

    def wanted(self, step: Step) -> tuple[Wanted, ...]:
        """Name the stacks of a step.

        Raises:
            ConfigError: this type of account does not have the step.
        """
        steps.check_step(step, self.account.account_type)
        return steps.wanted(
            step,
            self.inputs,
            external_id=self.external_id.get_secret_value(),
            region=self.registration.region,
            partition=self.partition,
            targets=self.context.cloud.targets() if step == "stackset" else (),
        )

    def choose(self, **settings: Any) -> None:
        """Change what was asked for.

        Raises:
            ValueError: it cannot be; nothing is changed.
        """
        known = self.registration.model_dump()
        self.registration = Registration.model_validate({**known, **settings})

    def checks_context(self) -> Context:
        """Give the checks what they may look at: the same as after Terraform."""
        outputs = expected(
            self.inputs,
            self.account.account_type,
            partition=self.partition,
            region=self.registration.region,
            targets=list(self.context.cloud.targets()) if self.has_stackset() else (),
        )
        return self.context.cloud.checks_context(outputs, self.external_id.get_secret_value())

    def register(self) -> None:
        """Register the account with Octo; the user consented.

        Raises:
            OctoRefused: Octo refuses the account.
        """
        self.context.octo.register(
            self.account, self.registration.account_name or "", method="console"
        )


def begin(context: AccountContext) -> ConsoleFlow:
    """Identify the account, and decide the external id; nothing is changed.

    Raises:
        WrongAccount: the credentials are another account's.
        ConfigError: octo.yaml asks for what only Terraform makes.
    """
    for_console(context.registration)
    account = shared.identify(context)
    return ConsoleFlow(context, context.registration, account, shared.decide_external_id(context))

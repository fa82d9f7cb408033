"""One account on the console path: what was asked for, and what follows from it, made once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orchestrator.app.context import Run
from orchestrator.aws.errors import explained
from orchestrator.model.registration import Registration
from orchestrator.octo.ledger import Ledger
from orchestrator.stacks import steps, templates
from orchestrator.stacks.expected import expected
from orchestrator.stacks.inputs import Inputs, for_console
from orchestrator.stacks.steps import Step, Wanted
from orchestrator.verify.model import Context


@dataclass
class Path:
    """The console path of a run; AWS is asked when something needs it."""

    run: Run

    @cached_property
    def inputs(self) -> Inputs:
        """What was asked for.

        Raises:
            ConfigError: only Terraform makes it.
        """
        return for_console(self.run.registration)

    @cached_property
    def partition(self) -> str:
        """The partition of the account, which is made sure of first."""
        return self.run.account.caller_arn.split(":")[1]

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The steps that this type of account has."""
        return steps.steps_of(self.run.account.account_type)

    @cached_property
    def has_stack_set(self) -> bool:
        """Whether linked accounts are reached: it was asked for, or is there."""
        if self.run.account.account_type != "payer":
            return False
        return self.run.registration.use_stackset or self.run.linked.exists

    def ask_for_stack_set(self) -> None:
        """From now on a StackSet is wanted."""
        self.__dict__["has_stack_set"] = True

    def forget_stack_set(self) -> None:
        """What is wanted is again what octo.yaml says and AWS has."""
        self.__dict__.pop("has_stack_set", None)

    @property
    def lacks_trusted_access(self) -> bool:
        """Whether CloudFormation may not deploy into the organization yet (a payer's question)."""
        client = self.run.aws.client("cloudformation")
        with explained("asking for CloudFormation's access to the organization"):
            return bool(client.describe_organizations_access()["Status"] != "ENABLED")

    @property
    def checked(self) -> tuple[Step, ...]:
        """The steps to look at as a whole: the optional one only where it was taken."""
        return tuple(step for step in self.steps if step != "stackset" or self.has_stack_set)

    @cached_property
    def payer(self) -> str | None:
        """A linked account's payer."""
        account = self.run.account
        return account.management_account_id if account.account_type == "linked" else None

    @property
    def payer_is_known(self) -> bool:
        """Whether Octo's side knows the payer, as far as it can be seen from here."""
        if self.payer is None:
            return True
        beside = Ledger(self.run.settings.workdir.absolute() / self.payer / "ledger.json")
        return any(side.account(self.payer) for side in (self.run.octo, beside))

    def template(self, name: templates.Name) -> str:
        """A template's text."""
        return templates.render(name, self.inputs, partition=self.partition)

    def wanted(self, step: Step) -> tuple[Wanted, ...]:
        """The stacks of a step.

        Raises:
            ConfigError: this type of account does not have the step.
        """
        steps.check_step(step, self.run.account.account_type)
        return steps.wanted(
            step,
            self.inputs,
            external_id=self.run.external_id.get_secret_value(),
            region=self.run.registration.region,
            partition=self.partition,
            targets=self.run.linked.targets if step == "stackset" else (),
        )

    def choose(self, **settings: Any) -> None:
        """Changes what was asked for.

        Raises:
            ValueError: it cannot be; nothing is changed.
        """
        known = self.run.registration.model_dump()
        self.run.registration = Registration.model_validate({**known, **settings})
        self.__dict__.pop("inputs", None)

    def context(self) -> Context:
        """What the checks may look at: the same as after Terraform."""
        run = self.run
        return Context(
            expected=expected(
                self.inputs,
                run.account.account_type,
                partition=self.partition,
                region=run.registration.region,
                targets=run.linked.targets if self.has_stack_set else (),
            ),
            external_id=run.external_id.get_secret_value(),
            aws=run.aws,
            principal=run.principal,
            now=time.time,
        )

    def begin(self) -> None:
        """Makes sure of the account and registers it with Octo's side.

        Raises:
            WrongAccount: the credentials are another account's.
            OctoError: Octo refuses the account.
        """
        _ = self.inputs
        account = self.run.account
        _ = self.run.external_id  # a wrong one is found before anything is written
        self.run.octo.register(
            account.account_id,
            self.run.registration.account_name or "",
            account.account_type,
            payer_id=account.management_account_id,
            method="console",
        )

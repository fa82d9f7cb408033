"""The linked accounts of one payer, as one registration wants them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from orchestrator.aws import organizations, stacksets
from orchestrator.aws.errors import explained
from orchestrator.aws.session import Aws
from orchestrator.errors import ConfigError
from orchestrator.model import resource_names
from orchestrator.model.account import Account
from orchestrator.model.coverage import WANTING, Coverage, State, cover
from orchestrator.model.organization import Organization
from orchestrator.model.registration import Registration
from orchestrator.model.stackset import Deployed
from orchestrator.stackset import deployments, preflight
from orchestrator.stackset.deployments import Work
from orchestrator.ui.terminal import Progress


@dataclass
class LinkedAccounts:
    """What a run needs to know and do about linked accounts; nothing without ``use_stackset``.

    Attributes:
        on_current: told the names of accounts, by id, as their instances become current; from
            another thread while Terraform is at work.
    """

    registration: Registration
    aws: Aws
    progress: Progress
    on_current: Callable[[Mapping[str, str]], None] = lambda _: None
    _checked: bool = False
    _current: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The StackSet's name."""
        return self.registration.stackset_name or resource_names.STACKSET

    @cached_property
    def organization(self) -> Organization:
        """The organization, read once a run."""
        with explained("reading the organization"):
            return organizations.read(self.aws)

    @cached_property
    def targets(self) -> list[str]:
        """The OUs that octo.yaml names, or the root."""
        if self.registration.stackset_targets:
            return sorted(set(self.registration.stackset_targets))
        with explained("reading the organization's root"):
            return [organizations.root_id(self.aws)]

    @property
    def exists(self) -> bool:
        """Whether AWS has a stack set of that name."""
        with explained(f"reading StackSet {self.name}"):
            return stacksets.describe(self.aws, self.name) is not None

    def check(self, account: Account, *, enable_access: bool) -> None:
        """Everything that must hold before a plan, once a run; see ``preflight``.

        Raises:
            ConfigError: octo.yaml asks for what cannot be.
            Refused: AWS is not ready for it.
        """
        if not self.registration.use_stackset or self._checked:
            return
        preflight.check_type(account)
        with self.progress.step("Looking into the organization"):
            preflight.check_targets(self.registration, self.organization)
            preflight.check_access(self.aws, account.account_id, enable=enable_access)
            coverage, _ = self.look()
            missing = [standing.account_id for standing in coverage.of(State.MISSING)]
            preflight.check_quota(account.account_id, coverage)
            unknown = preflight.check_clashes(self.aws, missing)
            refused = preflight.refused_actions(self.aws, account) if missing else []
        self._checked = True
        if missing:
            self.progress.say(f"  {len(missing)} linked accounts are to be deployed to")
        if unknown:
            self.progress.say(
                f"  {unknown} of them could not be looked into: a role"
                f" {resource_names.API_ROLE} that is there already would fail the account"
            )
        if refused:
            self.progress.warn(
                f"{account.caller_arn} may not use {', '.join(refused)} on all resources: unless a"
                " policy of its own allows them on this StackSet, the apply will fail there"
            )

    def look(self) -> tuple[Coverage, Deployed | None]:
        """Every account's standing now, and the stack set behind it."""
        with explained(f"reading StackSet {self.name}"):
            found = stacksets.read(self.aws, self.name)
        excluded = self.registration.stackset_excluded_accounts or []
        return cover(self.organization, found, targets=self.targets, excluded=excluded), found

    def todo(self) -> Work:
        """What is to be done for single accounts, beside Terraform's plan."""
        if not self.registration.use_stackset:
            return Work()
        coverage, found = self.look()
        return deployments.todo(coverage, self.organization, found, self.targets)

    def carry_out(self, agreed: Work) -> None:
        """Does what was agreed on, as far as it is still to be done.

        Raises:
            AwsError: AWS refused, or somebody stopped the operation.
        """
        if not agreed:
            return
        coverage, found = self.look()
        still = deployments.todo(coverage, self.organization, found, self.targets)
        if found is not None:
            self._do(still.only(agreed.accounts), found)

    def _do(self, agreed: Work, found: Deployed) -> None:
        with self.progress.step("Deploying to linked accounts"), explained(f"StackSet {self.name}"):
            deployments.carry_out(
                self.aws,
                self.name,
                agreed,
                self.organization,
                found,
                retain=self.registration.stackset_retain_stacks is not False,
                on_progress=self._show,
            )

    def again(self, accounts: Collection[str] = ()) -> Coverage:
        """Deploys again to all accounts that lack the role; those that are named get a new stack.

        Raises:
            ConfigError: an account is not to be deployed to.
            AwsError: AWS refused, or somebody stopped the operation.
        """
        coverage, found = self.look()
        if found is None:
            raise ConfigError(
                "has no StackSet yet", where=self.registration.account_id, hint="Run octo-tf apply."
            )
        wanted = {s.account_id: s for s in coverage.of(State.CURRENT, *WANTING)}
        for account_id in accounts:
            if account_id not in wanted:
                raise ConfigError(
                    "is no account that the StackSet deploys to now",
                    where=account_id,
                    hint="`octo-tf stackset status --all` shows every account with the reason.",
                )
        chosen = accounts or [s.account_id for s in coverage.of(*WANTING)]
        missing = [a for a in chosen if wanted[a].state is State.MISSING]
        anew = [a for a in accounts if a in found.instances and found.instances[a].has_stack]
        retry = [a for a in chosen if a not in {*missing, *anew}]
        agreed = Work(deploy=tuple(missing), retry=tuple(retry), anew=tuple(anew))
        if agreed:
            self._do(agreed, found)
            coverage, _ = self.look()
        return coverage

    def wait(self) -> None:
        """Waits for operations that are under way: of an interrupted run, or anybody's."""
        if not self.registration.use_stackset or not self.exists:
            return
        with explained(f"StackSet {self.name}"):
            running = [o for o in stacksets.operations(self.aws, self.name) if o.is_running]
            if running:
                with self.progress.step("Waiting for the StackSet"):
                    for operation in reversed(running):
                        deployments.wait(self.aws, self.name, operation.id, self._show)

    def show_newest(self) -> None:
        """Shows how far the newest operation has got, while Terraform only waits for it.

        Raises:
            botocore.exceptions.ClientError: there is no stack set yet, or AWS is busy.
        """
        for newest in stacksets.operations(self.aws, self.name)[:1]:
            self._show(newest.action, stacksets.results(self.aws, self.name, newest.id))

    def _show(self, action: str, results: dict[str, tuple[str, str]]) -> None:
        self.progress.accounts(results)
        if action == "DELETE":
            return
        current = {a for a, (status, _) in results.items() if status == "SUCCEEDED"}
        if new := current - self._current:
            self._current |= new
            # One that joined since this was read has no name here: verification registers it.
            members = self.organization.members
            self.on_current({m.account_id: m.name for m in members if m.account_id in new})

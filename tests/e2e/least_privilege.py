"""Run octo-tf as callers that have exactly the permissions of ``octo-tf policy``, and judge them.

The sandbox evaluates the callers' policies and logs each decision. By that log the judge in
``orchestrator.model.policy`` decides what each run would have been denied without a statement.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from orchestrator.model.policy import Layers, Policy, Principal, Request, as_list, decide
from orchestrator.sandbox import control
from tests.e2e.conftest import RunningSandbox
from tests.e2e.project import Project

Statement = dict[str, Any]

# Calls whose denial no run minds, so that no policy has them: the simulation of the caller itself,
# whose name a policy cannot know, reading the managed policies of a role that is removed, and the
# quota of roles.
OPTIONAL = {
    "iam:GetAccountSummary",
    "iam:SimulatePrincipalPolicy",
    "iam:GetPolicy",
    *("organizations:ListPolicies", "organizations:DescribePolicy"),
    *("organizations:ListTargetsForPolicy", "organizations:ListPoliciesForTarget"),
}
APPLYING = ("apply", "upgrade", "adopt")


@dataclass(frozen=True)
class Access:
    """A request that a run made, and the sandbox's decision."""

    request: Request
    allowed: bool


@dataclass(frozen=True)
class Run:
    """A command that was run, the statements of its policy, and what it was allowed."""

    step: str
    statements: list[Statement]
    accesses: list[Access]


@dataclass
class Route:
    """The commands of one account, each run as a caller with the policy for it.

    Attributes:
        sandbox: where they run.
        project: the account's folder.
        profile: the account.
        options: what ``octo-tf policy`` is given besides octo.yaml.
        runs: the commands that were run.
    """

    sandbox: RunningSandbox
    project: Project
    profile: str
    options: tuple[str, ...] = ()
    runs: list[Run] = field(default_factory=list)

    @property
    def region(self) -> str:
        """The region of octo.yaml."""
        settings = YAML(typ="safe").load(self.project.folder / "octo.yaml")
        return str(settings.get("region", "us-east-1"))

    def policies(self, step: str, *options: str) -> list[dict[str, Any]]:
        """The documents that ``octo-tf policy`` prints for a command."""
        result = self.project("policy", "--for", step, *self.options, *options)
        assert result.returncode == 0, result.stderr
        (role,) = json.loads(result.stdout)["roles"]
        return [policy["document"] for policy in role["policies"]]

    def run(self, *arguments: str, step: str = "", options: tuple[str, ...] = ()) -> str:
        """Run a command with exactly its permissions; it must succeed, and be denied nothing.

        Args:
            arguments: what follows ``octo-tf``.
            step: whose policy the caller has; empty for the command's own.
            options: what ``octo-tf policy`` is given for this run.
        """
        step = step or arguments[0]
        documents = self.policies(step, *options)
        result, accesses = self.as_caller(documents, *arguments)
        # 4: what AWS takes days for, as its recommendations, is pending.
        assert result.returncode in (0, 4), result.stdout + result.stderr
        denied = [a.request for a in accesses if not a.allowed]
        missing = {(r.action, r.resource) for r in denied if r.action not in OPTIONAL}
        assert not missing, missing
        statements = [s for document in documents for s in document["Statement"]]
        self.runs.append(Run(step, statements, [a for a in accesses if a.allowed]))
        return result.stdout

    def fails_without(self, sid: str, documents: list[dict[str, Any]], *arguments: str) -> str:
        """Run a command as a caller that lacks one statement of its policies; it must fail.

        Returns:
            What the run said.
        """
        left = [
            {**document, "Statement": [s for s in document["Statement"] if s["Sid"] != sid]}
            for document in documents
        ]
        result, _ = self.as_caller([d for d in left if d["Statement"]], *arguments)
        assert result.returncode not in (0, 2), f"{arguments} does without {sid}"
        return result.stdout + result.stderr

    def as_caller(
        self, documents: Iterable[dict[str, Any]], *arguments: str
    ) -> tuple[subprocess.CompletedProcess[str], list[Access]]:
        """Run a command as a user with these managed policies, and return what it asked for."""
        iam = self.sandbox.client(self.profile, "iam")
        user = "octo-tf-operator"
        iam.create_user(UserName=user)
        arns = [
            iam.create_policy(PolicyName=f"{user}-{n}", PolicyDocument=json.dumps(document))[
                "Policy"
            ]["Arn"]
            for n, document in enumerate(documents)
        ]
        for arn in arns:
            iam.attach_user_policy(UserName=user, PolicyArn=arn)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        own = self._credentials(user, key)
        control.accesses(self.sandbox.endpoint)
        result = self.project(*arguments, **own)
        accesses = [
            _access(entry)
            for entry in control.accesses(self.sandbox.endpoint)
            if entry["caller"].endswith(f"user/{user}")
        ]
        iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
        for arn in arns:
            iam.detach_user_policy(UserName=user, PolicyArn=arn)
            iam.delete_policy(PolicyArn=arn)
        iam.delete_user(UserName=user)
        return result, accesses

    def _credentials(self, user: str, key: dict[str, str]) -> dict[str, str]:
        given = Path(self.sandbox.environ["AWS_SHARED_CREDENTIALS_FILE"]).read_text()
        own = self.project.folder / "credentials"
        own.write_text(
            f"{given}\n[{user}]\naws_access_key_id = {key['AccessKeyId']}\n"
            f"aws_secret_access_key = {key['SecretAccessKey']}\n"
        )
        own.chmod(0o600)
        names = ("OCTO_TF_AWS_PROFILE", "AWS_PROFILE")
        return {"AWS_SHARED_CREDENTIALS_FILE": str(own), **dict.fromkeys(names, user)}

    def disagreements(self) -> list[str]:
        """List the calls that the sandbox allowed and that the judge does not."""
        return [
            f"{run.step}: {access.request.action} on {access.request.resource}"
            for run in self.runs
            for access in _denied(run.statements, run.accesses)
        ]

    def unneeded(self) -> list[str]:
        """List the actions of policies that no run would miss, and so the statements too.

        An upgrade and an adoption go the route of apply: what they share is missed by any.
        """
        return sorted(
            {
                f"{run.step}: {action} in {statement['Sid']}"
                for run in self.runs
                for statement in run.statements
                for action in as_list(statement["Action"])
                if not self._misses(run, statement, action)
            }
        )

    def _misses(self, run: Run, statement: Statement, action: str) -> bool:
        """Whether a run of the command would be denied something without an action."""
        family = APPLYING if run.step in APPLYING else (run.step,)
        asked = [
            access
            for other in self.runs
            if other.step in family
            for access in other.accesses
            if access.request.action == action
        ]
        allowed = {id(a) for a in asked} - {id(a) for a in _denied(run.statements, asked)}
        left = [a for a in as_list(statement["Action"]) if a != action]
        rest = [s for s in run.statements if s is not statement]
        rest += [{**statement, "Action": left}] if left else []
        return any(id(access) in allowed for access in _denied(rest, asked))


def _denied(statements: list[Statement], accesses: Iterable[Access]) -> list[Access]:
    policy = Policy({"Version": "2012-10-17", "Statement": statements})
    layers = Layers(identity=[policy])
    return [access for access in accesses if not decide(access.request, layers).allowed]


def _access(entry: dict[str, Any]) -> Access:
    principal = Principal.aws(entry["caller"])
    request = Request(entry["action"], entry["resource"], principal, entry["keys"])
    return Access(request, entry["decision"] == "allowed")

"""The external id after the console path: a person updates the stacks that octo-tf lists."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr

from orchestrator.app.context import Settings, build
from orchestrator.app.events import Events
from orchestrator.app.rotate import rotate
from orchestrator.app.rotation import Request, Rotated, StackToUpdate
from orchestrator.config.load import load
from orchestrator.model.module_contract.octo_names import API_ROLE, CUR_ROLE
from orchestrator.sandbox import control
from tests.contract.stacks.conftest import EXTERNAL_ID, Account, settled, without_stackset

OLD, NEW = EXTERNAL_ID, "console-new-external-id-90b2"


class Person:
    """Runs the command, and updates the stacks as it says."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.config = account.folder / "octo.yaml"
        document = {
            "account_id": account.account_id,
            "external_id": OLD,
            "credentials": {"profile": account.profile},
        }
        self.config.write_text("\n".join(f"{n}: {json.dumps(v)}" for n, v in document.items()))
        self.asked: list[list[str]] = []

    def run(self, new: str | None = None) -> Rotated:
        settings = Settings(
            workdir=self.account.folder,
            environ={},
            principal_profile="octo",
            **self.account.running,
        )
        registration = load(self.config, {}, {}, octo_has_external_id=True)
        return rotate(
            build(registration, settings, events=Events()),
            Request(SecretStr(new) if new else None),
            config=self.config,
            consent=lambda review: self.asked.append([a.code for a in review.outside]),
        )

    def update(self, stack: StackToUpdate, *ids: str) -> None:
        client = self.account.client("cloudformation", stack.region)
        known = client.describe_stacks(StackName=stack.name)["Stacks"][0]["Parameters"]
        names = {p["ParameterKey"] for p in known if not p["ParameterKey"].startswith("ExternalId")}
        template: dict[str, Any] = (
            {"TemplateBody": stack.template.read_text()}
            if stack.template
            else {"UsePreviousTemplate": True}
        )
        client.update_stack(
            StackName=stack.name,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[
                *(
                    {"ParameterKey": n, "UsePreviousValue": True}
                    for n in names - {"TemplateVersion"}
                ),
                *(
                    {"ParameterKey": n, "ParameterValue": v}
                    for n, v in zip(stack.parameters, ids, strict=True)
                ),
            ],
            **template,
        )
        assert settled(client, stack.name) == "UPDATE_COMPLETE"

    def accepted(self, session: Any, role: str = API_ROLE) -> set[str]:
        found = session.client("iam").get_role(RoleName=role)["Role"]
        (statement,) = found["AssumeRolePolicyDocument"]["Statement"]
        ids = statement["Condition"]["StringEquals"]["sts:ExternalId"]
        return {ids} if isinstance(ids, str) else set(ids)


def test_a_payers_stacks_are_listed_in_both_phases(account, octo, session, sandbox):
    payer = octo(account("payer"))
    client = payer.client("cloudformation")
    client.activate_organizations_access()
    try:
        for step in ("api-access", "cur", "stackset"):
            assert payer.deploy(step) == ["CREATE_COMPLETE"]
        payer.deliver()
        payer.check(finish=True)
        person = Person(payer)
        first = person.run(NEW)
        names = ["AlphausAccountAccess", "AlphausCurExport", "AlphausLinkedAccountAccess"]
        assert (first.phase, [s.name for s in first.stacks]) == ("accepting", names)
        assert all(s.parameters == ("ExternalId", "ExternalId2") for s in first.stacks)
        assert "#/stacks/stackinfo?stackId=" in first.stacks[0].url
        for stack in first.stacks[:2]:
            person.update(stack, NEW, OLD)  # in any order
        assert [s.name for s in person.run().stacks] == names[2:]
        person.update(first.stacks[2], OLD, NEW)
        waiting = person.run()
        assert (waiting.phase, waiting.stacks) == ("waiting", ())
        linked = session("linked-1")
        assert person.accepted(payer.session) == person.accepted(linked) == {OLD, NEW}
        assert person.accepted(payer.session, CUR_ROLE) == {OLD, NEW}

        control.change_external_id(sandbox.endpoint_url, NEW)
        second = person.run()
        assert (second.phase, [s.name for s in second.stacks]) == ("dropping", names)
        for stack in second.stacks:
            assert stack.parameters == ("ExternalId",)
            person.update(stack, NEW)
        assert person.run().phase == "done"
        assert person.accepted(payer.session) == person.accepted(linked) == {NEW}
        assert person.accepted(payer.session, CUR_ROLE) == {NEW}
        assert OLD not in person.config.read_text()
        assert person.asked == [["config.write"], ["config.end_rotation"]]
    finally:
        without_stackset(client, "AlphausLinkedAccountAccess")


def test_a_stack_of_octos_template_is_updated_at_the_moment_of_the_change(account, octo, sandbox):
    linked = octo(account("linked-1"))
    (page,) = linked.pages("api-access")
    ours = page.stack.link("", "aws")
    template = linked.flow().template("api-access").replace("Octo API access (octo-tf", "Theirs (")
    linked.client("cloudformation").create_stack(
        StackName=ours.stack_name,
        TemplateBody=template,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": n, "ParameterValue": v} for n, v in page.stack.parameters.items()
        ],
    )
    linked.check()
    person = Person(linked)
    waiting = person.run(NEW)
    assert waiting.phase == "waiting"
    (stack,) = waiting.stacks
    assert (stack.template, stack.parameters) == (None, ("ExternalId",))
    control.change_external_id(sandbox.endpoint_url, NEW)
    (stack,) = person.run().stacks
    person.update(stack, NEW)
    assert person.accepted(linked.session) == {NEW}


def test_octo_that_is_refused_with_the_new_id_alone_is_to_get_both_back(account, octo, sandbox):
    alone = octo(account("standalone"))
    assert alone.deploy("api-access") == ["CREATE_COMPLETE"]
    alone.check("api-access", finish=True)
    person = Person(alone)
    (stack,) = person.run(NEW).stacks
    person.update(stack, OLD, NEW)
    assert person.run().phase == "waiting"
    control.change_external_id(sandbox.endpoint_url, NEW)
    (stack,) = person.run().stacks
    person.update(stack, NEW)
    refusal = {"service": "octo", "action": "CreateAccountAccess", "error": "FailedPrecondition"}
    control.add_fault(sandbox.endpoint_url, refusal)
    try:
        back = person.run()
    finally:
        control.clear_faults(sandbox.endpoint_url)
    assert (back.phase, [s.parameters for s in back.stacks]) == (
        "put_back",
        [("ExternalId", "ExternalId2")],
    )
    person.update(back.stacks[0], OLD, NEW)
    assert person.accepted(alone.session) == {OLD, NEW}


@pytest.fixture(autouse=True)
def the_sandboxs_own_id(sandbox):
    client = sandbox.octo.client
    yield
    sandbox.octo.clients[client.client_id] = client

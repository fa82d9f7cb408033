"""The resources of the module are removed from another state, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adoption import foreign_state
from orchestrator.adoption.foreign_module import ForeignModule
from orchestrator.errors import ConfigError, EngineError, WrongAccount

ROLE = "AlphausAcctAccessRole"
ARN = f"arn:aws:iam::111122223333:role/{ROLE}"


def resource(
    kind: str, label: str, module: str = "", *, mode: str = "managed", **attributes: Any
) -> dict[str, Any]:
    found = {"mode": mode, "type": kind, "name": label, "instances": [{"attributes": attributes}]}
    return found | ({"module": module} if module else {})


class Folder:
    """Stands for Terraform in somebody's folder: only its state is asked for."""

    def __init__(self, *resources: dict[str, Any]) -> None:
        self.text = json.dumps({"resources": list(resources)}) if resources else ""

    def pull(self) -> str:
        return self.text


def held(address: str, *resources: dict[str, Any]) -> foreign_state.ForeignState:
    theirs = ForeignModule(Path("their folder"), address, "main.tf:1", {})
    states = foreign_state.read_state(Folder(*resources), theirs, {ROLE, "bucket"})  # type: ignore[arg-type]
    return foreign_state.of_account(states, None)


def test_of_a_child_everything_under_its_address():
    found = held(
        "module.octo",
        resource("aws_iam_role", "r", "module.octo", name=ROLE, arn=ARN),
        resource("aws_x", "y", "module.octo.module.inner"),
        resource("aws_caller_identity", "me", "module.octo", mode="data"),
        resource("aws_x", "y", "module.octopus"),
        resource("aws_iam_role", "own", name="theirs"),
    )
    assert found.addresses == (
        "module.octo.aws_iam_role.r",
        "module.octo.data.aws_caller_identity.me",
        "module.octo.module.inner.aws_x.y",
    )
    assert found.accounts == {"111122223333"}


def test_the_account_of_a_state_of_terraform_0_11_is_recognized():
    old = resource("aws_iam_role", "r", "module.octo")
    old["instances"] = [{"attributes_flat": {"name": ROLE, "arn": ARN}}]
    assert held("module.octo", old).accounts == {"111122223333"}


def test_of_a_root_what_adoption_is_about():
    found = held(
        "",
        resource("aws_iam_role", "r", name=ROLE),
        resource("aws_iam_role_policy", "p", role=ROLE, name="x"),
        resource("aws_s3_bucket", "b", bucket="bucket"),
        resource("aws_s3_bucket", "own", bucket="another"),
        resource("aws_s3_bucket", "d", mode="data", bucket="bucket"),
    )
    assert found.addresses == ("aws_iam_role.r", "aws_iam_role_policy.p", "aws_s3_bucket.b")


@pytest.mark.parametrize("elsewhere", ["module.former", 'module.former["a"].module.octo', ""])
def test_resources_at_another_address_than_in_the_files_are_found_by_their_names(elsewhere):
    found = held(
        "module.octo",
        resource("aws_iam_role", "r", elsewhere, name=ROLE, arn=ARN),
        resource("aws_iam_role", "own", elsewhere, name="theirs"),
        resource("aws_iam_role", "d", elsewhere, mode="data", name=ROLE),
    )
    prefix = f"{elsewhere}." if elsewhere else ""
    assert found.addresses == (f"{prefix}aws_iam_role.r",)
    assert found.instance == ""
    assert found.accounts == {"111122223333"}


def test_resources_of_other_accounts_are_not_found_by_their_names():
    theirs = ForeignModule(Path("their folder"), "module.octo", "main.tf:1", {})
    one, two = (account_role(account, f"module.m{account}") for account in (ONE, TWO))

    def states(*resources: dict[str, Any], account_id: str | None) -> list[Any]:
        folder: Any = Folder(*resources)
        return foreign_state.read_state(folder, theirs, {ROLE}, account_id=account_id)

    assert states(one, account_id=ONE)[0].addresses == (f"module.m{ONE}.aws_iam_role.r",)
    for held_there, account in (((one,), TWO), ((one, two), None)):
        assert states(*held_there, account_id=account) == [foreign_state.ForeignState()]


@pytest.mark.parametrize("address", ["module.octo", ""])
def test_of_several_accounts_at_another_address_the_one_that_is_adopted_is_released(address):
    theirs = ForeignModule(Path("their folder"), address, "main.tf:1" if address else "", {})
    parts = [
        part
        for account in (ONE, TWO)
        for part in (
            account_role(account, f'module.former["{account}"]'),
            resource("aws_iam_role_policy", "p", f'module.former["{account}"]', role=ROLE),
        )
    ]
    folder: Any = Folder(*parts)
    (found,) = foreign_state.read_state(folder, theirs, {ROLE}, account_id=TWO)
    assert found.accounts == {TWO}
    assert found.addresses == (
        f'module.former["{TWO}"].aws_iam_role.r',
        f'module.former["{TWO}"].aws_iam_role_policy.p',
    )


@pytest.mark.parametrize("home", ["module.finops", "module.finops.module.b"])
def test_of_accounts_whose_modules_are_not_apart_nothing_is_found(home):
    one = account_role(ONE, home)
    two = account_role(TWO, "module.finops.module.c")
    theirs = ForeignModule(Path("their folder"), "module.octo", "main.tf:1", {})
    folder: Any = Folder(one, two)
    found = foreign_state.read_state(folder, theirs, {ROLE}, account_id=ONE)
    assert found == [foreign_state.ForeignState()]


def found_by_names(
    *resources: dict[str, Any],
    names: frozenset[str] = frozenset(),
    stays: frozenset[str] = frozenset(),
    where: str = "main.tf:1",
) -> tuple[str, ...]:
    """The addresses besides the role's, where the files have another address than the state."""
    theirs = ForeignModule(Path("their folder"), "module.octo" if where else "", where, {})
    folder: Any = Folder(account_role(ONE, FORMER), *resources)
    (found,) = foreign_state.read_state(folder, theirs, {ROLE, *names}, stays=stays, account_id=ONE)
    role = f"{FORMER}.aws_iam_role.r"
    assert role in found.addresses
    return tuple(address for address in found.addresses if address != role)


FORMER = "module.former"
DATA = frozenset({"acme-data"})


@pytest.mark.parametrize("where", ["main.tf:1", ""])  # the block was renamed, or removed
@pytest.mark.parametrize("stays", [DATA, frozenset[str]()])
def test_a_bucket_beside_the_module_is_not_released_by_its_name(stays, where):
    theirs = resource("aws_s3_bucket", "data", bucket="acme-data")
    assert found_by_names(theirs, names=DATA, stays=stays, where=where) == ()


@pytest.mark.parametrize(("wrapper", "is_found"), [("", False), (".module.octo", True)])
def test_a_bucket_that_octo_only_reads_is_released_with_octos_roles_alone(wrapper, is_found):
    bucket = resource("aws_s3_bucket", "data", f"module.finops{wrapper}", bucket="acme-data")
    role = account_role(ONE, "module.finops.module.octo")
    theirs = ForeignModule(Path("their folder"), "module.new", "main.tf:1", {})
    folder: Any = Folder(role, bucket)
    (found,) = foreign_state.read_state(folder, theirs, {ROLE, *DATA}, stays=DATA)
    assert (len(found.addresses) == 2) is is_found


def test_what_has_a_name_of_the_modules_by_chance_is_not_released():
    strangers = [
        resource("aws_glue_catalog_database", "g", FORMER, name="acme-data"),
        resource("aws_s3_object", "o", FORMER, bucket="acme-data"),
        resource("aws_s3_bucket_object", "o", FORMER, bucket="acme-data"),
        resource("aws_iam_instance_profile", "p", FORMER, name="p", role=ROLE),
        resource("aws_iam_role_policy", "p", FORMER, name="acme-data", role="theirs"),
        resource("aws_s3_bucket", "b", "module.formerly", bucket="acme-data"),
    ]
    assert found_by_names(*strangers, names=DATA) == ()


def test_a_resource_whose_name_is_no_text_is_none_of_the_modules():
    assert found_by_names(resource("acme_grant", "g", FORMER, role=["reader"], name={})) == ()


def test_a_policy_that_others_share_is_not_released_with_a_role_it_is_attached_to():
    arn = f"arn:aws:iam::{ONE}:policy/baseline"
    attachment = resource("aws_iam_role_policy_attachment", "a", role=ROLE, policy_arn=arn)
    shared = resource("aws_iam_policy", "baseline", name="baseline", arn=arn)
    assert found_by_names(attachment, shared) == ()
    inside = [{**one, "module": FORMER} for one in (attachment, shared)]
    assert len(found_by_names(*inside)) == 2


def test_a_report_of_another_account_is_not_released_by_its_name():
    arn = "arn:aws:cur:us-east-1:{}:definition/r"
    one, two = (
        resource("aws_cur_report_definition", i, FORMER, report_name="r", arn=arn.format(i))
        for i in (ONE, TWO)
    )
    assert found_by_names(one, two, names=frozenset({"r"})) == (
        f"{FORMER}.aws_cur_report_definition.{ONE}",
    )


def test_the_bucket_with_the_name_that_no_file_gives_is_released():
    bucket = resource("aws_s3_bucket", "b", FORMER, bucket=f"alphaus-cur-export-{ONE}")
    assert found_by_names(bucket) == (f"{FORMER}.aws_s3_bucket.b",)


@pytest.mark.parametrize("mode", ["data", "managed"])
def test_the_roles_are_released_from_the_old_address_if_the_new_one_has_none(mode):
    new = resource("aws_s3_bucket", "b", "module.octo", mode=mode, bucket="acme-data")
    prefix = "module.octo.data" if mode == "data" else "module.octo"
    assert found_by_names(new) == (f"{prefix}.aws_s3_bucket.b",)


def test_the_other_parts_of_a_divided_module_are_released():
    role = account_role(ONE, "module.former.module.api_access")
    part = "module.former.module.linked_accounts"
    stack_set = resource("aws_cloudformation_stack_set", "s", part, name="octo")
    beside = resource("aws_cloudformation_stack_set", "s", "module.theirs", name="octo")
    theirs = ForeignModule(Path("their folder"), "module.octo", "main.tf:1", {})
    folder: Any = Folder(role, stack_set, beside)
    (found,) = foreign_state.read_state(folder, theirs, {ROLE, "octo"}, account_id=ONE)
    assert found.addresses == (
        "module.former.module.api_access.aws_iam_role.r",
        f"{part}.aws_cloudformation_stack_set.s",
    )


def test_the_command_can_be_pasted_into_a_shell():
    indexed = resource("aws_x", "y", "module.octo")
    indexed["instances"][0]["index_key"] = "a b"
    theirs = ForeignModule(Path("their folder"), "module.octo", "main.tf:1", {})
    assert held("module.octo", indexed).commands(theirs) == [
        "terraform state rm 'module.octo.aws_x.y[\"a b\"]'"
    ]


def test_no_state_holds_nothing():
    assert held("module.octo") == foreign_state.ForeignState()


def test_a_state_that_cannot_be_read_says_what_to_do():
    class Uninitialized:
        def pull(self) -> str:
            raise EngineError("the state cannot be read: Backend initialization required")

    theirs = ForeignModule(Path("their folder"), "module.octo", "main.tf:1", {})
    with pytest.raises(EngineError) as caught:
        foreign_state.read_state(Uninitialized(), theirs, set())  # type: ignore[arg-type]
    assert "terraform init" in caught.value.hint


@pytest.mark.parametrize("text", ["", "{", "[]", '{"resources": [1]}', "null"])
def test_names_of_a_state_that_is_none_are_none(text):
    assert foreign_state.names_in(text) == frozenset()


def account_role(account_id: str, module: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::{account_id}:role/{ROLE}"
    return resource("aws_iam_role", "r", module, name=ROLE, arn=arn)


ONE, TWO = "111122223333", "444455556666"


def instances(*modules: str, address: str) -> list[foreign_state.ForeignState]:
    theirs = ForeignModule(Path("their folder"), address, "main.tf:1", {})
    roles = [account_role(id_, module) for id_, module in zip((ONE, TWO), modules, strict=False)]
    return foreign_state.read_state(Folder(*roles), theirs, {ROLE})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "modules"),
    [
        ("module.octo", ('module.octo["a.b"]', 'module.octo["c]"]')),
        ("module.octo", ("module.octo[0]", "module.octo[1]")),
        (
            "module.finops.module.octo",
            ('module.finops["a"].module.octo', 'module.finops["b"].module.octo'),
        ),
    ],
)
def test_of_several_instances_the_one_of_the_account_is_released(address, modules):
    found = foreign_state.of_account(instances(*modules, address=address), TWO)
    assert found.instance == modules[1]
    assert found.addresses == (f"{modules[1]}.aws_iam_role.r",)
    assert found.accounts == {TWO}


def test_several_instances_need_the_account():
    states = instances('module.octo["a"]', 'module.octo["b"]', address="module.octo")
    with pytest.raises(ConfigError, match=f"{ONE}, {TWO}"):
        foreign_state.of_account(states, None)
    with pytest.raises(WrongAccount):
        foreign_state.of_account(states, "999988887777")


def test_an_instance_that_an_earlier_run_released_is_not_missed():
    states = instances('module.octo["a"]', 'module.octo["b"]', address="module.octo")
    found = foreign_state.of_account(states, "999988887777", may_lack=True)
    assert found == foreign_state.ForeignState()
    alone = instances("module.octo", address="module.octo")
    with pytest.raises(WrongAccount):
        foreign_state.of_account(alone, "999988887777", may_lack=True)


def test_the_policies_that_a_root_attached_to_its_roles_are_released_with_them():
    arn = "arn:aws:iam::111122223333:policy/CloudSaver-1"
    found = held(
        "",
        resource("aws_iam_role", "r", name=ROLE, managed_policy_arns=["arn:by-role"]),
        resource("aws_iam_role_policy_attachment", "a", role=ROLE, policy_arn=arn),
        resource("aws_iam_policy", "attached", name="CloudSaver-1", arn=arn),
        resource("aws_iam_policy", "by_role", name="Other", arn="arn:by-role"),
        resource("aws_iam_policy", "own", name="Own", arn="arn:aws:iam::111122223333:policy/Own"),
    )
    assert found.addresses == (
        "aws_iam_policy.attached",
        "aws_iam_policy.by_role",
        "aws_iam_role.r",
        "aws_iam_role_policy_attachment.a",
    )


def test_of_an_unread_state_with_several_instances_no_command_removes_all():
    unread = foreign_state.ForeignState(is_read=False)
    theirs = ForeignModule(Path("x"), "module.octo", "main.tf:1", {}, is_repeated=True)
    assert [c for c in unread.commands(theirs) if c == "terraform state rm module.octo"] == []
    assert "'module.octo[KEY]'" in unread.commands(theirs)[1]


@pytest.mark.parametrize(
    ("module", "command"),
    [
        (("module.finops.module.octo", ()), "terraform state rm module.finops.module.octo"),
        (
            ("", ("aws_iam_role.a", "aws_s3_bucket.b")),
            "terraform state rm aws_iam_role.a aws_s3_bucket.b",
        ),
    ],
)
def test_of_a_state_that_is_kept_and_cannot_be_read_the_command_is_still_given(module, command):
    class Remote:
        def pull(self) -> str:
            raise EngineError("the state cannot be read: no token for app.terraform.io")

    address, resources = module
    theirs = ForeignModule(Path("their folder"), address, "main.tf:1", {}, resources)
    (state,) = foreign_state.read_state(Remote(), theirs, set(), may_fail=True)  # type: ignore[arg-type]
    assert not state.is_read
    assert state.commands(theirs) == [command]

"""From what was found to an octo.yaml that replaces nothing; AWS's truth wins over files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adoption.discovery import discover
from orchestrator.adoption.foreign_module import ForeignModule, Input
from orchestrator.adoption.inventory import Inventory
from orchestrator.adoption.proposal import propose
from orchestrator.adoption.stated import Stated
from orchestrator.errors import ConfigError, Refused
from orchestrator.model.account import Account
from orchestrator.model.existing_report import choose
from orchestrator.model.module_contract.octo_names import API_ROLE, CUR_ROLE
from orchestrator.model.observed import Bucket, Encryption, Role
from orchestrator.model.organization import Member, Organization
from orchestrator.model.registration import Registration
from orchestrator.model.stackset import StackSet, TemplateContent
from tests.registered import PRINCIPAL, current, trust

ID = "111122223333"
SSE_S3 = Encryption("AES256")
REPORT = {
    "ReportName": "curreport",
    "TimeUnit": "DAILY",
    "Format": "Parquet",
    "Compression": "Parquet",
    "AdditionalSchemaElements": ["RESOURCES"],
    "AdditionalArtifacts": ["ATHENA"],
    "S3Bucket": "alphaus-cur-export",
    "S3Prefix": "pre",
    "S3Region": "eu-west-1",
    "RefreshClosedReports": False,
    "ReportVersioning": "OVERWRITE_REPORT",
}


def role(name: str, external_id: str | None = "the-id", **changes: Any) -> Role:
    arn = f"arn:aws:iam::{ID}:role/{name}"
    return Role(name, arn, "AROA" + name, trust=json.loads(trust(external_id)), **changes)


def found(
    *roles: Role,
    account_type: str = "payer",
    report: dict | None = REPORT,
    bucket: Bucket | None = None,
    stack_set: StackSet | None = None,
    owners: dict[str, str] | None = None,
) -> Inventory:
    own = bucket or Bucket(
        report["S3Bucket"] if report else "none", "eu-west-1", False, encryption=SSE_S3
    )
    return Inventory(
        Account(ID, account_type, f"arn:aws:iam::{ID}:user/me", None),
        {r.name: r for r in roles},
        {report["ReportName"]: report} if report else {},
        {own.name: own},
        {stack_set.name: stack_set} if stack_set else {},
        owners or {},
    )


def theirs(**inputs: Any) -> Stated:
    given = {n: v if isinstance(v, Input) else Input(v, "main.tf:7") for n, v in inputs.items()}
    return Stated(ForeignModule(Path("their"), "module.octo", "main.tf:3", given))


BOTH = (role(API_ROLE), role(CUR_ROLE, None))


def test_every_setting_of_the_report_is_as_aws_has_it():
    settings = propose(found(*BOTH), theirs(cur_s3_prefix="another")).settings
    assert {n: v for n, v in settings.items() if n.startswith("cur_")} == {
        "cur_report_name": "curreport",
        "cur_time_unit": "DAILY",
        "cur_format": "Parquet",
        "cur_compression": "Parquet",
        "cur_additional_schema_elements": ["RESOURCES"],
        "cur_additional_artifacts": ["ATHENA"],
        "cur_s3_bucket_name": "alphaus-cur-export",
        "cur_s3_bucket_option": "CREATE_NEW",
        "cur_s3_bucket_region": "eu-west-1",
        "cur_s3_prefix": "pre",
        "cur_refresh_closed_reports": False,
        "cur_report_versioning": "OVERWRITE_REPORT",
        "cur_role_trust": "principal_only",
    }


def test_the_settings_are_a_valid_registration(registered):
    settings = propose(found(*BOTH), Stated()).settings
    assert registered(account_id=ID, **settings).cur_format == "Parquet"


def test_a_trust_without_external_id_is_kept_and_warned_of():
    proposal = propose(found(*BOTH), Stated())
    assert proposal.settings["cur_role_trust"] == "principal_only"
    assert "cur_role_trust: external_id" in " ".join(proposal.warnings)
    strict = propose(found(role(API_ROLE), role(CUR_ROLE)), Stated())
    assert "cur_role_trust" not in strict.settings


def test_the_external_id_is_the_one_that_works_today():
    proposal = propose(found(*BOTH), theirs(external_id="old-in-file"))
    assert proposal.external_id == "the-id"
    assert "main.tf:7" in " ".join(proposal.warnings)
    assert "the-id" not in repr(proposal)


def test_another_external_id_would_lock_octo_out():
    with pytest.raises(ConfigError, match="not the one that the role"):
        propose(found(*BOTH), Stated(), external_id="another")


def under(name: str, condition: dict[str, Any], *more: dict[str, Any]) -> Role:
    """A role that trusts Octo under a condition; ``more`` are further statements."""
    allow = json.loads(trust("x"))["Statement"][0] | {"Condition": condition}
    return Role(name, f"arn:aws:iam::{ID}:role/{name}", "AROA", trust={"Statement": [allow, *more]})


SEVERAL = (
    {"StringEquals": {"sts:ExternalId": ["the-id", "an-old-id"]}},
    {"StringLike": {"sts:ExternalId": "the-*"}},
    {"StringLike": {"sts:ExternalId": "the-??"}},
)


@pytest.mark.parametrize("condition", SEVERAL)
def test_no_external_id_is_taken_from_a_role_that_accepts_several_or_a_pattern(condition):
    proposal = propose(found(under(API_ROLE, condition)), Stated())
    assert proposal.external_id is None
    assert any("accepts more than one external id" in warning for warning in proposal.warnings)
    assert propose(
        found(under(API_ROLE, condition)), Stated(), external_id="the-id"
    ).external_id == ("the-id")
    for octos in (False, True):
        with pytest.raises(ConfigError, match="external id"):
            propose(
                found(under(API_ROLE, condition)),
                Stated(),
                external_id="another",
                octo_has_id=octos,
            )


@pytest.mark.parametrize("condition", SEVERAL)
def test_of_the_ids_that_a_role_accepts_the_one_in_the_file_must_be_one(condition):
    accepting = found(under(API_ROLE, condition))
    assert propose(accepting, theirs(external_id="the-id")).external_id == "the-id"
    with pytest.raises(ConfigError, match="not one that the role"):
        propose(accepting, theirs(external_id="another"))


@pytest.mark.parametrize("condition", SEVERAL)
def test_a_cur_role_with_several_external_ids_keeps_requiring_one(condition):
    assert "cur_role_trust" not in propose(found(under(CUR_ROLE, condition)), Stated()).settings


@pytest.mark.parametrize(
    ("condition", "external_id"),
    [
        ({"Null": {"sts:ExternalId": "false"}}, None),
        ({"StringNotEquals": {"sts:ExternalId": "revoked"}}, None),
        ({"ForAnyValue:StringEquals": {"sts:externalid": ["the-id"]}}, "the-id"),
        ({"StringLike": {"sts:ExternalId": "the-id"}}, "the-id"),
    ],
)
def test_the_external_id_is_the_value_that_the_operator_requires(condition, external_id):
    assert propose(found(under(API_ROLE, condition)), Stated()).external_id == external_id


def test_a_deny_of_all_other_external_ids_requires_that_one():
    deny = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringNotEquals": {"sts:ExternalId": "the-id"}},
    }
    assert propose(found(under(API_ROLE, {}, deny)), Stated()).external_id == "the-id"


def test_without_any_id_none_is_made_up():
    assert propose(found(role(API_ROLE, None)), Stated()).external_id is None
    assert propose(found(role(API_ROLE, None)), theirs(external_id="by-file")).external_id == (
        "by-file"
    )


def test_an_input_that_decides_and_cannot_be_read_is_named():
    unknown = Input(None, "main.tf:9", 'file("x")')
    with pytest.raises(ConfigError, match="cur_report_name cannot be read") as caught:
        propose(found(*BOTH), theirs(cur_report_name=unknown))
    assert caught.value.where == "main.tf:9"
    assert "--cur-report-name" in caught.value.hint


def test_inputs_that_cannot_be_read_are_named_all_at_once():
    unknown = {
        name: Input(None, f"main.tf:{line}", 'file("x")')
        for line, name in enumerate(("external_id", "cur_report_name", "stackset_name", "tags"), 1)
    }
    with pytest.raises(ConfigError) as caught:
        propose(found(role(API_ROLE, None)), theirs(**unknown))
    assert caught.value.what.startswith("external_id, cur_report_name, stackset_name cannot")
    assert caught.value.where == "main.tf:1, main.tf:2, main.tf:3"
    for option in ("--external-id-file", "--cur-report-name", "--stackset-name", "--var-file"):
        assert option in caught.value.hint


OWN = {"cur_s3_bucket_name": "billing"}


@pytest.mark.parametrize(
    ("stated", "option"),
    [
        (Stated(), "USE_EXISTING"),
        (Stated(registration={**OWN, "cur_s3_bucket_option": "CREATE_NEW"}), "CREATE_NEW"),
        (Stated(registration=OWN), "CREATE_NEW"),  # the default
        (Stated(registration={**OWN, "cur_s3_bucket_option": "USE_EXISTING"}), "USE_EXISTING"),
        (Stated(managed={"billing"}), "CREATE_NEW"),  # octo.yaml is lost, the state is not
        (theirs(**OWN), "CREATE_NEW"),
        (theirs(**OWN, cur_s3_bucket_option="USE_EXISTING"), "USE_EXISTING"),
    ],
)
def test_a_bucket_is_for_octo_as_octo_yaml_the_state_or_the_module_says(stated, option):
    proposal = propose(found(*BOTH, report={**REPORT, "S3Bucket": "billing"}), stated)
    assert proposal.settings["cur_s3_bucket_option"] == option
    assert ("bucket billing" in proposal.adopted) == (option == "CREATE_NEW")


def test_the_report_that_octo_yaml_names_is_the_one_to_adopt():
    both = replace(
        found(*BOTH), reports={n: {**REPORT, "ReportName": n} for n in ("a", "curreport")}
    )
    stated = Stated(registration={"cur_report_name": "a"})
    assert "report a" in propose(both, stated).adopted


def test_a_report_can_be_used_as_it_is_instead_of_adopted():
    stated = Stated(None, {"cur_report_option": "USE_EXISTING", "cur_report_name": "curreport"})
    proposal = propose(found(role(API_ROLE), role(CUR_ROLE)), stated)
    cur = {n: v for n, v in proposal.settings.items() if n.startswith("cur_")}
    assert cur == {"cur_report_option": "USE_EXISTING", "cur_report_name": "curreport"}
    assert not any(one.startswith(("report", "bucket")) for one in proposal.adopted)
    assert any("are not adopted: Octo reads them as they are" in w for w in proposal.warnings)


def test_keys_are_never_carried_over():
    proposal = propose(found(*BOTH), theirs(access_key="AKIAX", secret_key="hush"))
    assert not {"access_key", "secret_key"} & proposal.settings.keys()
    assert "Delete the key pair" in " ".join(proposal.warnings)
    assert "hush" not in repr(proposal)


def test_an_empty_key_pair_gets_no_advice():
    proposal = propose(found(*BOTH), theirs(access_key="", secret_key=""))
    assert not any("key" in warning for warning in proposal.warnings)
    half = propose(found(*BOTH), theirs(access_key="", secret_key="hush"))
    assert [w for w in half.warnings if w.startswith("secret_key (")]


def test_an_existing_report_is_proposed_instead_of_a_new_one():
    """In a bucket that is not Octo's by its name: it stays its owner's."""
    report = {**REPORT, "ReportName": "finance", "S3Bucket": "finance-data"}
    proposal = propose(found(role(API_ROLE), report=report), Stated())
    assert proposal.settings["cur_report_name"] == "finance"
    assert proposal.settings["cur_s3_bucket_option"] == "USE_EXISTING"
    assert "bucket finance-data" not in proposal.adopted


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"AdditionalSchemaElements": ["RESOURCES", "NEW"]}, "['NEW', 'RESOURCES']"),
        ({"ReportVersioning": "NEW", "AdditionalArtifacts": []}, "cur_report_versioning: NEW"),
        ({"S3Prefix": "/octo"}, "cur_s3_prefix: /octo"),
    ],
)
def test_a_report_with_values_that_octo_yaml_cannot_have_stays_as_it_is(change, said):
    """AWS may have added them: Octo can read such a report, but the module cannot have it."""
    proposal = propose(found(*BOTH, report={**REPORT, **change}), Stated())
    cur = {n: v for n, v in proposal.settings.items() if n.startswith(("cur_report_", "cur_s3"))}
    cur.pop("cur_report_versioning", None)
    assert cur == {"cur_report_option": "USE_EXISTING", "cur_report_name": "curreport"}
    assert not any(one.startswith(("report", "bucket")) for one in proposal.adopted)
    assert [w for w in proposal.warnings if said in w]


@pytest.mark.parametrize(
    "change", [{"AdditionalSchemaElements": ["RESOURCES", "NEW"]}, {"S3Prefix": "a b"}]
)
def test_a_report_that_stays_as_it_is_is_described_so_that_it_fits(change):
    """The example's is daily, in Parquet: octo.yaml says so, or a plan would refuse it."""
    report = {**REPORT, **change}
    proposal = propose(found(*BOTH, report=report), Stated())
    registration = {"account_id": ID, "external_id": None, **proposal.settings}
    assert choose(Registration.model_validate(registration), [report]) == report


def test_a_description_that_octo_yaml_cannot_have_is_left_out():
    """Parquet without its compression, which octo-tf does not know, is no valid combination."""
    proposal = propose(found(*BOTH, report={**REPORT, "Compression": "NEW"}), Stated())
    registration = {"account_id": ID, "external_id": None, **proposal.settings}
    assert Registration.model_validate(registration).cur_format is None


def test_a_bucket_of_the_accounts_own_namespace_is_never_taken_for_octos_alone():
    name = f"alphaus-cur-export-{ID}-eu-west-1-an"
    proposal = propose(found(*BOTH, report={**REPORT, "S3Bucket": name}), Stated())
    assert proposal.settings["cur_s3_bucket_option"] == "USE_EXISTING"
    assert f"bucket {name}" not in proposal.adopted


def test_roles_that_are_not_carried_over_are_listed_with_what_they_can_do():
    executor = role("OctoChangeExecutorRole", managed={"arn:x:policy/AdministratorAccess": None})
    (leftover,) = propose(found(*BOTH, executor), Stated()).leftovers
    assert leftover.name == "OctoChangeExecutorRole"
    assert leftover.risks == ("everything (AdministratorAccess)",)


def test_what_would_go_is_listed_policy_by_policy():
    policy = {"Statement": {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}}
    extra = role(API_ROLE, inline={"octo-cost": {}, "Ops": policy}, managed={"arn:m": None})
    own = Bucket(
        "alphaus-cur-export",
        "eu-west-1",
        False,
        policy={"Statement": [{"Sid": "Mine", "Effect": "Deny", "Principal": "*"}]},
        lifecycle_rules=("keep",),
        notifications=1,
        encryption=Encryption("aws:kms", "arn:key"),
    )
    removals = [removal.what for removal in propose(found(extra, bucket=own), Stated()).removals]
    assert removals == [
        "policy statement Mine",
        "lifecycle rule keep",
        "1 notification",
        "encryption aws:kms with arn:key",
        "inline policy Ops",
        "managed policy arn:m",
    ]


@pytest.mark.parametrize(
    "unsuitable",
    [
        {"S3Bucket": "of-another-account"},
        {"TimeUnit": "MONTHLY"},
        {"AdditionalSchemaElements": []},
    ],
)
def test_a_new_report_does_not_replace_an_unsuitable_one_of_its_name(unsuitable):
    account = found(role(API_ROLE), report=REPORT | unsuitable, bucket=Bucket(REPORT["S3Bucket"]))
    proposal = propose(account, Stated())
    assert proposal.settings["cur_report_name"] == "octo-curreport"
    assert any("curreport is not suitable" in w and "it stays" in w for w in proposal.warnings)
    assert not any(one.startswith("report") for one in proposal.adopted)
    kept = propose(account, Stated(has_file=True))
    assert any("set cur_report_name to another" in warning for warning in kept.warnings)


def test_a_new_report_takes_no_name_that_another_unsuitable_one_has():
    monthly = REPORT | {"TimeUnit": "MONTHLY"}
    account = found(role(API_ROLE), report=monthly)
    for name in ("octo-curreport", "octo-curreport-2"):
        account.reports[name] = monthly | {"ReportName": name}
    assert propose(account, Stated()).settings["cur_report_name"] == "octo-curreport-3"


def test_the_option_that_a_note_advises_adopts_the_bucket_of_the_note():
    elsewhere = {**REPORT, "S3Bucket": "theirs"}
    bucket = Bucket("theirs", "eu-west-1", False, lifecycle_rules=("keep",), encryption=SSE_S3)
    account = found(role(API_ROLE), report=elsewhere, bucket=bucket)
    kept = propose(account, Stated())
    assert any("add --cur-s3-bucket-option CREATE_NEW" in one for one in kept.warnings)
    flag = {"cur_s3_bucket_option": "CREATE_NEW"}
    followed = propose(account, Stated(registration=flag))
    assert followed.settings["cur_s3_bucket_option"] == "CREATE_NEW"
    assert "bucket theirs" in followed.adopted
    assert [removal.what for removal in followed.removals] == ["lifecycle rule keep"]
    assert not any("--cur-s3-bucket-option" in warning for warning in followed.warnings)


def test_somebody_else_in_the_trust_is_a_removal():
    document = json.loads(trust("the-id"))
    document["Statement"].append(
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"}}
    )
    api = Role(API_ROLE, "arn", "AROA", trust=document)
    (removal,) = propose(found(api), Stated()).removals
    assert removal.what == "trust in 999988887777"


def shared(*principals: str) -> Role:
    """A role that trusts accounts, each under an external id of its own."""
    ids = {who: f"id-of-{who}".replace("*", "everybody") for who in principals}
    found = [json.loads(trust(ids[who], Principal={"AWS": who})) for who in principals]
    return Role(API_ROLE, "arn", "AROA", trust={"Statement": [d["Statement"][0] for d in found]})


def test_the_external_id_is_the_one_that_is_required_of_octo():
    assert propose(found(shared("999988887777", PRINCIPAL)), Stated()).external_id == (
        f"id-of-{PRINCIPAL}"
    )


def test_what_everybody_must_present_octo_must_present():
    assert propose(found(shared("*")), Stated()).external_id == "id-of-everybody"


def test_a_foreign_trust_is_named_and_its_external_id_is_not_octos():
    proposal = propose(found(shared("999988887777")), Stated())
    assert proposal.external_id is None
    warning = f"trusts 999988887777, not Octo's account {PRINCIPAL}"
    assert [one for one in proposal.warnings if warning in one]


def test_discovery_names_whom_else_a_role_trusts():
    inventory = found(shared("999988887777", PRINCIPAL))
    (role_,) = [one for one in discover(inventory, None, ()).resources if one.kind == "role"]
    assert role_.purpose == "API access; trusts 999988887777"


def test_a_linked_account_has_neither_report_nor_stackset():
    settings = propose(found(role(API_ROLE), account_type="linked"), Stated()).settings
    assert settings == {"account_type": "linked", "max_session_duration": 3600}


def test_a_boundary_stays():
    bounded = role(API_ROLE, boundary="arn:aws:iam::111122223333:policy/B")
    assert propose(found(bounded), Stated()).settings["permissions_boundary"].endswith("policy/B")


def deploys(logical_id: str = "ApiAccessRole", *others: str, **changes: Any) -> TemplateContent:
    return TemplateContent(logical_id, role(API_ROLE, **changes), others)


UNDER_A_PATH = TemplateContent("R", replace(role(API_ROLE), arn="arn:*:iam::*:role/a/" + API_ROLE))


def stack_set(**changes: Any) -> StackSet:
    values: dict[str, Any] = {
        "name": "octo",
        "stack_set_id": "octo:1",
        "content": deploys(),
        "instances": current("999988887777"),
        "regions": ("us-east-1",),
        "retain_on_removal": True,
        "targets": ("r-abcd",),
        **changes,
    }
    return StackSet(**values)


def test_a_stackset_is_taken_over_with_its_targets():
    settings = propose(found(*BOTH, stack_set=stack_set(targets=("ou-abcd-12345678",))), Stated())
    assert settings.settings["stackset_name"] == "octo"
    assert settings.settings["stackset_targets"] == ["ou-abcd-12345678"]
    assert "stackset_targets" not in propose(found(*BOTH, stack_set=stack_set()), Stated()).settings


@pytest.mark.parametrize(
    "change",
    [
        {"content": None},
        {"content": TemplateContent("", None, ("Bucket (AWS::S3::Bucket)",))},
        {"content": deploys("ApiAccessRole", "Hook (AWS::Lambda::Function)")},
        {"content": UNDER_A_PATH},
        {"content": deploys(external_id="another-id")},
        {"regions": ("eu-west-1",)},
        {"regions": ("eu-west-1", "us-east-1")},
        {"service_managed": False},
        {"auto_deployment": False, "retain_on_removal": False},
    ],
)
def test_a_stackset_that_could_not_be_changed_in_place_is_left(change):
    proposal = propose(found(*BOTH, stack_set=stack_set(**change)), Stated())
    assert "use_stackset" not in proposal.settings
    assert "is not adopted" in " ".join(proposal.warnings)


@pytest.mark.parametrize("accepted", ["theirs-*", ["theirs-1", "theirs-2"], "the-*", "****"])
def test_a_stackset_whose_role_does_not_accept_octos_id_is_left(accepted):
    content = deploys()
    content.role.trust["Statement"][0]["Condition"] = {"StringLike": {"sts:ExternalId": accepted}}
    proposal = propose(found(*BOTH, stack_set=stack_set(content=content)), Stated())
    assert ("use_stackset" in proposal.settings) is (accepted in ("the-*", "****"))


def test_the_note_on_a_stackset_of_roles_with_a_path_says_that_octo_has_no_access():
    warnings = propose(found(*BOTH, stack_set=stack_set(content=UNDER_A_PATH)), Stated()).warnings
    (note,) = [warning for warning in warnings if "is not adopted" in warning]
    assert "Octo has no access through it" in note
    assert "keeps its access" not in note


def test_a_stackset_without_instances_can_have_any_template():
    changes = {"content": deploys("Another", "Hook (AWS::Lambda::Function)"), "instances": {}}
    settings = propose(found(*BOTH, stack_set=stack_set(**changes)), Stated()).settings
    assert settings["use_stackset"]
    assert "stackset_role_logical_id" not in settings


def test_a_role_under_a_path_is_not_promised():
    elsewhere = replace(role(API_ROLE), arn=f"arn:aws:iam::{ID}:role/octo/{API_ROLE}")
    inventory = found(elsewhere, role(CUR_ROLE, None))
    proposal = propose(inventory, Stated())
    assert f"role {API_ROLE}" not in proposal.adopted
    (obstacle,) = proposal.obstacles
    assert obstacle.startswith(f"role {API_ROLE}: its path is /octo/")
    discovery = discover(inventory, proposal, ())
    assert discovery.resources[0].fate == "stays"
    assert obstacle in " ".join(discovery.notes)


def test_a_path_that_the_template_states_stays():
    states = replace(deploys(), role_path="/")
    settings = propose(found(*BOTH, stack_set=stack_set(content=states)), Stated()).settings
    assert settings["stackset_role_path"] == "/"
    settings = propose(found(*BOTH, stack_set=stack_set()), Stated()).settings
    assert "stackset_role_path" not in settings


def test_a_stackset_keeps_what_a_change_would_break():
    another = stack_set(
        content=deploys("Octo", max_session_duration=7200),
        retain_on_removal=False,
    )
    settings = propose(found(*BOTH, stack_set=another), Stated()).settings
    assert settings["stackset_role_logical_id"] == "Octo"
    assert settings["stackset_retain_on_account_removal"] is False
    assert settings["max_session_duration"] == 7200  # the payer's own roles allow 3600


def test_what_a_stackset_would_take_from_each_account_is_a_removal():
    document = {"Statement": [{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}]}
    makes = deploys(
        inline={"root": document, "octo-cost": {"Statement": []}},
        managed={"arn:aws:iam::aws:policy/ReadOnlyAccess": None},
    )
    other = {"Principal": {"AWS": "arn:aws:iam::555566667777:root"}, "Effect": "Allow"}
    makes.role.trust["Statement"].append(other)
    removals = propose(found(*BOTH, stack_set=stack_set(content=makes)), Stated()).removals
    assert [str(removal).partition(": ")[2].partition(":")[0] for removal in removals] == [
        "inline policy root",
        "managed policy arn",
        "trust in 555566667777",
    ]
    assert {removal.resource for removal in removals} == {"StackSet octo"}
    assert "passes roles on" in removals[0].consequence


def test_roles_of_a_stackset_that_require_no_external_id_are_warned_of():
    makes = deploys(external_id=None)
    warnings = propose(found(*BOTH, stack_set=stack_set(content=makes)), Stated()).warnings
    assert any("roles of the StackSet octo require no external id" in w for w in warnings)


def organization() -> Organization:
    """Two OUs with two accounts each, one of them closed, and one account at the root."""
    members = (
        Member(ID, "payer", "ACTIVE", "r-abcd"),
        Member("100000000001", "a", "ACTIVE", "ou-abcd-11111111"),
        Member("100000000002", "b", "ACTIVE", "ou-abcd-11111111"),
        Member("100000000003", "c", "ACTIVE", "ou-abcd-22222222"),
        Member("100000000004", "d", "SUSPENDED", "ou-abcd-22222222"),
        Member("100000000005", "e", "ACTIVE", "r-abcd"),
    )
    parents = {"r-abcd": None, "ou-abcd-11111111": "r-abcd", "ou-abcd-22222222": "r-abcd"}
    return Organization("r-abcd", parents, members, ID)


@pytest.mark.parametrize(
    ("targets", "known", "settings"),
    [
        (["r-abcd"], [1, 2, 3, 5], {}),
        (["r-abcd"], [1, 3, 5], {"stackset_excluded_accounts": ["100000000002"]}),
        (["ou-abcd-11111111"], [1, 2], {"stackset_targets": ["ou-abcd-11111111"]}),
        # Deployed to by its id: AWS tells no target, and nobody else shall get a stack.
        ([], [3], {"stackset_excluded_accounts": [f"10000000000{n}" for n in (1, 2, 5)]}),
        (["ou-abcd-11111111"], [1, 2, 3], {"stackset_excluded_accounts": ["100000000005"]}),
        # Nothing is deployed: there is nobody to keep it from.
        (["ou-abcd-11111111"], [], {"stackset_targets": ["ou-abcd-11111111"]}),
    ],
)
def test_a_stackset_reaches_the_accounts_that_it_reaches_today(targets, known, settings):
    accounts = tuple(f"10000000000{n}" for n in known)
    there = stack_set(targets=tuple(targets), instances=current(*accounts))
    inventory = replace(found(*BOTH, stack_set=there), organization=organization())
    proposed = propose(inventory, Stated()).settings
    wanted = ("stackset_targets", "stackset_excluded_accounts")
    assert {n: v for n, v in proposed.items() if n in wanted} == settings


def said(stated: Stated, members: Organization | None, *known: int, **changes: Any) -> str:
    """The warnings about a StackSet that has stacks in some accounts."""
    there = stack_set(instances=current(*(f"10000000000{n}" for n in known)), **changes)
    inventory = replace(found(*BOTH, stack_set=there), organization=members)
    return " ".join(propose(inventory, stated).warnings)


@pytest.mark.parametrize(
    "stated",
    [
        Stated(registration={"use_stackset": True}, has_file=True),
        Stated(registration={"stackset_excluded_accounts": ["100000000005"]}),
    ],
)
def test_accounts_without_a_stack_that_octo_yaml_or_a_flag_reaches_are_named(stated):
    text = said(stated, organization(), 1, 3)
    assert "deploys to accounts without a stack of the StackSet octo" in text
    assert "100000000002" in text
    assert ("100000000005" in text) == stated.has_file


def test_nothing_is_said_of_accounts_that_octo_yaml_excludes():
    says = {"use_stackset": True, "stackset_excluded_accounts": ["100000000002"]}
    stated = Stated(registration=says, has_file=True)
    assert "without a stack" not in said(stated, organization(), 1, 3, 5)


@pytest.mark.parametrize(
    "stated", [Stated(has_file=True), Stated(registration={"use_stackset": False})]
)
def test_a_stackset_that_octo_yaml_or_a_flag_does_not_want_is_not_promised(stated):
    proposal = propose(found(*BOTH, stack_set=stack_set()), stated)
    assert "StackSet octo" not in proposal.adopted
    assert [w for w in proposal.warnings if "use_stackset is not true" in w]


def test_only_the_targets_of_octo_yaml_are_reached():
    says = {"use_stackset": True, "stackset_targets": ["ou-abcd-11111111"]}
    stated = Stated(registration=says, has_file=True)
    text = said(stated, organization(), 1)
    assert "100000000002" in text
    assert "100000000003" not in text


def test_an_organization_that_cannot_be_read_excludes_nobody_and_that_is_said():
    text = said(Stated(), None, 1)
    assert "so no account is excluded: adoption deploys to the accounts in" in text


def test_a_stackset_without_stacks_deploys_and_that_is_said():
    assert "No account has a stack of the StackSet octo" in said(Stated(), organization())


def test_an_account_whose_deployment_failed_is_deployed_to_again_and_that_is_said():
    tried = ("100000000001", "100000000004")  # the latter is suspended
    failed = {a: replace(i, has_stack=False) for a, i in current(*tried).items()}
    inventory = found(*BOTH, stack_set=stack_set(instances=failed))
    warnings = propose(replace(inventory, organization=organization()), Stated()).warnings
    assert [w for w in warnings if "without success to 100000000001: adoption" in w]


def test_a_stackset_that_the_module_asks_for_and_is_not_there_is_announced():
    proposal = propose(found(*BOTH), theirs(use_stackset=True))
    assert proposal.settings["use_stackset"] is True
    assert [w for w in proposal.warnings if "one is created, and deploys" in w]


def test_what_a_stack_owns_is_named_with_the_stack():
    proposal = propose(
        found(*BOTH, owners={f"role {API_ROLE}": "octo", "role Other": "x"}), Stated()
    )
    assert proposal.owners == {f"role {API_ROLE}": "octo"}


def test_an_account_without_anything_has_nothing_to_adopt():
    with pytest.raises(Refused, match="nothing to adopt"):
        propose(found(report=None), Stated())


def test_tags_that_everything_has_stay_and_others_are_named():
    tags = {"team": "finops", "one": "1"}
    own = Bucket(
        "alphaus-cur-export", "eu-west-1", False, tags={"team": "finops"}, encryption=SSE_S3
    )
    proposal = propose(found(role(API_ROLE, tags=tags), bucket=own), Stated())
    assert proposal.settings["tags"] == {"team": "finops"}
    assert "are removed: one." in " ".join(proposal.warnings)


def test_features_of_a_registration_whose_state_was_lost_stay():
    api = role(API_ROLE, inline={"octo-cost": {}, "octo-recommendations": {}})
    proposal = propose(found(api), Stated())
    assert proposal.settings["features"] == ["cost", "recommendations"]
    assert proposal.removals == ()

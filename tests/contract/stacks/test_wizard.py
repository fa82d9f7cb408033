"""The walk with a person who does what it says, goes back, leaves, and comes again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from orchestrator.app.console.launch_link import LaunchLink, launch_link
from orchestrator.app.console.wizard import Wizard
from orchestrator.errors import WrongAccount
from orchestrator.model.module_contract.documents import delivery_statements
from orchestrator.model.outside_action import CONFIGURE, OutsideAction
from orchestrator.octo.ledger import Ledger
from orchestrator.sandbox import control
from orchestrator.stacks import links
from orchestrator.verify.model import Area, Report, Status
from tests.contract.stacks.conftest import EXTERNAL_ID, Account, without_stackset

Deed = Callable[[], None]


@dataclass
class Scripted:
    """A person who answers from a list; a deed in it is done before the next answer is given."""

    script: list[str | Deed]
    reactions: dict[str, Deed] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    pages: list[LaunchLink] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    offered: list[dict[str, str]] = field(default_factory=list)

    def tell(self, text: str) -> None:
        self.shown.append(text)
        for words, react in self.reactions.items():
            if words in text:
                react()

    def show(self, link: LaunchLink) -> None:
        self.pages.append(link)

    def show_secret(self, secret: str) -> None:
        self.secrets.append(secret)

    def open(self, url: str) -> None:
        self.opened.append(url)

    def choose(self, question: str, choices: Mapping[str, str]) -> str:
        self.offered.append(dict(choices))
        answer = self._next()
        assert answer in choices, (answer, choices, self.shown[-5:])
        return answer

    def answer(self, question: str, default: str) -> str:
        return self._next()

    def _next(self) -> str:
        while True:
            following = self.script.pop(0)
            if isinstance(following, str):
                return following
            following()

    @property
    def text(self) -> str:
        return "\n".join(self.shown)


class Walker:
    """One account's walks; ``deploy`` in a script creates the stack of the page shown last."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.person = Scripted([])
        self.saved: dict[str, str] = {}
        self.reactions: dict[str, Deed] = {}  # by the words that are shown

    def deploy(self, **edited: Any) -> Deed:
        return lambda: self.statuses.append(
            self.account.create(self.person.pages[-1].url, **edited)
        )

    def __call__(self, *script: str | Deed, **settings: str) -> Report | None:
        self.statuses: list[str] = []
        self.person = Scripted([*script], self.reactions)
        flow = self.account.flow(**{**self.saved, **settings})
        walk = Wizard(flow, self.person, bucket=self.account.bucket, save=self.saved.update)
        report = walk.run()
        assert self.person.script == []
        return report


@pytest.fixture
def walker(account) -> Callable[..., Walker]:
    def make(profile: str, **settings: str) -> Walker:
        return Walker(account(profile, **settings))

    return make


def test_features_are_chosen_with_what_each_costs_and_the_template_follows(walker):
    walk = walker("linked-1")
    hub = walk.account.client("cost-optimization-hub")
    report = walk("y", "f", "execution", "recommendations", walk.deploy(), "c", "y", "n")
    text = walk.person.text
    assert "> Enrol account" in text
    assert "Nothing was enrolled" in text
    assert hub.list_enrollment_statuses()["items"][0]["status"] == "Inactive"
    assert "It grants what these features need: cost." in text
    assert "It grants what these features need: cost, recommendations." in text
    assert "OctoRecommendationSearcherRole: " in text
    assert "There is no execution here" in text
    assert walk.saved == {"features": ["cost", "recommendations"]}
    assert report.areas[Area.API_ACCESS] is Status.PASS
    found = {result.id: result.finding.status for result in report.results}
    assert found["recommendations.roles"] is Status.PASS
    report = walk("y", "y", "y")
    assert hub.list_enrollment_statuses()["items"][0]["status"] == "Active"
    found = {result.id: result.finding.status for result in report.results}
    assert found["recommendations.enrolment"] is not Status.FAIL
    walk("y", "y")  # enrolled by now: nobody is asked
    for service in ("cost-optimization-hub", "compute-optimizer"):
        walk.account.client(service).update_enrollment_status(status="Inactive")


def test_a_linked_account_ends_after_api_access(walker):
    walk = walker("linked-1")
    report = walk("y", walk.deploy(), "c", "y")
    assert report.areas[Area.API_ACCESS] is Status.PASS
    assert walk.statuses == ["CREATE_COMPLETE"]
    text = walk.person.text
    assert "is a linked account." in text
    assert "In Octo, choose *Register Account* for it first." in text
    assert "a linked account that comes before its payer shows no data" in text
    assert "Step 3: confirm and finish" in text
    assert "Tick: I acknowledge that AWS CloudFormation might create IAM resources" in text
    assert "s" not in walk.person.offered[1]  # API access is not to be skipped
    assert EXTERNAL_ID not in text
    found = links.parse(walk.person.pages[0].url)
    assert found.parameters["ExternalId"] == EXTERNAL_ID
    assert (found.region, found.stack_name) == ("us-east-1", "AlphausAccountAccess")


def test_an_account_is_registered_with_octo_only_after_yes(octo, account, sandbox):
    walk = Walker(octo(account("standalone")))
    assert walk("q") is None  # to the question whether to register
    assert sandbox.octo.accounts == {}
    report = walk("y", walk.deploy(), "c", "s", "y")
    assert report.octo[Area.API_ACCESS].state == "confirmed"
    assert walk.account.account_id in sandbox.octo.accounts
    walk("s", "y")  # registered by now: nobody is asked
    assert "It is registered with Octo." in walk.person.text


def test_who_has_not_registered_the_payer_can_leave(walker):
    walk = walker("linked-1")
    assert walk("q") is None
    assert walk.person.pages == []


def test_a_payer_goes_all_the_way(walker):
    walk = walker("payer")
    client = walk.account.client("cloudformation")
    client.activate_organizations_access()
    try:
        report = walk(
            *(walk.deploy(), "c"),
            *("d", walk.deploy(), walk.account.deliver, "c"),
            *("y", walk.deploy(), "c"),
            "y",
        )
        assert set(report.areas.values()) == {Status.PASS}
        assert walk.statuses == ["CREATE_COMPLETE"] * 3
        assert walk.saved == {"cur_s3_bucket_option": "CREATE_NEW"}
        ledger = Ledger(walk.account.folder / walk.account.account_id / "ledger.json")
        record = ledger.account(walk.account.account_id)
        assert set(record.passing_since) == {"api_access", "cur_s3", "stackset"}
        assert record.finished_at is None  # without credentials a person finishes in Octo
    finally:
        without_stackset(client, "AlphausLinkedAccountAccess")


def test_trusted_access_is_asked_for_before_it_is_missed(walker):
    walk = walker("payer")
    assert walk(walk.deploy(), "c", "s", "y", "q") is None
    assert "Enable trusted access" in walk.person.text


def test_the_stack_set_is_optional(walker):
    walk = walker("payer")
    report = walk(walk.deploy(), "c", "d", walk.deploy(), "c", "s", "y")
    assert report.areas[Area.STACKSET] is Status.SKIPPED
    assert report.areas[Area.CUR_S3] is Status.PENDING  # nothing delivered yet
    assert report.can_finish


def test_linked_accounts_may_come_before_the_report(walker):
    walk = walker("payer")
    client = walk.account.client("cloudformation")
    client.activate_organizations_access()
    try:
        first = walk(walk.deploy(), "c", "s", "y", walk.deploy(), "c", "y")
        assert first.areas[Area.STACKSET] is Status.PASS
        assert first.areas[Area.CUR_S3] is not Status.PASS
        later = walk("d", walk.deploy(), walk.account.deliver, "c", "y")
        assert set(later.areas.values()) == {Status.PASS}
    finally:
        without_stackset(client, "AlphausLinkedAccountAccess")


def test_checking_before_anything_is_there_says_what_it_sees(walker):
    walk = walker("linked-1")
    assert walk("y", "c", "q") is None
    assert "There is no stack AlphausAccountAccess in account" in walk.person.text
    assert "signed in to account" in walk.person.text


def test_a_stack_at_work_is_waited_for_and_a_delivery_is_not(walker):
    walk = walker("standalone")
    endpoint = walk.account.sandbox.endpoint_url
    walk(walk.deploy(), "c", "q")
    control.pace(endpoint, 600)
    try:
        walk.reactions["CloudFormation is at work"] = lambda: control.pace(endpoint, 0)
        report = walk("d", walk.deploy(waits=False), "c", "y")
        assert walk.statuses == ["CREATE_IN_PROGRESS"]
        assert "CloudFormation is at work; waiting for it" in walk.person.text
        assert report.areas[Area.CUR_S3] is Status.PENDING
    finally:
        control.pace(endpoint, 0)


def test_a_stack_set_that_is_skipped_after_all_is_not_missed(walker):
    walk = walker("payer")
    report = walk(walk.deploy(), "c", "s", "y", "s", "y")
    assert report.areas[Area.STACKSET] is Status.SKIPPED


def test_an_edited_external_id_is_reported_and_can_be_fixed(walker):
    walk = walker("linked-1")

    def delete() -> None:
        walk.account.client("cloudformation").delete_stack(StackName="AlphausAccountAccess")

    edited = walk.deploy(ExternalId="edited")
    report = walk("y", edited, "c", delete, walk.deploy(), "c", "y")
    assert "was deployed with another ExternalId" in walk.person.text
    assert report.areas[Area.API_ACCESS] is Status.PASS


def test_leaving_and_coming_again_goes_on_where_it_was(walker):
    walk = walker("standalone")
    assert walk(walk.deploy(), "c", "d", "q") is None
    assert walk.saved == {"cur_s3_bucket_option": "CREATE_NEW"}
    report = walk(walk.deploy(), walk.account.deliver, "c", "y")
    assert "Done already." in walk.person.text
    assert links.parse(walk.person.pages[0].url).stack_name == "AlphausCurExport"
    assert report.areas[Area.CUR_S3] is Status.PASS
    again = walk("y")
    assert walk.person.text.count("Done already.") == 2
    assert set(again.areas.values()) == {Status.PASS, Status.SKIPPED}


def test_there_is_a_way_back(walker):
    walk = walker("standalone")
    report = walk(
        walk.deploy(),
        "c",
        "b",  # from the choice of a bucket to API access, which is done
        "s",
        "s",  # past the report
        "b",  # from confirm and finish to the report
        "d",
        walk.deploy(),
        walk.account.deliver,
        "c",
        "y",
    )
    assert set(report.areas.values()) == {Status.PASS, Status.SKIPPED}


def test_a_new_bucket_in_another_region_is_two_stacks_one_after_the_other(walker):
    walk = walker("standalone")
    report = walk(
        *(walk.deploy(), "c"),
        *("n", "eu-central-1", walk.deploy(), "c", walk.deploy(), walk.account.deliver, "c"),
        "y",
    )
    names = [links.parse(page.url).stack_name for page in walk.person.pages]
    assert names == ["AlphausAccountAccess", "AlphausCurBucket", "AlphausCurExport"]
    assert walk.saved["cur_s3_bucket_region"] == "eu-central-1"
    assert set(report.areas.values()) == {Status.PASS, Status.SKIPPED}


def test_an_impossible_region_is_asked_for_again(walker):
    walk = walker("standalone")
    assert walk(walk.deploy(), "c", "n", "Frankfurt", "eu-central-1", "q") is None
    assert "must be an AWS region" in walk.person.text
    assert walk.saved["cur_s3_bucket_region"] == "eu-central-1"


def test_the_statements_that_an_existing_bucket_needs_are_shown(walker):
    walk = walker("standalone")
    bucket = walk.account.bucket
    assert walk(walk.deploy(), "c", "e", bucket, "q") is None
    assert f"The policy of {bucket} must have these statements" in walk.person.text
    assert "OctoTfCurDeliveryWrites" in walk.person.text


def test_the_page_can_be_opened_and_shown_again(walker):
    walk = walker("linked-1")
    assert walk("y", "o", "l", "q") is None
    assert walk.person.opened == [walk.person.pages[0].url]
    assert len(walk.person.pages) == 2


def test_the_wrong_account_ends_it_before_anything_is_asked(walker):
    walk = walker("linked-1")
    with pytest.raises(WrongAccount):
        walk(account_id=walk.account.sandbox.accounts["linked-2"])
    assert walk.person.shown == []


def test_the_choice_of_the_bucket_can_be_made_again(walker):
    walk = walker("standalone")
    bucket = walk.account.bucket
    report = walk(
        *(walk.deploy(), "c"),
        *("e", bucket, "r", "d", walk.deploy(), walk.account.deliver, "c"),
        "y",
    )
    assert walk.saved == {
        "cur_s3_bucket_option": "CREATE_NEW",
        "cur_s3_bucket_name": None,  # removed: the module's default applies
    }
    assert report.areas[Area.CUR_S3] is Status.PASS
    made = links.parse(walk.person.pages[-1].url).parameters
    assert made["CurS3BucketOption"] == "CREATE_NEW"
    assert made["CurS3BucketName"] != bucket


def test_a_report_that_exists_can_be_used_and_its_stack_makes_the_role_alone(walker):
    walk = walker("standalone")
    account = walk.account
    allowed = delivery_statements("aws", account.account_id, account.bucket, "us-east-1")
    policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    account.client("s3").put_bucket_policy(Bucket=account.bucket, Policy=policy)
    account.client("s3").put_public_access_block(
        Bucket=account.bucket,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"),
            True,
        ),
    )
    existing = {
        "ReportName": "acme-hourly",
        "TimeUnit": "HOURLY",
        "Format": "textORcsv",
        "Compression": "ZIP",
        "AdditionalSchemaElements": ["RESOURCES"],
        "S3Bucket": account.bucket,
        "S3Prefix": "finance",
        "S3Region": "us-east-1",
        "RefreshClosedReports": True,
        "ReportVersioning": "OVERWRITE_REPORT",
    }
    account.client("cur").put_report_definition(ReportDefinition=existing)
    report = walk(walk.deploy(), "c", "x", walk.deploy(), account.deliver, "c", "y")
    assert walk.saved == {"cur_report_option": "USE_EXISTING", "cur_report_name": "acme-hourly"}
    assert "use a report that exists: acme-hourly" in {
        text for offer in walk.person.offered for text in offer.values()
    }
    assert report.areas[Area.CUR_S3] is Status.PASS
    stack = account.client("cloudformation").list_stack_resources(StackName="AlphausCurExport")
    assert {r["ResourceType"] for r in stack["StackResourceSummaries"]} == {"AWS::IAM::Role"}


def test_going_back_from_the_choice_of_the_bucket_changes_nothing(walker):
    walk = walker("standalone", cur_s3_bucket_option="CREATE_NEW")
    assert walk(walk.deploy(), "c", "r", "b", "r", "q") is None
    assert walk.saved == {}


def test_the_region_of_an_existing_bucket_is_read(walker):
    walk = walker("standalone")
    name = "reports-in-frankfurt"
    walk.account.client("s3", "eu-central-1").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    assert walk(walk.deploy(), "c", "e", "no-such-bucket-here", "no bucket", name, "q") is None
    assert walk.saved == {
        "cur_s3_bucket_option": "USE_EXISTING",
        "cur_s3_bucket_region": "eu-central-1",
        "cur_s3_bucket_name": name,
    }
    assert "There is no bucket no-such-bucket-here in this account" in walk.person.text


def test_the_external_id_is_shown_on_request_only(walker):
    walk = walker("linked-1")
    assert walk("y", "e", "q") is None
    assert walk.person.secrets == [EXTERNAL_ID]
    assert EXTERNAL_ID not in walk.person.text


def test_a_template_bucket_spares_the_upload_now_and_later(walker):
    walk = walker("linked-1")
    flow, bucket = walk.account.flow(), walk.account.bucket
    walk.person = Scripted(["y", "t", "no-such-bucket-here", "t", bucket, walk.deploy(), "c", "y"])
    walk.statuses = []
    report = Wizard(flow, walk.person).run()
    assert report.areas[Area.API_ACCESS] is Status.PASS
    assert "The bucket no-such-bucket-here: does not exist" in walk.person.text
    assert [page.file is None for page in walk.person.pages] == [False, True]
    later = walk.account.flow()
    (stack,) = later.stacks("api-access")
    assert links.parse(launch_link(later, stack).url).template_url.startswith(f"https://{bucket}.")


def test_a_template_bucket_that_is_gone_is_not_used_any_more(walker):
    walk = walker("linked-1")
    flow = walk.account.flow()
    (stack,) = flow.stacks("api-access")
    remembered = flow.context.folder / "console" / "template-bucket"
    remembered.parent.mkdir(parents=True)
    remembered.write_text("no-such-bucket-here")
    assert launch_link(flow, stack).file is not None
    assert not remembered.exists()


LINE = OutsideAction(CONFIGURE, "octo.yaml", "Set account_name in octo.yaml.")


@pytest.mark.parametrize(("answer", "written"), [("y", 1), ("q", 0)])
def test_flags_are_written_to_octo_yaml_once_the_user_agrees(walker, answer, written):
    walk = walker("standalone")
    writes: list[str] = []
    walk.person = Scripted([answer, "q"] if answer == "y" else [answer])
    wizard = Wizard(
        walk.account.flow(),
        walk.person,
        announced=(LINE,),
        configure=lambda: writes.append("octo.yaml"),
    )
    assert wizard.run() is None
    assert "> Set account_name in octo.yaml." in walk.person.text
    assert len(writes) == written

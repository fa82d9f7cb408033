"""What can go wrong, where, and what the user sees: each case is a test (test_faults.py).

``docs/reference/reliability.md`` is generated from this table.
"""

from __future__ import annotations

import fcntl
import json
import resource
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

Arrange = Callable[[Any], AbstractContextManager[Mapping[str, Any]]]


@dataclass(frozen=True)
class Case:
    """One kind of fault.

    Attributes:
        id: its name.
        step: where on the route it strikes.
        what: what happens.
        sees: words that the user sees.
        code: the exit code of the run that meets it.
        faults: planted in the sandbox (see ``orchestrator/sandbox/faults.py``).
        arrange: sets it up around the run; may give ``environ`` and ``arguments``.
        account: whose run it is.
        command: what is run.
        registered: whether the account is registered before.
        damages_state: whether the state is left unreadable; the next plain run recovers it.
    """

    id: str
    step: str
    what: str
    sees: str
    code: int
    faults: tuple[dict[str, Any], ...] = ()
    arrange: Arrange | None = None
    account: str = "linked"
    command: tuple[str, ...] = ("apply", "--yes")
    registered: bool = False
    damages_state: bool = False


def planted(service: str, action: str, **what: Any) -> tuple[dict[str, Any], ...]:
    return ({"service": service, "action": action, **what},)


def environment(**environ: str) -> Arrange:
    @contextmanager
    def arrange(_project: Any) -> Iterator[Mapping[str, Any]]:
        yield {"environ": environ}

    return arrange


def program(text: str) -> Arrange:
    """A program in Terraform's place; ``{terraform}`` in its text is the real one."""

    @contextmanager
    def arrange(project: Any) -> Iterator[Mapping[str, Any]]:
        path = project.folder / "terraform"
        real = shutil.which("terraform", path=project.environ["PATH"])
        path.write_text("#!/bin/sh\n" + text.replace("{terraform}", str(real)))
        path.chmod(0o755)
        yield {"arguments": ("--tf-path", str(path))}

    return arrange


@contextmanager
def without_terraform(project: Any) -> Iterator[Mapping[str, Any]]:
    empty = project.folder / "empty"
    empty.mkdir()
    yield {"environ": {"PATH": str(empty)}}


@contextmanager
def without_any_engine(project: Any) -> Iterator[Mapping[str, Any]]:
    with without_terraform(project) as settings:  # named, the program is not replaced
        yield {"environ": {**settings["environ"], "OCTO_TF_TF_PATH": "terraform"}}


@contextmanager
def without_provider(project: Any) -> Iterator[Mapping[str, Any]]:
    empty = project.folder / "empty"
    empty.mkdir()
    yield {"environ": {"OCTO_TF_PROVIDER_MIRROR": str(empty)}}


@contextmanager
def provider_of_another_hash(project: Any) -> Iterator[Mapping[str, Any]]:
    lock = project.root / ".terraform.lock.hcl"
    right = lock.read_text()
    head, _, _ = right.partition("hashes")
    lock.write_text(head + 'hashes = [\n    "h1:' + "A" * 43 + '=",\n  ]\n}\n')
    yield {}
    lock.write_text(right)


@contextmanager
def provider_of_another_version(project: Any) -> Iterator[Mapping[str, Any]]:
    lock = project.root / ".terraform.lock.hcl"
    right = lock.read_text()
    lock.write_text(right.replace('"5.100.0"', '"6.3.0"'))
    yield {}
    lock.write_text(right)


@contextmanager
def another_run(project: Any) -> Iterator[Mapping[str, Any]]:
    with FileLock(project.root / "run.lock"):
        yield {}


@contextmanager
def state_locked_for_a_while(project: Any) -> Iterator[Mapping[str, Any]]:
    """Another Terraform holds the state's lock (a POSIX lock on the file) and releases it later."""
    state = (project.root / "terraform.tfstate").open("r+")
    fcntl.lockf(state, fcntl.LOCK_EX)
    info = project.root / ".terraform.tfstate.lock.info"
    who = {"ID": "1", "Operation": "OperationTypeApply", "Who": "someone@else", "Version": "1.11.4"}
    info.write_text(
        json.dumps({**who, "Created": "2026-01-01T00:00:00Z", "Path": "terraform.tfstate"})
    )

    def release() -> None:
        info.unlink()
        state.close()

    timer = threading.Timer(6.0, release)
    timer.start()
    yield {}
    timer.join()


@contextmanager
def ledger_damaged(project: Any) -> Iterator[Mapping[str, Any]]:
    ledger = project.root / "ledger.json"
    right = ledger.read_text()
    ledger.write_text(right[: len(right) // 2])
    yield {}
    ledger.write_text(right)


@contextmanager
def ledger_locked(project: Any) -> Iterator[Mapping[str, Any]]:
    with FileLock(project.root / "ledger.json.lock"):
        yield {}


@contextmanager
def folder_is_a_file(project: Any) -> Iterator[Mapping[str, Any]]:
    aside = project.folder / "aside"
    (project.folder / ".octo-tf").rename(aside)
    (project.folder / ".octo-tf").write_text("not a folder")
    yield {}
    (project.folder / ".octo-tf").unlink()
    aside.rename(project.folder / ".octo-tf")


@contextmanager
def disk_full(project: Any) -> Iterator[Mapping[str, Any]]:
    """No file may grow over 300 bytes: writing ends with an error, as on a full disk."""
    (project.root / "main.tf").unlink()
    yield {"limits": ((resource.RLIMIT_FSIZE, (300, 300)),)}


@contextmanager
def state_moved_on(project: Any) -> Iterator[Mapping[str, Any]]:
    made = project("plan", "--out", "stale.tfplan", "--tag", "a=1")
    assert made.returncode == 0, made.stderr
    moved = project("apply", "--yes", "--tag", "b=2")
    assert moved.returncode == 0, moved.stderr
    yield {"arguments": ("--plan", "stale.tfplan", "--tag", "a=1")}


@contextmanager
def plan_cut_short(project: Any) -> Iterator[Mapping[str, Any]]:
    made = project("plan", "--out", "cut.tfplan")
    assert made.returncode == 0, made.stderr
    plan = project.folder / "cut.tfplan"
    plan.write_bytes(plan.read_bytes()[:200])
    yield {"arguments": ("--plan", "cut.tfplan")}


@contextmanager
def state_damaged(project: Any) -> Iterator[Mapping[str, Any]]:
    """What a full disk or a crash leaves behind."""
    state = project.root / "terraform.tfstate"
    state.write_text(state.read_text()[: state.stat().st_size // 2])
    yield {}


@contextmanager
def state_emptied(project: Any) -> Iterator[Mapping[str, Any]]:
    """What a full disk leaves behind, with the state that Terraform could not save either."""
    (project.root / "terraform.tfstate").write_text("")
    (project.root / "errored.tfstate").write_text("")
    yield {}


@contextmanager
def state_damaged_for_a_saved_plan(project: Any) -> Iterator[Mapping[str, Any]]:
    with state_damaged(project):
        made = project("plan", "--out", "damaged.tfplan")
        assert made.returncode == 0, made.stderr
        assert "terraform.tfstate: it is unreadable" in made.stderr + made.stdout
        yield {"arguments": ("--plan", "damaged.tfplan")}


def installed(damage: Callable[[Path, Path], Any]) -> Arrange:
    """Damages what init installed; its arguments are ``.terraform`` and the provider's folder."""

    @contextmanager
    def arrange(project: Any) -> Iterator[Mapping[str, Any]]:
        folder = project.root / ".terraform"
        (provider,) = (folder / "providers").glob("*/hashicorp/aws/*/*")
        damage(folder, provider)
        yield {}

    return arrange


def cut_provider_short(_folder: Path, provider: Path) -> None:
    (program,) = provider.glob("terraform-provider-aws*")
    head = program.open("rb").read(1000)
    if provider.is_symlink():  # to a mirror, which stays as it is
        provider.unlink()
        provider.mkdir()
    (provider / program.name).write_bytes(head)


@contextmanager
def half_rendered(project: Any) -> Iterator[Mapping[str, Any]]:
    """What a run that was killed while it rendered leaves behind."""
    (project.root / "main.tf").write_text("terraform {")
    (project.root / ".variables.tf.x.octo-tf.tmp").write_text("half")
    shutil.rmtree(project.root / "modules/octo/policies")
    yield {}


@contextmanager
def init_cut_short(project: Any) -> Iterator[Mapping[str, Any]]:
    """What a run that was killed during init leaves behind."""
    (project.root / ".terraform/octo-tf-init.json").unlink()
    shutil.rmtree(project.root / ".terraform/modules", ignore_errors=True)
    yield {}


@contextmanager
def with_octo(project: Any) -> Iterator[Mapping[str, Any]]:
    """This run and those that follow have Octo's credentials; the external id is Octo's then."""
    cache = str(project.folder / "cache")  # tokens
    project.environ = {**project.environ, "OCTO_TF_OCTO": "true", "XDG_CACHE_HOME": cache}
    octo_yaml = project.folder / "octo.yaml"
    kept = [
        line for line in octo_yaml.read_text().splitlines() if not line.startswith("external_id")
    ]
    octo_yaml.write_text("\n".join(kept) + "\n")
    yield {}


def octo(action: str, **what: Any) -> dict[str, Any]:
    """What a case about Octo's API has in common with the others of its kind."""
    return {"faults": planted("octo", action, **what), "arrange": with_octo, "account": "payer"}


IDENTITY = ("sts", "GetCallerIdentity")
ORGANIZATION = ("organizations", "DescribeOrganization")
VERIFY = ("verify",)

CASES = (
    # identify
    Case(
        "identity-throttled",
        "identify",
        "STS throttles twice",
        "passes",
        0,
        planted(*IDENTITY, error="Throttling", times=2),
    ),
    Case(
        "identity-unavailable",
        "identify",
        "STS answers 503 twice",
        "passes",
        0,
        planted(*IDENTITY, error="ServiceUnavailable", times=2),
    ),
    Case(
        "identity-dropped",
        "identify",
        "STS drops the connection once",
        "passes",
        0,
        planted(*IDENTITY, drop=True, times=1),
    ),
    Case(
        "identity-slow",
        "identify",
        "STS takes 2 s",
        "passes",
        0,
        planted(*IDENTITY, latency=2, times=1),
    ),
    Case(
        "identity-denied",
        "identify",
        "STS denies the caller",
        "access denied",
        1,
        planted(*IDENTITY, error="AccessDenied", times=1),
    ),
    Case(
        "identity-expired",
        "identify",
        "the credentials have expired",
        "credentials have expired",
        1,
        planted(*IDENTITY, error="ExpiredToken", times=1),
    ),
    Case(
        "organization-denied",
        "identify",
        "the organization may not be read",
        "type is unknown",
        1,
        planted(*ORGANIZATION, error="AccessDeniedException", times=1),
    ),
    Case(
        "organization-unavailable",
        "identify",
        "Organizations answers 500 twice",
        "passes",
        0,
        planted(*ORGANIZATION, error="InternalFailure", times=2),
    ),
    Case(
        "endpoint-unreachable",
        "identify",
        "nobody listens at the endpoint",
        "AWS_ENDPOINT_URL",
        1,
        arrange=environment(AWS_ENDPOINT_URL="http://127.0.0.1:9"),
    ),
    Case(
        "profile-missing",
        "identify",
        "the profile does not exist",
        "could not be found",
        1,
        arrange=environment(OCTO_TF_AWS_PROFILE="nobody"),
    ),
    # render
    Case("disk-full", "render", "the disk is full", "cannot be written", 1, arrange=disk_full),
    Case(
        "folder-in-the-way",
        "render",
        "the folder cannot be made",
        "cannot be",
        1,
        arrange=folder_is_a_file,
    ),
    Case(
        "killed-while-rendering",
        "render",
        "an earlier run was killed in the middle",
        "passes",
        0,
        arrange=half_rendered,
    ),
    Case(
        "another-run",
        "render",
        "another octo-tf is at work on the account",
        "another octo-tf is at work",
        1,
        arrange=another_run,
    ),
    # init
    Case(
        "terraform-missing",
        "init",
        "Terraform is not installed, nor is the embedded engine",
        "no terraform found",
        1,
        arrange=without_any_engine,
    ),
    Case(
        "embedded-instead",
        "init",
        "Terraform is not installed, but the embedded engine is",
        "passes",
        0,
        arrange=without_terraform,
    ),
    Case(
        "terraform-too-old",
        "init",
        "Terraform is 1.5.7",
        "1.5.7 is too old",
        1,
        arrange=program("""echo '{"terraform_version": "1.5.7"}'"""),
    ),
    Case(
        "terraform-no-terraform",
        "init",
        "the program is not Terraform",
        "does not answer",
        1,
        arrange=program("echo hello"),
    ),
    Case(
        "provider-missing",
        "init",
        "the named mirror has no provider",
        "holds no hashicorp/aws",
        1,
        arrange=without_provider,
    ),
    Case(
        "provider-of-another-hash",
        "init",
        "the provider is not the locked one",
        "init failed",
        1,
        arrange=provider_of_another_hash,
    ),
    Case(
        "provider-of-another-version",
        "init",
        "the folder is locked to another version of the provider",
        "is locked to hashicorp/aws 6.3.0",
        1,
        arrange=provider_of_another_version,
    ),
    Case(
        "killed-while-initializing",
        "init",
        "an earlier run was killed during init",
        "passes",
        0,
        arrange=init_cut_short,
    ),
    Case(
        "provider-cut-short",
        "init",
        "the installed provider is damaged",
        "passes",
        0,
        arrange=installed(cut_provider_short),
    ),
    Case(
        "modules-damaged",
        "init",
        "the list of installed modules is damaged",
        "passes",
        0,
        arrange=installed(
            lambda folder, _provider: (folder / "modules/modules.json").write_text("{")
        ),
    ),
    Case(
        "tmpdir-missing",
        "init",
        "TMPDIR names a folder that does not exist",
        "TMPDIR=/dev/null/tmp is not a folder",
        0,
        arrange=environment(TMPDIR="/dev/null/tmp"),
    ),
    # plan
    Case(
        "plan-crashes",
        "plan",
        "Terraform crashes",
        "terraform plan failed",
        1,
        arrange=program(
            'case "$1" in plan) echo "panic: runtime error" >&2; exit 11;; esac\n'
            'exec "{terraform}" "$@"'
        ),
    ),
    Case(
        "plan-noisy",
        "plan",
        "Terraform prints noise between its events",
        "passes",
        0,
        arrange=program(
            'case "$1" in plan|apply) echo "a plugin says hello";; esac\nexec "{terraform}" "$@"'
        ),
    ),
    Case(
        "plan-identity-expired",
        "plan",
        "the credentials expire after identify",
        "terraform plan failed",
        1,
        planted(*IDENTITY, error="ExpiredToken", after=1, times=1),
    ),
    Case(
        "plan-refresh-unavailable",
        "plan",
        "IAM answers 500 twice while Terraform refreshes",
        "passes",
        0,
        planted("iam", "GetRole", error="InternalFailure", times=2),
        registered=True,
    ),
    Case(
        "plan-refresh-denied",
        "plan",
        "IAM denies the refresh",
        "terraform plan failed",
        1,
        planted("iam", "GetRole", error="AccessDenied", times=20),
        registered=True,
    ),
    Case(
        "state-locked",
        "plan",
        "another Terraform holds the state for 6 s",
        "passes",
        0,
        arrange=state_locked_for_a_while,
        registered=True,
    ),
    Case(
        "state-damaged",
        "plan",
        "the state file is cut short",
        "it is unreadable: move it aside, and import what exists",
        0,
        arrange=state_damaged,
        registered=True,
    ),
    Case(
        "state-damaged-for-a-saved-plan",
        "plan",
        "the state file is cut short, and a saved plan is applied",
        "it is unreadable: move it aside, and import what exists",
        0,
        arrange=state_damaged_for_a_saved_plan,
        command=("apply", "--yes"),
        registered=True,
    ),
    Case(
        "state-emptied",
        "plan",
        "the state file and the one that Terraform falls back to are empty",
        "errored.tfstate: it is unreadable: move it aside",
        0,
        arrange=state_emptied,
        registered=True,
    ),
    Case(
        "state-damaged-for-verify",
        "verify",
        "the state file is cut short",
        "the state cannot be read",
        1,
        arrange=state_damaged,
        command=("verify",),
        registered=True,
        damages_state=True,
    ),
    # apply
    Case(
        "state-moved-on",
        "apply",
        "the saved plan is older than the state",
        "the plan was made from something else",
        5,
        arrange=state_moved_on,
        command=("apply",),
        registered=True,
    ),
    Case(
        "plan-cut-short",
        "apply",
        "the saved plan is damaged",
        "is not a plan that can be applied here",
        1,
        arrange=plan_cut_short,
        command=("apply",),
    ),
    Case(
        "disk-full-while-applying",
        "apply",
        "the disk is full before the state is written",
        "the state cannot be read",
        1,
        arrange=program(
            # SIGXFSZ is ignored: writing past 8 KiB is then an error, as on a full disk.
            'case "$1" in apply) trap \'\' XFSZ; ulimit -f 16;; esac\nexec "{terraform}" "$@"'
        ),
        damages_state=True,
    ),
    Case(
        "role-throttled",
        "apply",
        "IAM throttles CreateRole three times",
        "passes",
        0,
        planted("iam", "CreateRole", error="Throttling", times=3),
    ),
    Case(
        "role-denied",
        "apply",
        "IAM denies CreateRole",
        "CreateRole",
        1,
        planted("iam", "CreateRole", error="AccessDenied", times=1),
    ),
    Case(
        "role-dropped",
        "apply",
        "the connection drops at CreateRole",
        "passes",
        0,
        planted("iam", "CreateRole", drop=True, times=1),
    ),
    Case(
        "role-answer-lost",
        "apply",
        "CreateRole is done, and its answer lost",
        "CreateRole",
        1,
        planted("iam", "CreateRole", lose_answer=True, times=1),
    ),
    Case(
        "role-slow",
        "apply",
        "CreateRole takes 3 s",
        "passes",
        0,
        planted("iam", "CreateRole", latency=3, times=1),
    ),
    Case(
        "role-unknown-at-first",
        "apply",
        "the new role is unknown for 4 s",
        "passes",
        0,
        planted("iam", "CreateRole", unknown_for=4),
    ),
    Case(
        "policy-unavailable",
        "apply",
        "IAM answers 500 to PutRolePolicy twice",
        "passes",
        0,
        planted("iam", "PutRolePolicy", error="InternalFailure", times=2),
    ),
    Case(
        "policy-denied",
        "apply",
        "IAM denies PutRolePolicy after the role was made",
        "PutRolePolicy",
        1,
        planted("iam", "PutRolePolicy", error="AccessDenied", times=1),
    ),
    Case(
        "apply-expired",
        "apply",
        "the credentials expire in the middle",
        "ExpiredToken",
        1,
        planted("iam", "PutRolePolicy", error="ExpiredToken", times=1),
    ),
    Case(
        "pages-of-one",
        "apply",
        "every list comes in pages of one",
        "passes",
        0,
        planted("*", "*", partial_pages=True),
    ),
    Case(
        "report-unavailable",
        "apply",
        "CUR answers 500 twice",
        "passes",
        0,
        planted("cur", "PutReportDefinition", error="InternalFailure", times=2),
        account="payer",
    ),
    Case(
        "report-denied",
        "apply",
        "CUR denies PutReportDefinition",
        "aws_cur_report_definition",
        1,
        planted("cur", "PutReportDefinition", error="AccessDeniedException", times=1),
        account="payer",
    ),
    Case(
        "report-invalid",
        "apply",
        "CUR finds the bucket not ready yet",
        "aws_cur_report_definition",
        1,
        planted("cur", "PutReportDefinition", error="ValidationException", times=1),
        account="payer",
    ),
    Case(
        "bucket-policy-slow-down",
        "apply",
        "S3 asks to slow down twice",
        "passes",
        0,
        planted("s3", "PutBucketPolicy", error="SlowDown", times=2),
        account="payer",
    ),
    Case(
        "bucket-policy-denied",
        "apply",
        "S3 denies PutBucketPolicy",
        "aws_s3_bucket_policy",
        1,
        planted("s3", "PutBucketPolicy", error="AccessDenied", times=1),
        account="payer",
    ),
    Case(
        "bucket-unreadable",
        "render",
        "the existing bucket's policy may not be read",
        "access denied",
        1,
        planted("s3", "GetBucketPolicy", error="AccessDenied", times=1),
        account="payer",
    ),
    # verify
    Case(
        "verify-denied",
        "verify",
        "IAM denies GetRole",
        "iam:GetRole is denied",
        3,
        planted("iam", "GetRole", error="AccessDenied"),
        command=VERIFY,
        registered=True,
    ),
    Case(
        "verify-simulation-throttled",
        "verify",
        "the simulation is throttled three times",
        "passes",
        0,
        planted("iam", "SimulatePrincipalPolicy", error="Throttling", times=3),
        command=VERIFY,
        registered=True,
    ),
    Case(
        "verify-simulation-denied",
        "verify",
        "the simulation is denied",
        "may not use iam:SimulatePrincipalPolicy",
        0,
        planted("iam", "SimulatePrincipalPolicy", error="AccessDenied"),
        command=VERIFY,
        registered=True,
    ),
    Case(
        "verify-dropped",
        "verify",
        "the connection drops once at AssumeRole",
        "passes",
        0,
        planted("sts", "AssumeRole", drop=True, times=1),
        command=VERIFY,
        registered=True,
    ),
    Case(
        "credentials-expired-while-waiting",
        "verify",
        "the credentials are taken for expired once, within the wait",
        "It is tried again until the wait ends",
        0,
        planted("iam", "SimulatePrincipalPolicy", error="ExpiredToken", times=1),
        command=VERIFY,
        registered=True,
    ),
    Case(
        "verify-report-unavailable",
        "verify",
        "CUR answers 500 throughout",
        "DescribeReportDefinitions returned InternalFailure",
        3,
        planted("cur", "DescribeReportDefinitions", error="InternalFailure"),
        command=VERIFY,
        account="payer",
        registered=True,
    ),
    # ledger
    Case(
        "ledger-damaged",
        "ledger",
        "the ledger is cut short",
        "is damaged",
        1,
        arrange=ledger_damaged,
        registered=True,
    ),
    Case(
        "ledger-locked",
        "ledger",
        "another program holds the ledger",
        "is held by another octo-tf",
        1,
        arrange=ledger_locked,
    ),
    # Octo's API
    Case(
        "octo-template-unavailable",
        "identify",
        "Octo answers 503, and has the external id alone",
        "Unavailable",
        1,
        **octo("GetAccountAccessTemplateUrl", error="Unavailable"),
    ),
    Case(
        "octo-token-slow",
        "identify",
        "Octo takes 2 s for a token",
        "passes",
        0,
        **octo("AccessToken", latency=2.0, times=1),
    ),
    Case(
        "octo-wrong-client",
        "identify",
        "Octo does not know the client",
        "does not know the client",
        1,
        **octo("AccessToken", error="Unauthenticated"),
    ),
    Case(
        "octo-refuses-account",
        "register",
        "Octo refuses the account",
        "registering the account",
        1,
        **octo("RegisterAccount", error="PermissionDenied"),
    ),
    Case(
        "octo-drops-registration",
        "register",
        "the connection to Octo drops once",
        "passes",
        0,
        **octo("RegisterAccount", drop=True, times=1),
    ),
    Case(
        "octo-throttles",
        "register",
        "Octo asks to slow down twice (429)",
        "passes",
        0,
        **octo("RegisterAccount", error="ResourceExhausted", times=2),
    ),
    Case(
        "octo-token-expires",
        "confirm",
        "the token ends in the middle",
        "passes",
        0,
        **octo("CreateAccountAccess", error="ExpiredToken", times=1),
    ),
    Case(
        "octo-down-at-confirm",
        "confirm",
        "Octo answers 503 after everything was applied and verified",
        "octo-tf confirm",
        4,
        **octo("CreateAccountAccess", error="Unavailable"),
    ),
    Case(
        "octo-refuses-area",
        "confirm",
        "Octo cannot use the role",
        "✗ refused",
        3,
        **octo("CreateAccountAccess", error="FailedPrecondition"),
    ),
)


def table() -> str:
    """The matrix for docs/reference/reliability.md."""
    rows = ["| step | what happens | what the user sees | exit code |", "|---|---|---|---|"]
    for case in CASES:
        sees = "nothing: it is retried" if case.sees == "passes" else f"… {case.sees} …"
        rows.append(f"| {case.step} | {case.what} | {sees} | {case.code} |")
    return "\n".join(rows)


def state_is_whole(root: Path) -> bool:
    """Whether the state, if there is one, is complete JSON; an empty file is none to Terraform."""
    state = root / "terraform.tfstate"
    try:
        text = state.read_text() if state.exists() else ""
        return not text or "resources" in json.loads(text)
    except ValueError:
        return False

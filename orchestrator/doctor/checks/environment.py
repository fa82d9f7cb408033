"""environment: Terraform's variables that octo-tf does not pass on."""

from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok, warning
from orchestrator.terraform.binary import clean_environment

_CONFIG = "TF_CLI_CONFIG_FILE"


def _run(context: DoctorContext) -> DoctorResult:
    passed = clean_environment(context.environ)
    dropped = sorted(n for n in context.environ if n.startswith("TF_") and n not in passed)
    if _CONFIG in dropped:  # not passed on only if there is no such file
        dropped.remove(_CONFIG)
        dropped.append(f"{_CONFIG} (no such file: {context.environ[_CONFIG]})")
    if dropped:
        return warning(
            f"Not passed on to Terraform: {', '.join(dropped)}.",
            "Leave them if they are for other work; octo-tf has options for what they change.",
        )
    return ok("No variable that octo-tf does not pass on to Terraform.")


CHECK = DoctorCheck("environment", _run)

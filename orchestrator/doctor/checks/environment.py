"""environment: Terraform's variables that octo-tf does not pass on."""

from orchestrator.doctor.model import Check, Line, Patient, Status
from orchestrator.terraform.binary import clean_environment

_CONFIG = "TF_CLI_CONFIG_FILE"


def _run(patient: Patient) -> Line:
    passed = clean_environment(patient.environ)
    left_out = sorted(n for n in patient.environ if n.startswith("TF_") and n not in passed)
    if _CONFIG in left_out:  # left out only where there is no such file
        left_out.remove(_CONFIG)
        left_out.append(f"{_CONFIG} (no such file: {patient.environ[_CONFIG]})")
    if left_out:
        return Line(
            Status.WARNING,
            f"Not passed on to Terraform: {', '.join(left_out)}.",
            "Nothing, if they are for other work; octo-tf has options for what they change.",
        )
    return Line(Status.OK, "Nothing that would change a run behind its back.")


CHECK = Check("environment", _run)

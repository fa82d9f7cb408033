"""environment: Terraform's variables that octo-tf does not pass on."""

from pathlib import Path

from orchestrator.doctor.model import Check, Line, Patient, Status
from orchestrator.engine.binary import clean_environment


def _run(patient: Patient) -> Line:
    passed = clean_environment(patient.environ)
    left_out = sorted(n for n in patient.environ if n.startswith("TF_") and n not in passed)
    config = patient.environ.get("TF_CLI_CONFIG_FILE")
    if config and not Path(config).is_file():
        left_out = [*(n for n in left_out if n != "TF_CLI_CONFIG_FILE")]
        left_out.append(f"TF_CLI_CONFIG_FILE (no such file: {config})")
    if left_out:
        return Line(
            Status.WARNING,
            f"Not passed on to Terraform: {', '.join(left_out)}.",
            "Nothing, if they are for other work; octo-tf has options for what they change.",
        )
    return Line(Status.OK, "Nothing that would change a run behind its back.")


CHECK = Check("environment", "Terraform's environment variables", _run)

"""engine: a Terraform that octo-tf can work with."""

from orchestrator.doctor.model import Check, Line, Patient, Status
from orchestrator.terraform import binary, embedded


def _run(patient: Patient) -> Line:
    found = binary.find(patient.tf_path, patient.environ)
    kind = "embedded " if found.command == embedded.command() else ""
    return Line(Status.OK, f"{kind}{found.product} {found.version_text}: {found.path}.")


CHECK = Check("engine", _run)

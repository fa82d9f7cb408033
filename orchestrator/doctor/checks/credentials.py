"""credentials: somebody AWS knows."""

from orchestrator.aws.errors import explained
from orchestrator.doctor.model import UNREADABLE, Check, Line, Patient, Status


def _run(patient: Patient) -> Line:
    if patient.context is None:
        return UNREADABLE
    with explained("asking AWS who this is"):
        caller = patient.context.cloud.connect().client("sts").get_caller_identity()
    return Line(Status.OK, f"{caller['Arn']}.")


CHECK = Check("credentials", _run)

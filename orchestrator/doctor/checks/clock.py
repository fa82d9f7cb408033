"""clock: near enough to AWS's for signatures to be taken."""

from email.utils import parsedate_to_datetime

from botocore.exceptions import ClientError

from orchestrator.doctor.model import UNREADABLE, Check, Line, Patient, Status

# AWS refuses signatures more than five minutes off
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html).
_REFUSED_SECONDS = 300
_WORRYING_SECONDS = 60


def _run(patient: Patient) -> Line:
    if patient.context is None:
        return UNREADABLE
    try:
        answer = patient.context.cloud.connect().client("sts").get_caller_identity()
    except ClientError as error:  # it is dated too, and may be about the clock
        answer = error.response
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        return Line(Status.WARNING, "AWS's answer has no date.", "Compare the clock by hand.")
    return judge(patient.now() - parsedate_to_datetime(date).timestamp())


def judge(seconds: float) -> Line:
    """The line for a clock that is ``seconds`` ahead of AWS's."""
    off = f"The clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} AWS's."
    mend = "Set the clock, best by NTP."
    if abs(seconds) > _REFUSED_SECONDS:
        return Line(Status.PROBLEM, f"{off} AWS refuses signatures that far off.", mend)
    if abs(seconds) > _WORRYING_SECONDS:
        return Line(Status.WARNING, off, mend)
    return Line(Status.OK, "The clock agrees with AWS's.")


CHECK = Check("clock", _run)

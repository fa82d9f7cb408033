"""octo: whether Octo's API answers to the credentials, and has the external id of octo.yaml."""

from orchestrator.doctor.model import UNREADABLE, Check, Line, Patient, Status
from orchestrator.errors import OctoUnreachable


def _run(patient: Patient) -> Line:
    if patient.run is None:
        return UNREADABLE
    credentials = patient.run.settings.octo_credentials
    api = patient.run.octo_api
    if credentials is None or api is None:
        return Line(
            Status.OK, "No credentials for Octo's API: areas are confirmed in Octo, by hand."
        )
    from orchestrator.octo.external_id import agreed

    try:
        agreed(patient.run.registration, api, credentials, patient.run.settings.place_of)
    except OctoUnreachable as error:
        if patient.run.registration.external_id is None:
            raise
        return Line(Status.WARNING, f"{error}. A run goes on without it.", error.hint)
    return Line(
        Status.OK,
        f"Octo knows the client {credentials.client_id} (from the {credentials.source}), and its"
        " external id is the one that is used.",
    )


CHECK = Check("octo", _run)

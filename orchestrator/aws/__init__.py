"""Every AWS call of octo-tf: sessions, one reader per service, and the errors of calls.

A function that calls AWS raises one of ``errors.CALL_ERRORS`` where AWS refuses or does not answer.
"""

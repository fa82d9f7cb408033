"""The end-to-end tests' sandbox and projects serve the table of policies too."""

from tests.e2e.conftest import sandbox, sandboxes, unused_sandbox

__all__ = ["sandbox", "sandboxes", "unused_sandbox"]

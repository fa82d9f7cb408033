"""The registration of accounts with Octo: REST client, ledger, registration service."""

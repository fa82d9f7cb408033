"""Every AWS call of octo-tf: sessions, one reader per service, and the errors of calls."""

"""An AWS on this machine, for demos and tests: moto, and what moto lacks for this flow.

A product of its own: it imports nothing from the rest of octo-tf, and the rest knows it only as
an endpoint. Signatures are not verified; access keys, trust policies, identity policies and
bucket policies are.
"""

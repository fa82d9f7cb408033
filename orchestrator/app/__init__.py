"""The use cases: what a command does, step by step, with values in and values out.

Each raises ``WrongAccount`` where the credentials are another account's, and ``AwsError``,
``OctoError`` or ``EngineError`` where AWS, Octo or Terraform refuses or does not answer.
"""

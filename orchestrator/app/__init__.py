"""The use cases: what a command does, step by step, with values in and values out."""

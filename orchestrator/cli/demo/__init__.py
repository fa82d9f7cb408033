"""The demo: a story in scenes, played on the sandbox by octo-tf itself."""

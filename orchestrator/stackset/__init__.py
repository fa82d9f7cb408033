"""The StackSet that gives Octo access to linked accounts: who has it, who should, what is done."""

"""Taking over what is there: found, compared, imported, and let go of by who had it before."""

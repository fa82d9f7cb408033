"""What AWS has already: read, compared with what would be made, and imported by the plan."""

"""What verify found, check by check and area by area."""

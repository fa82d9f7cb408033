"""Import detection: find what a plan would create although AWS has it, compare, import."""

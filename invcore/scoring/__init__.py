"""How good candidates are: errors, the expected best of T, intervals."""

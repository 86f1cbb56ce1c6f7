"""What ``few_calls.py`` is made of: searches for costly simulators at equal simulator calls."""

"""A person's own simulator as a task: a Python function, or a program that works through files."""

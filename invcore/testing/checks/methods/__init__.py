"""Checks of methods: what comes out, what it means, and what must not be looked at."""

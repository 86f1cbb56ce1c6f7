"""Steps: what is asked for next."""

"""The steps from names to a record, written once."""

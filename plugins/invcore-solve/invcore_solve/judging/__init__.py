"""The judge of designs on a table: stacked surrogates whose error is calibrated."""

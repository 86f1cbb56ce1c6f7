"""Tasks of the benchmark of simulation-based inference, and C2ST against reference posteriors."""

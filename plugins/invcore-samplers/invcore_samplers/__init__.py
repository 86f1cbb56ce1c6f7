"""Space-filling samplers for invcore: random, lhs, maximin-lhs, sobol, halton."""

"""What Gaussian processes are made of: kernels, parameters, likelihood, tuning."""

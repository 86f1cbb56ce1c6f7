"""Runs as job arrays of SLURM by submitit, for invcore."""

"""What designs cost for what is wanted: what mixes and local search follow."""

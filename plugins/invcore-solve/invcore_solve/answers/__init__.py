"""From targets to ranked designs, and what is told of them."""

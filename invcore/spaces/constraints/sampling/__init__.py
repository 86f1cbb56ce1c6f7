"""Designs that constraints allow, drawn as often as their prior has them."""

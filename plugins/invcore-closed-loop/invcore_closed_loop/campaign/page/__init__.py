"""A page of a campaign."""

"""Campaigns: a loop at work in a folder, for laboratories; tables go out and come back."""

"""iPage for invcore: intelligent localisation with exploratory sampling."""

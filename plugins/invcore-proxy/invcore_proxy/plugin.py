"""What this plugin adds; imports no torch."""

"""Rows that were measured or simulated elsewhere: tables of them, campaigns, stored runs."""

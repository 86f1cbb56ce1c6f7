"""What everything stands on: errors, types, kinds, seeds, progress, devices, text for people."""

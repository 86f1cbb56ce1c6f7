"""Networks that stand in for the simulator: settings, what they see, how they are fitted."""

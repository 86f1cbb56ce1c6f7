"""Classic inverse-design tasks with closed-form or exactly solved forward systems."""

"""The fewest simulator calls: a closed loop of surrogate, improvement and polish."""

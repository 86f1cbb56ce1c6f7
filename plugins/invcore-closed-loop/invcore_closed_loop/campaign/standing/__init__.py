"""How a campaign stands: what is known, how sure that is, and what comes next."""

"""Where proposals come from: mixes of rows, local search, inverse regression."""

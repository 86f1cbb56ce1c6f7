"""Grids of runs: their files, cells, sweeps and manifests."""

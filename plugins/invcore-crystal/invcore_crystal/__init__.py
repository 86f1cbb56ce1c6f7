"""The crystal-mos2 task for invcore: strain and field of MoS2 to its band gap, from a DFT table."""

"""The meta-material task for invcore: the reflectance of a super-cell of cylinders."""

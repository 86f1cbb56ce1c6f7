"""The commands of ``invcore campaign``, one a file: parse, call, print."""

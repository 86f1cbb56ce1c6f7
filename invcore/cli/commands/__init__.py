"""The commands, one file each; a module is imported when its command is called."""

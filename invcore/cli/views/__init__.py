"""What commands show, and the documents that they print as JSON."""

"""What people see: a page of HTML, pictures, and tables in notebooks."""

"""What people see: pages, forms and templates. No site imports another."""

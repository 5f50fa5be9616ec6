"""The documents are true: what they name exists, what they link is there, and what they show runs."""

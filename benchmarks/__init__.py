"""Every figure the README quotes: `python -m benchmarks.NAME [--quick]` prints a table and ends with one line of JSON."""

"""Files of up to a million people, compared with the register by a job; whoever asked fetches the answers in a file.

A file names people by number, or by name and date of birth. The answer of a row is one word, and beside it only the fields that
were asked for and that the right and the sharing terms allow, masked. Each person found sees that they were compared, by whom
and why.
"""

"""The population register: who lives here, in which household, related to whom, since when and on what evidence.

Owner of the data: the public security organs (户口登记条例, art. 3). Codes follow GB 11643 (number), GB/T 2261.1 (sex),
GB/T 3304 (ethnicity), GB/T 4761 (relation to the head of household) and the 12-digit division codes of statistics.

The register lives in a database of its own (alias ``population``) and has no foreign key out of its room. It is reached only
through `commands` and `queries`; both want to know who asks and why, and leave a trace for every person disclosed.
"""

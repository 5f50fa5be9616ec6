"""Resident identity cards from the application to the last day: each step on record, each fact held against the register.

Owner of the data: the public security organs (居民身份证法). Tables on the platform's database. The population register, which
another database keeps, and the portraits are asked through `ports`. A correction of the register is a job with an effect of its
own, so that it happens once.
"""

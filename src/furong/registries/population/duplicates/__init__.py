"""People who may stand in the register twice: found by a job, judged by a person, merged, and parted again.

Everybody is registered in one place only (户口登记条例, art. 6). Pairs are looked for in the province's store (`linkage`) and
kept beside it; what is decided is done where the entry that goes is kept, by the commands that take people out and bring them
back, so that the register's history tells it all.
"""

"""Portraits of people on record: one in force for each person, its history, who looked at it, whether its bytes are whole.

Owner of the data: the public security organs (居民身份证法, arts. 3 and 13; 个人信息保护法, arts. 28 and 34: sensitive, for
a stated duty only). Bytes lie in `foundation.storage` under their digest; who, when and how they stand lies here. Nothing in this
room searches or compares faces: `checks` asks only whether there is something of a head's size and place.
"""

"""How Chinese and mixed text becomes what an index holds:

folded, cut into words and pairs, read for numbers and sounds. No I/O.
"""

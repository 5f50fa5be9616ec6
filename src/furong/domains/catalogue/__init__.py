"""The catalogue: so far the dictionary of data elements (数据元), each with one owner and one authoritative source (一数一源).

After ISO/IEC 11179 and GB/T 18391 an element is an object class, a property and a representation: ``mother.name`` is another
element than ``newborn.name``, for another body answers for it. Owner of the data: the data authority of the pack.
"""

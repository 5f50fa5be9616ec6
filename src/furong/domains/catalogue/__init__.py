"""The catalogue: who holds what, and on what terms.

The dictionary of data elements (数据元), each with one owner and one authoritative source (一数一源), and the information
resources (政务信息资源) whose items carry them (`resources`), reviewed by the data authority (`states`), found and shown within
what the reader may see (`sight`).

After ISO/IEC 11179 and GB/T 18391 an element is an object class, a property and a representation: ``mother.name`` is another
element than ``newborn.name``, for another body answers for it. Owner of the data: the data authority of the pack.
"""

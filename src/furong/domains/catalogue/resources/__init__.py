"""Information resources (政务信息资源) as definitions: who holds what, in which items, on what terms.

Metadata after the national guide (政务信息资源目录编制指南（试行）, 发改高技〔2017〕1272号).
Terms after 《政务数据共享条例》 (State Council Order 809) and 国发〔2016〕51号.
A definition is a file of a pack, or stands beside the code that keeps the data (`builtin`).
"""

"""Requirement meets supply (供需对接): a need in words, what the catalogue has for it, demands, rulings and what sharing brings.

An officer states a need (`stating`); the catalogue ranks the resources that may carry it, each with its reasons (`matching`,
`finding`). What nothing carries becomes a demand to the owner of the element, or to the data authority where nobody owns it, and
is answered in the statutory time (`answering`; 《政务数据共享条例》, Order 809). A share that is refused or late, asked for by a
request or by a demand, goes before the data authority, which rules (`ruling`). `figures` publishes use and benefit.
"""

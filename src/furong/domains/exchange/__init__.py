"""The exchange as its operator keeps it: members, keys, gateways, services, the signed configuration, gateways' reports.

What gateways do with a message is `furong_link`'s; this room says who takes part and under which grants. The configuration is
compiled from the catalogue's grants (`compiling`), signed and numbered (`issuing`), fetched by gateways (`api`) and handed to
them when it takes something away. Rules: 政务数据共享条例 (Order 809), chapters 3 and 4. Owner of the data: the data authority.
"""

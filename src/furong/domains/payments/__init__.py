"""Payments (缴费): fee notices on a case, what a provider of payments says of them, receipts, refunds, and the day's comparison.

No card, account or name passes through here: a provider takes the money and says so in a signed message. Each message counts
once, whatever is sent twice; what nobody confirms is asked for, reminded of, and ends. Owner of the data: the body that charges
the fee.
"""

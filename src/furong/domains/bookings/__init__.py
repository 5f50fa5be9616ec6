"""Bookings (预约): a time at an office, kept while somebody fills in a form and taken when they hand it in.

Slots are not stored: a book of the pack says which items want one, the hours, the closures and how many people a slot takes,
and the calendar of working days does the rest. What is stored is who has which place in a slot; a place is had once, which the
database holds. Owner of the data: the body whose office it is.
"""

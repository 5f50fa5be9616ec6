"""Notices to people: a message in the platform, and a short text through a channel port. A twin of the text channel ships.

A message holds a template's code and parameters (numbers of cases, names of items, dates), never a person's name or
number; the telephone number is asked of `identity` when a text is sent and kept nowhere here. Owner: the room that
sends.
"""

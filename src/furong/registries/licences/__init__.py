"""The licence register: certificates as data, as a sealed PDF, and as an answer to whoever checks one.

A licence is issued by the body whose decision it carries (trust level A of 国办函〔2016〕108号) and is as good as paper
(国务院令第716号). Types of licences, their fields and their look are pack content. Owner of each licence: the body that issued
it; this room keeps it, seals it (PAdES, 电子签名法) and answers by QR code and by file with the same verdict. `documents` makes
the sealed notices that cases issue.
"""

"""The one decision point: who may do what, on what basis.

A post gives rights and a transfer moves them: `organizations` compiles every post's rights into this room, and
nothing else in the platform decides who may act. Answers are cached in a process under a lease of one second; a
command that takes a right away returns only once every such lease has run out, so the next call anywhere is refused.

Owner of the data: the platform's operator. A resident acts for themself or by a recorded mandate and holds no rights.
"""

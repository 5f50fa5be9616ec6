"""The workbench, where staff work: list, case with its diagram, registers with a stated purpose, supervision, administration.

Calm and dense: the deadline is the first column, the case opens beside the list, and the effect of a decision is said before it
is taken. Holds no rules: every page calls commands and queries with the actor of the request.
"""

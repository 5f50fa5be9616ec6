"""Moves of the permanent residence: within a county in one act, further with a permit; between two centres as one decision.

The law's way (户口登记条例 arts. 10, 13; 公安部 on 准迁证 and 迁移证): request at the destination, approval, permission to move
(准迁证, 40 days), departure at the source (迁移证, at most 30 days), arrival at the destination, which cancels the old entry.
`commands` takes the steps, `transfer` carries a person from one centre's database to another's, `resolver` ends what a crash left
in doubt, `tasks` does so by the clock, lets papers run out and clears what the source no longer keeps.
"""

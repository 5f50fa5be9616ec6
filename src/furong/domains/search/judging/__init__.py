"""How good search is: questions in people's own words, grades by hand, and the figures that tell one ranking from another.

The questions and grades are a pack's content (`packs/PACK/search/judged`). Half of them ask for what the pack holds and are
measured in every test run; half ask for articles of law and are measured by `benchmarks.search`, for that corpus is not ours to
ship. No table, no database: a temporary index holds the corpus while it is measured.
"""

"""Invented residents for demonstrations and tests: whole households, loaded in bulk. Never in production.

* ``load_residents(pack=…, count=…, seed=…, …)`` writes them and returns how many;
* ``person_id("mother")`` gives the key of a person whom the pack's ``demo/people.yaml`` names, without a database.
"""

from .couples import Couple, list_couples
from .loading import LoadedResidents, load_residents, person_id

__all__ = ["Couple", "LoadedResidents", "list_couples", "load_residents", "person_id"]

"""Routes of the registers. What a person is found by travels in the body; what is opened travels sealed."""

from __future__ import annotations

from django.urls import path

from furong.sites.workbench.views import (
    card_batches,
    cards,
    centres,
    counter,
    duplicates,
    entities,
    lookups,
    matches,
    moves,
    registers,
    secrecy,
)

urlpatterns = [
    path("counter", counter.counter, name="counter"),
    path("counter/done/<str:token>", counter.counter_done, name="counter_done"),
    path("counter/<str:token>", counter.counter_person, name="counter_person"),
    path("counter/<str:token>/<slug:code>", counter.counter_act, name="counter_act"),
    path("population", registers.population_search, name="population"),
    path("lookups/households", lookups.household, name="population_household"),
    path("lookups/addresses", lookups.address, name="population_address"),
    path("lookups/exists", lookups.exists, name="population_exists"),
    path("secrecy", secrecy.orders, name="secrecy"),
    path("population/moves", moves.moves, name="moves"),
    path("population/moves/new", moves.move_new, name="move_new"),
    path("population/moves/<uuid:move_id>", moves.move, name="move"),
    path("population/centres", centres.centres, name="population_centres"),
    path("population/matches", matches.matches, name="matches"),
    path("population/matches/<uuid:match_id>", matches.match, name="match"),
    path("population/matches/<uuid:match_id>/answers", matches.match_result, name="match_result"),
    path("population/duplicates", duplicates.duplicates, name="duplicates"),
    path("population/duplicates/<uuid:duplicate_id>", duplicates.duplicate, name="duplicate"),
    path("population/duplicates/pair/<str:token>", duplicates.duplicate_pair, name="duplicate_pair"),
    path("population/<str:token>", registers.person, name="person"),
    path("cards", cards.cards, name="cards"),
    path("cards/people/<str:token>", cards.card_person, name="card_person"),
    path("cards/pictures/<str:token>", cards.portrait, name="portrait"),
    path("cards/batches", card_batches.card_batches, name="card_batches"),
    path("cards/batches/<uuid:batch_id>", card_batches.card_batch, name="card_batch"),
    path("cards/batches/<uuid:batch_id>/order", card_batches.card_order, name="card_order"),
    path("cards/differences", card_batches.card_mismatches, name="card_mismatches"),
    path("cards/portraits", card_batches.portrait_reviews, name="portrait_reviews"),
    path("entities", entities.entity_search, name="entities"),
    path("entities/<str:token>", entities.entity, name="entity"),
    path("licences", registers.licence_search, name="licences"),
    path("licences/check", registers.licence_check, name="licence_check"),
    path("licences/<str:token>", registers.licence, name="licence"),
    path("licences/<str:token>/file", registers.licence_file, name="licence_file"),
]

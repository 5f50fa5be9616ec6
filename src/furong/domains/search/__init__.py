"""Search: one box over services, pages, data resources, documents, offices, and questions with their answers.

The index stands beside the database, follows it from events, is rebuilt at will, and is never a source of
truth: what it finds is asked of the database again before it is shown. Documents that everybody may read and
documents with narrower rights lie on two shelves, so that a search of the public touches nothing hidden, not
even its statistics. Owner of the data: the room that a document comes from; this room owns the log of
searches, which holds no person.
"""

"""Working days, with the make-up days that the State Council announces each year, as data that is updated.

A ``values.Calendar`` is a frozen value built from a pack's ``holidays.yaml``; it does all the arithmetic and never
reads a clock. Which calendar is in force is known to the whole process: ``queries.current()`` returns it,
``commands.load_calendar`` puts one in force, and ``commands.follow_releases`` keeps it up to date with what is
released. There is no table: a pack's release holds the file.

Periods follow the Civil Code, articles 200 to 204: the day of the event is not counted; a period ends with the last
day, or with that day's office hours where the office keeps hours; a last day that is a day off moves to the next
working day. Periods in working days leave out days off (Administrative Licensing Law, article 82).
"""

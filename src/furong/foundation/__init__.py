"""What everything stands on: codes, calendar, rights, audit, jobs, events, identity, the web frame."""

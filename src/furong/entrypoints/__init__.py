"""The door: settings, urls, servers, the command line and the wiring. Starts things, holds no rules."""

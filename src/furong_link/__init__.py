"""The exchange's protocol, gateway and client: what a member installs alone, without Django and without a database.

Messages between members are signed after RFC 9421 with digests after RFC 9530, in one fixed profile (`profile`). A
gateway (`gateway`) verifies, decides by a signed configuration (`configuration`, `decision`), forwards to the provider,
records (`evidence`) and signs the reply, which leaves only after its record is durable. `client` is for those who ask.
Nothing here imports furong.
"""

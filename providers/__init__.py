"""How to talk to a site: adapters, video hosts, the one HTTP door; imports none of our apps."""

"""How to talk to a site: adapters, video hosts, the one HTTP door. Imports none of our other apps."""

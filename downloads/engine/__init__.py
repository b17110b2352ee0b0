"""The download engine: plain Python, usable without Django; imports only types and guard of
`providers`.
"""

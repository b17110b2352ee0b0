"""What people follow: watchlists, checks, decisions; the only app with pages and an API."""

"""The rules of the domain, on tables: no page, no map, no network, no database."""

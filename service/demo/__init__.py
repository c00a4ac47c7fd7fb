"""The demo population: made-up families for looking around, clearly labelled as made up.  Never loaded unless asked for.

``population`` makes the events (pure); ``service.demo.loading`` puts them through the ordinary ingest.
"""

from service.demo.population import DEFAULT_FAMILIES, DEFAULT_SEED, households, population

__all__ = ["DEFAULT_FAMILIES", "DEFAULT_SEED", "households", "population"]

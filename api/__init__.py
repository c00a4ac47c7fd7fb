"""The HTTP side of the product: JSON under /v1, its OpenAPI document, and the pages.

Thin entries into service/ and store.queries: nothing here decides what a verdict means, and nothing here writes SQL.
"""

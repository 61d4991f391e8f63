"""The database: typed tables, and the queries beside them. Every query is of one programme."""

from service.store.engine import Store, open_store
from service.store.hot import StoreError, UncertainError
from service.store.schema import SchemaError, create_schema

__all__ = ["SchemaError", "Store", "StoreError", "UncertainError", "create_schema", "open_store"]

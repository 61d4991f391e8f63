"""How a database of one release becomes one of another: a revision a schema, each as it was, whatever comes later.

Nothing here uses the models of `service.store`: those are of the newest schema.
"""

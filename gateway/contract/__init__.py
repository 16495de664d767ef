"""The wire between a hub and a centre: types, schemas, AsyncAPI file and golden examples."""

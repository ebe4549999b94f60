"""A container of a blob store: Azure's, the one on the appliance, Azure Blob Storage on IoT Edge, Azurite."""

"""The transform module: decodes files and prepares tensors under the model's contract."""

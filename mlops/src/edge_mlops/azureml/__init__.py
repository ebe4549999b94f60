"""Azure Machine Learning: its model registry, and what is checked of the files in ``mlops/azureml``."""

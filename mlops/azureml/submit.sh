#!/usr/bin/env bash
# Brings the environment into the workspace that `az configure` names, runs the pipeline there, and ends as it ends.
set -euo pipefail
cd "$(dirname "$0")/../.."

make azureml
az ml environment create --file mlops/azureml/environment.yml --output none # the next version of it
name=$(az ml job create --file mlops/azureml/pipeline.yml --query name --output tsv)
az ml job stream --name "$name"
status=$(az ml job show --name "$name" --query status --output tsv)
echo "$name: $status"
[[ $status == Completed ]]

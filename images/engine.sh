#!/usr/bin/env bash
# Sees to it that a container engine answers and that mmdebstrap, which makes the base image, is there.
set -euo pipefail

if ! command -v docker >/dev/null || ! command -v mmdebstrap >/dev/null; then
    if [[ $EUID -ne 0 ]] || ! command -v apt-get >/dev/null; then
        echo "Docker or mmdebstrap is missing. Run 'sudo make engine' on Debian or Ubuntu, or install both as your system does." >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends docker.io mmdebstrap
fi

docker info >/dev/null 2>&1 && exit
if pgrep -x dockerd >/dev/null; then
    echo "dockerd runs, but does not let $(id -un) in: add the user to group docker, or use sudo." >&2
    exit 1
fi
if [[ $EUID -ne 0 ]]; then
    echo "No container engine runs: start it with 'sudo systemctl start docker', or run 'sudo make engine'." >&2
    exit 1
fi
log=/var/log/dockerd.log
setsid dockerd >"$log" 2>&1 </dev/null &
for _ in {1..60}; do
    docker info >/dev/null 2>&1 && exit
    sleep 0.5
done
echo "dockerd does not answer; its last words in $log:" >&2
tail -n 3 "$log" >&2
exit 1

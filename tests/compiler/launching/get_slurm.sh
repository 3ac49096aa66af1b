#!/usr/bin/env bash
# Unpacks Slurm of Debian or Ubuntu into a folder; nothing is installed, no service starts.
#   get_slurm.sh FOLDER
set -euo pipefail
folder="$1"
mkdir -p "$folder/packages"
cd "$folder/packages"
names="$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
  --no-replaces --no-enhances --no-pre-depends slurmctld slurmd slurm-client munge \
  | grep -E '^(slurm|munge|libmunge|libhttp-parser|libhwloc|libjson-c|libyaml|liblz4|libjwt)' | sort -u)"
# shellcheck disable=SC2086
apt-get download -qq $names
for package in *.deb; do dpkg -x "$package" ..; done

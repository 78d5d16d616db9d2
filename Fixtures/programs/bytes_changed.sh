#!/bin/sh
# A method in a shell script: how many bytes of the weights changed.
#
#   ./assay bench --external bytes-changed@weights='sh Fixtures/programs/bytes_changed.sh {base} {finetuned} {out}'
set -e
count=$(cmp -l "$1/model.safetensors" "$2/model.safetensors" | wc -l)
printf '{"magnitude": %d}\n' "$count" > "$3"

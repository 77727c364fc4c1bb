#!/usr/bin/env bash
# Create a task, poll it until it ends, download the picture.
# Usage: [EMULATOR_URL=...] [EMULATOR_KEY=...] ./curl.sh [FILE]
set -euo pipefail

url=${EMULATOR_URL:-http://127.0.0.1:8080/v1}
key=${EMULATOR_KEY:-sk-test}
file=${1:-lighthouse.png}

call() {
  local answer
  answer=$(curl --silent --show-error --fail-with-body -H "Authorization: Bearer $key" "$@") ||
    { echo "$answer" >&2; return 1; }
  echo "$answer"
}

# Reads a string out of a JSON answer: no jq needed.
field() {
  local pattern="\"$1\": ?\"([^\"]*)\""
  [[ $2 =~ $pattern ]] && echo "${BASH_REMATCH[1]}"
}

answer=$(call "$url/images/generations" -H "Content-Type: application/json" \
  -d '{"model": "gpt-image-2", "prompt": "A lighthouse at dawn"}')
task_id=$(field task_id "$answer")
echo "created $task_id"

while true; do
  task=$(call "$url/tasks/$task_id")
  case $(field status "$task") in
    succeeded | completed) break ;;
    pending | processing) sleep 0.5 ;;
    *) echo "it did not succeed: $task" >&2; exit 1 ;;
  esac
done

# The link is signed: it needs no key, and works for 24 hours.
curl --silent --show-error --fail -o "$file" "$(field url "$task")"
echo "saved $file"

#!/bin/bash
# Real builders to compare with, for `cargo test --test agreement`.
#
#   tests/lab/lab.sh install   buildah, skopeo, runc, docker-registry from Debian; BuildKit, kustomize from their Go modules (needs root and go)
#   tests/lab/lab.sh kustomize  only kustomize, from its Go module (needs go)
#   tests/lab/lab.sh start     starts buildkitd on a socket of its own, waits until it answers
#   tests/lab/lab.sh stop      ends what start began
#
# Everything lies in $RINGSHIFT_LAB (default: target/lab), where the tests look for it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
lab=${RINGSHIFT_LAB:-$root/target/lab}
buildkit=v0.33.1
kustomize=v5.8.2
mkdir -p "$lab/bin" "$lab/buildkit"
socket=unix://$lab/buildkit/sock

install() {
  local missing=()
  for p in buildah skopeo runc docker-registry; do command -v "$p" >/dev/null || missing+=("$p"); done
  if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends "${missing[@]}" >/dev/null
  fi
  # `go install` refuses modules with exclude lines, so BuildKit is built where the module cache has it.
  local src
  src=$(GOFLAGS=-mod=mod go mod download -json "github.com/moby/buildkit@$buildkit" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  for c in buildkitd buildctl; do
    "$lab/bin/$c" --version 2>/dev/null | grep -qF "$buildkit" ||
      CGO_ENABLED=0 go -C "$src" build -buildvcs=false -trimpath \
        -ldflags="-s -w -X github.com/moby/buildkit/version.Version=$buildkit" -o "$lab/bin/" "./cmd/$c"
  done
  kustomize
}

# Only kustomize, for `cargo test --test kustomize` (needs go).
kustomize() {
  "$lab/bin/kustomize" version 2>/dev/null | grep -qF "$kustomize" ||
    GOFLAGS=-mod=mod GOBIN="$lab/bin" go install "sigs.k8s.io/kustomize/kustomize/v5@$kustomize"
}

answers() { "$lab/bin/buildctl" --addr "$socket" debug workers >/dev/null 2>&1; }

start() {
  if answers; then echo "$socket"; return; fi
  setsid nohup "$lab/bin/buildkitd" --config /dev/null --root "$lab/buildkit/data" --addr "$socket" \
    --containerd-worker=false --oci-worker=true --oci-worker-net=host --oci-worker-binary=runc \
    >"$lab/buildkit/log" 2>&1 </dev/null &
  echo $! >"$lab/buildkit/pid"
  for _ in $(seq 300); do
    if answers; then echo "$socket"; return; fi
    kill -0 "$(cat "$lab/buildkit/pid")" 2>/dev/null || break
    sleep 0.1
  done
  echo "lab: buildkitd does not answer:" >&2
  tail -n 15 "$lab/buildkit/log" >&2
  exit 1
}

stop() {
  local pid
  pid=$(cat "$lab/buildkit/pid" 2>/dev/null || true)
  if [ -n "$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$lab/buildkit"; then
    kill "$pid"
  fi
  rm -f "$lab/buildkit/pid"
}

case ${1:-} in
  install | kustomize | start | stop) "$1" ;;
  *) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

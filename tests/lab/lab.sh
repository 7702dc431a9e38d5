#!/bin/bash
# Real builders and registries to compare with, for `cargo test`.
#
#   tests/lab/lab.sh install   buildah, skopeo, runc, docker-registry from Debian; BuildKit, distribution 3 and a registry
#                              in memory from their Go modules (needs root and go); the tests start the registries themselves
#   tests/lab/lab.sh start     starts buildkitd on a socket of its own, waits until it answers
#   tests/lab/lab.sh stop      ends what start began
#
# Everything lies in $RINGSHIFT_LAB (default: target/lab), where the tests look for it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
lab=${RINGSHIFT_LAB:-$root/target/lab}
buildkit=v0.33.1
distribution=v3.1.2
ociregistry=v0.0.0-20251212221603-3adeb8663819
mkdir -p "$lab/bin" "$lab/buildkit"
socket=unix://$lab/buildkit/sock

install() {
  install_builders
  install_registries
}

install_builders() {
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
}

built() { go version -m "$lab/bin/$1" 2>/dev/null | grep -qF "$2"; } # NAME VERSION

install_registries() {
  if ! built registry "$distribution"; then
    GOBIN=$lab/bin GOFLAGS=-buildvcs=false CGO_ENABLED=0 go install -trimpath -ldflags='-s -w' \
      "github.com/distribution/distribution/v3/cmd/registry@$distribution"
  fi
  built ocimem "$ociregistry" && return
  # A registry in memory, with referrers, and with tags that cannot be moved if asked; a few lines around a library.
  local dir
  dir=$(mktemp -d)
  cat >"$dir/main.go" <<'GO'
package main

import (
	"log"
	"net"
	"net/http"
	"os"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

func main() {
	registry := ocimem.NewWithConfig(&ocimem.Config{ImmutableTags: os.Args[2] == "immutable"})
	server := ociserver.New(registry, nil)
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on %s", listener.Addr())
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log.Printf("%s %s", r.Method, r.URL.Path)
		server.ServeHTTP(w, r)
	})))
}
GO
  (
    cd "$dir"
    go mod init lab
    go get "cuelabs.dev/go/oci/ociregistry@$ociregistry"
    CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags='-s -w' -o "$lab/bin/ocimem" .
  ) >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
  rm -rf "$dir"
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
  install | start | stop) "$1" ;;
  *) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

#!/bin/bash
# Real builders and registries to compare with, for `cargo test`.
#
#   tests/lab/lab.sh install   buildah, podman, skopeo, runc, docker.io, docker-registry from Debian; BuildKit, buildx, distribution 3
#                              kustomize, helm and a registry in memory from their Go modules (needs root and go); the tests start the registries
#   tests/lab/lab.sh start     starts buildkitd and dockerd on sockets of their own, waits until they answer
#   tests/lab/lab.sh stop      ends what start began
#
# Everything lies in $RINGSHIFT_LAB (default: target/lab), where the tests look for it.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
lab=${RINGSHIFT_LAB:-$root/target/lab}
buildkit=v0.33.1 buildx=v0.37.2
distribution=v3.1.2
kustomize=v5.8.2
helm=v3.22.0
ociregistry=v0.0.0-20251212221603-3adeb8663819
mkdir -p "$lab/bin" "$lab/buildkit" "$lab/docker" "$lab/buildx"
socket=unix://$lab/buildkit/sock
docker=unix://$lab/docker/sock

install() {
  install_builders
  install_registries
}

install_builders() {
  local missing=() pair
  for pair in buildah:buildah podman:podman skopeo:skopeo runc:runc dockerd:docker.io docker-registry:docker-registry busybox:busybox-static; do
    command -v "${pair%%:*}" >/dev/null || [ -x "/usr/sbin/${pair%%:*}" ] || missing+=("${pair##*:}")
  done
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
  go version -m "$lab/bin/buildx" 2>/dev/null | grep -qF "$buildx" ||
    GOBIN=$lab/bin CGO_ENABLED=0 GOFLAGS=-buildvcs=false \
      go install -trimpath -ldflags='-s -w' "github.com/docker/buildx/cmd/buildx@$buildx"
  "$lab/bin/kustomize" version 2>/dev/null | grep -qF "$kustomize" ||
    GOBIN=$lab/bin GOFLAGS=-mod=mod go install "sigs.k8s.io/kustomize/kustomize/v5@$kustomize"
  built helm "$helm" ||
    GOBIN=$lab/bin CGO_ENABLED=0 GOFLAGS=-buildvcs=false \
      go install -trimpath -ldflags='-s -w' "helm.sh/helm/v3/cmd/helm@$helm"
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

buildkit_answers() { "$lab/bin/buildctl" --addr "$socket" debug workers >/dev/null 2>&1; }
docker_answers() { /usr/bin/docker --host "$docker" version >/dev/null 2>&1; }

# await NAME: until NAME answers, while its process lives, half a minute at most
await() {
  for _ in $(seq 300); do
    if "$1_answers"; then return; fi
    kill -0 "$(cat "$lab/$1/pid")" 2>/dev/null || break
    sleep 0.1
  done
  echo "lab: $1 does not answer:" >&2
  tail -n 15 "$lab/$1/log" >&2
  exit 1
}

start() {
  if ! buildkit_answers; then
    setsid nohup "$lab/bin/buildkitd" --config /dev/null --root "$lab/buildkit/data" --addr "$socket" \
      --containerd-worker=false --oci-worker=true --oci-worker-net=host --oci-worker-binary=runc \
      >"$lab/buildkit/log" 2>&1 </dev/null &
    echo $! >"$lab/buildkit/pid"
    await buildkit
  fi
  # Without a bridge, so every build needs --network host.
  if [ -x /usr/sbin/dockerd ] && ! docker_answers; then
    setsid nohup /usr/sbin/dockerd --data-root "$lab/docker/data" --exec-root "$lab/docker/exec" --host "$docker" \
      --pidfile "$lab/docker/own-pid" --bridge none --iptables=false --ip6tables=false \
      >"$lab/docker/log" 2>&1 </dev/null &
    echo $! >"$lab/docker/pid"
    await docker
  fi
  # buildx keeps its list of builders in a folder; this script keeps it out of the user's own.
  printf '#!/bin/sh\nBUILDX_CONFIG=%q BUILDX_BUILDER=lab exec %q "$@"\n' "$lab/buildx" "$lab/bin/buildx" >"$lab/bin/lab-buildx"
  chmod +x "$lab/bin/lab-buildx"
  if [ -x "$lab/bin/buildx" ] && ! "$lab/bin/lab-buildx" inspect >/dev/null 2>&1; then
    env -u BUILDX_BUILDER BUILDX_CONFIG="$lab/buildx" "$lab/bin/buildx" create --name lab --driver remote "$socket" >/dev/null
  fi
  echo "$socket"
}

# Ends the process of a part, if it still is the one that was started.
stop() {
  local part pid
  for part in docker buildkit; do
    pid=$(cat "$lab/$part/pid" 2>/dev/null || true)
    if [ -n "$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$lab/$part"; then
      kill "$pid"
      for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    fi
    rm -f "$lab/$part/pid"
  done
}

case ${1:-} in
  install | start | stop) "$1" ;;
  *) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

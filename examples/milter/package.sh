#!/bin/sh
# package.sh VERSION [FOLDER]
# Builds the Debian package of the milter, mailverdict-milter_VERSION_ARCH.deb, in this folder or the one given. The
# version begins with a digit. nfpm comes from the Go module proxy; later versions than this one need modules that it
# does not have.
set -eu
export VERSION=$1
out=$(cd "${2:-.}" && pwd)
cd "$(dirname "$0")"
GOARCH=$(go env GOARCH)
export GOARCH
trap 'rm -f mailverdict-milter' EXIT
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o mailverdict-milter .
GOWORK=off GOFLAGS=-mod=mod go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.41.3 package --config nfpm.yaml --packager deb --target "$out"

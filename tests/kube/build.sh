#!/bin/bash
# build.sh OUT: one static binary. With a cold cache it takes minutes; scripts/deps keeps the result.
set -euo pipefail
cd "$(dirname "$0")"
version=$(sed -n 's/^[ \t]*k8s.io\/kubernetes \(v1[^ ]*\).*/\1/p' go.mod)
package=k8s.io/component-base/version
flags="-X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$(cut -d. -f2 <<<"$version")"
flags="$flags -X $package.gitTreeState=clean -X $package.gitCommit=unknown"
exec env CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $flags" -o "$1" .

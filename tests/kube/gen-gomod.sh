#!/bin/bash
# Writes go.mod for this module: require k8s.io/kubernetes VERSION, and one replace for each
# staging module (k8s.io/X => k8s.io/X v0.<minor>.<patch>), the list of which is read from the
# replace block of k8s.io/kubernetes's own go.mod at that version. Then 'go mod tidy' fills in
# the indirect requires and go.sum. Both files are to be committed; this is run at upgrades only.
set -euo pipefail
v=${1:?usage: gen-gomod.sh v1.MINOR.PATCH}
cd "$(dirname "$0")"
sv=v0.${v#v1.}
# Only what 'go list -m -versions k8s.io/kubernetes' lists can be had: of others there may be a .mod but no source.
j=$(cd / && go mod download -json "k8s.io/kubernetes@$v") || { echo "$j" >&2; exit 1; }
mod=$(sed -n 's/^\t"GoMod": "\(.*\)",\{0,1\}$/\1/p' <<<"$j")
gov=$(sed -n 's/^go //p' "$mod")
etcd=$(sed -n 's/^[ \t]*go.etcd.io\/etcd\/server\/v3 \(v[^ ]*\).*/\1/p' "$mod")
{
	echo "module weft/tests/kube"
	echo
	echo "go $gov"
	echo
	sed -n 's/^godebug /godebug /p' "$mod"
	echo
	echo "require ("
	echo "	k8s.io/kubernetes $v"
	echo "	go.etcd.io/etcd/server/v3 $etcd"
	echo ")"
	echo
	echo "replace ("
	sed -n 's/^[ \t]*\(k8s\.io\/[a-z-]*\) => \.\/staging.*/\1/p' "$mod" | while read -r m; do
		echo "	$m => $m $sv"
	done
	echo ")"
} >go.mod

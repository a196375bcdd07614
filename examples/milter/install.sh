#!/bin/sh
# install.sh
# Builds the static binary and installs it on Debian with a user, a configuration (an existing one stays) and the
# units of systemd. It starts nothing and leaves Postfix as it is: README.md says what comes next.
set -eu
cd "$(dirname "$0")"
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o mailverdict-milter .
install -D -m 0755 mailverdict-milter /usr/local/sbin/mailverdict-milter
rm mailverdict-milter
install -D -m 0644 milter.service /etc/systemd/system/mailverdict-milter.service
install -D -m 0644 milter.socket /etc/systemd/system/mailverdict-milter.socket
[ -e /etc/mailverdict-milter.toml ] || install -m 0644 milter.toml /etc/mailverdict-milter.toml
./postinst

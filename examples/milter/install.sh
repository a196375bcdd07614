#!/bin/sh
# install.sh [ROOT]
# Builds the static binary and installs it on Debian with a user, a configuration (an existing one stays) and the
# units of systemd. It starts nothing and leaves Postfix as it is: README.md says what comes next. With ROOT,
# files go below that folder, and no user is made: for packages.
set -eu
cd "$(dirname "$0")"
root=${1:-}
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o mailverdict-milter .
install -D -m 0755 mailverdict-milter "$root/usr/local/sbin/mailverdict-milter"
rm mailverdict-milter
install -D -m 0644 milter.service "$root/etc/systemd/system/mailverdict-milter.service"
install -D -m 0644 milter.socket "$root/etc/systemd/system/mailverdict-milter.socket"
if [ ! -e "$root/etc/mailverdict-milter.toml" ]; then
	mkdir -p "$root/etc"
	cat >"$root/etc/mailverdict-milter.toml" <<C
# mailverdict-milter -print-defaults prints every key.
listen = ["unix:/var/spool/postfix/milter/milter.sock"]
C
	chmod 0644 "$root/etc/mailverdict-milter.toml"
fi
if [ -z "$root" ]; then
	id mailverdict >/dev/null 2>&1 || useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin --gid postfix mailverdict
	install -d -o mailverdict -g postfix -m 0750 /var/spool/postfix/milter
	if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
fi

#!/bin/sh
# Makes the user; the service starts when the administrator says so.
set -e
if command -v systemd-sysusers >/dev/null 2>&1; then
  systemd-sysusers /usr/lib/sysusers.d/mlids.conf
elif ! getent passwd mlids >/dev/null 2>&1; then
  useradd --system --user-group --home-dir /var/lib/mlids --shell /usr/sbin/nologin mlids
fi
[ ! -d /run/systemd/system ] || systemctl daemon-reload

#!/bin/sh
# Stops the service when the package goes, not when it is upgraded (deb: upgrade, rpm: 1).
set -e
case "$1" in upgrade | 1) exit 0 ;; esac
[ ! -d /run/systemd/system ] || systemctl disable --now mlids.service

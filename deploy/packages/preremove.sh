#!/bin/sh
# Runs before the files go. What dpkg says first is a word, what rpm says is how many
# versions are there afterwards; apk calls this only to remove.
set -e

case "${1:-}" in
upgrade | failed-upgrade | deconfigure | 1) exit 0 ;;
esac

if [ -d /run/systemd/system ]; then
	# A run that is under way is finished first.
	systemctl --no-reload disable --now ctr-prune-run.timer ctr-prune-run.service ctr-prune.service || true
fi

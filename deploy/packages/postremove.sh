#!/bin/sh
# Runs when the files are gone. Only dpkg tells a purge from a removal; after the
# others the state stays where it is.
set -e

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi

if [ "${1:-}" = purge ]; then
	# Reports of runs, and when images were last used. Nothing of containerd's is there.
	rm -rf --one-file-system /var/lib/ctr-prune
	# When the timer has elapsed, as systemd notes it.
	rm -f /var/lib/systemd/timers/stamp-ctr-prune-run.timer
fi

#!/bin/sh
# Runs when the files are there. Nothing is enabled or started; a service that runs
# already is started anew, so that it is the new version that runs.
set -e

# In an image that is being built, or on a machine with another init, no systemd runs.
if [ -d /run/systemd/system ]; then
	# A package is not to fail because systemd does.
	systemctl daemon-reload || true
	systemctl try-restart ctr-prune.service || true
fi

#!/bin/sh
# Installs the servers that the tests drive.  Each test starts its own private copy, so nothing that is
# installed here is started, enabled or configured, and no default database cluster is created.
# Needs root only when something is missing; does nothing, and needs no network, when all is there.
set -eu
cd "$(dirname "$0")/.."

# One Debian package per line.
SERVERS="
dovecot-core
dovecot-imapd
dovecot-lmtpd
dovecot-sieve
libnet-ssleay-perl
openssl
postfix
postgresql
redis-server
swaks
procps
systemd
"

# Mail servers exclude each other as packages.  These are unpacked into a directory of this tree, and tests run them
# from there in a root directory of their own; only their libraries are installed.  postsrsd as a package would start a
# service at the machine's next start; it runs from there as it is.
UNPACKED="
exim4-daemon-light
opensmtpd
postsrsd
"
UNPACK_DIRECTORY=.servers
LIBRARIES="
libdb5.3
libevent-2.1-7
libgnutls-dane0
libidn12
libnsl2
libpcre2-8-0
"

POLICY=/usr/sbin/policy-rc.d
CLUSTER_CONF=/etc/postgresql-common/createcluster.conf

fail() {
    echo "test-deps: $*" >&2
    exit 1
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_packages() {
    for package in $SERVERS $LIBRARIES; do
        is_installed "$package" || echo "$package"
    done
}

missing_unpacked() {
    for package in $UNPACKED; do
        [ -d "$UNPACK_DIRECTORY/$package" ] || echo "$package"
    done
}

# Nothing of the package runs: no scripts, no users, no services.
unpack() {
    mkdir -p "$UNPACK_DIRECTORY"
    download=$(mktemp -d "$UNPACK_DIRECTORY/.download.XXXXXX")
    (cd "$download" && apt-get download -q "$1")
    dpkg-deb -x "$download/$1"_*.deb "$download/tree"
    mv "$download/tree" "$UNPACK_DIRECTORY/$1"
    rm -r "$download"
}

# A mail server conflicts with every other one: installing it can take away the one in use here.
refuse_removals() {
    removed=$(apt-get -s install --no-install-recommends "$@" | awk '$1 == "Remv" { print $2 }')
    if [ -n "$removed" ] && [ "${FORCE:-}" != 1 ]; then
        fail "installing" "$@" "would remove:" $removed "(FORCE=1 allows it)"
    fi
}

forbid_starting_services() {
    # An earlier run that was killed may have left the saved file: the first one saved is the true one.
    if [ -e "$POLICY" ] && [ ! -e "$POLICY.saved" ]; then
        mv "$POLICY" "$POLICY.saved"
    fi
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
}

forbid_configuring_postfix() {
    echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
}

# A Dovecot that runs here would speak the added protocols from its next start on.
refuse_changing_dovecot() {
    [ -e /run/dovecot/master.pid ] || return 0
    added=$(printf '%s\n' "$@" | grep '^dovecot-' || true)
    if [ -n "$added" ] && [ "${FORCE:-}" != 1 ]; then
        fail "installing" $added "would change the Dovecot that runs here (FORCE=1 allows it)"
    fi
}

# The package enables a service that would offer mail to the network from the machine's next start on.
disable_new_dovecot() {
    if printf '%s\n' "$@" | grep -qx dovecot-core; then update-rc.d dovecot disable; fi
}

forbid_default_cluster() {
    [ -e "$CLUSTER_CONF" ] && return
    mkdir -p "$(dirname "$CLUSTER_CONF")"
    echo "create_main_cluster = false" >"$CLUSTER_CONF"
    our_cluster_conf=yes
}

restore() {
    rm -f "$POLICY"
    if [ -e "$POLICY.saved" ]; then mv "$POLICY.saved" "$POLICY"; fi
    if [ "$our_cluster_conf" = yes ]; then rm -f "$CLUSTER_CONF"; fi
}

command -v dpkg-query >/dev/null || fail "only Debian and its kin are known here; install:" $SERVERS
missing=$(missing_packages)
missing_trees=$(missing_unpacked)
if [ -z "$missing$missing_trees" ]; then
    echo "test-deps: already installed:" $SERVERS $UNPACKED
    exit 0
fi
[ "$(id -u)" -eq 0 ] || fail "to install" $missing $missing_trees "be root: sudo make test-deps"

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
for package in $missing_trees; do unpack "$package"; done
[ -n "$missing" ] || exit 0
refuse_removals $missing
refuse_changing_dovecot $missing
our_cluster_conf=no
trap restore EXIT
trap 'exit 1' HUP INT TERM
forbid_starting_services
forbid_default_cluster
forbid_configuring_postfix
apt-get install -q -y --no-install-recommends $missing
disable_new_dovecot $missing

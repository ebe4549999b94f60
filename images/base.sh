#!/usr/bin/env bash
# Makes a base image of Debian's Python and what it needs, where no public registry is reached: no shell, no package
# manager. The same packages give the same image. Run as root, or where mmdebstrap may use user namespaces.
#   images/base.sh edge-base:bookworm
set -euo pipefail
image=${1:?the name of the image to make}
export SOURCE_DATE_EPOCH=315532800 # 1980; that of every layer that is built upon it

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/strip" <<'HOOK'
#!/usr/bin/env bash
set -euo pipefail
cd "$1"
# What is installed stays on record, for an SBOM and for scanners; what only dpkg, nis and dbm need does not stay.
unused=" dpkg debconf libacl1 libcom-err2 libdb5.3 libgssapi-krb5-2 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 \
libmd0 libnsl2 libpcre2-8-0 libselinux1 libtirpc-common libtirpc3 libzstd1 tar "
mkdir -p var/lib/dpkg/status.d
for archive in var/cache/apt/archives/*.deb; do
    package=$(dpkg-deb --field "$archive" Package)
    if [[ $unused == *" $package "* ]]; then
        dpkg-deb --fsys-tarfile "$archive" | tar --list | grep -v '/$' | xargs rm -f
    else
        dpkg-deb --field "$archive" >"var/lib/dpkg/status.d/$package"
    fi
done
rm -f usr/lib/python3.11/lib-dynload/{nis,_dbm}.*
cat usr/share/ca-certificates/mozilla/*.crt >etc/ssl/certs/ca-certificates.crt
ln -s python3.11 usr/bin/python3
find usr/bin usr/sbin bin/ sbin/ -mindepth 1 ! -name 'python3*' -delete
find usr/share -mindepth 1 -maxdepth 1 ! -name zoneinfo ! -name python-wheels ! -name doc -exec rm -rf {} +
find usr/share/doc -type f ! -name copyright -delete
rm -rf var/cache var/lib/apt etc/{cron.daily,dpkg,logrotate.d,debconf.conf} usr/libexec usr/lib/*/gconv
find etc/apt -type f ! -name 00mmdebstrap -delete # mmdebstrap removes its own
rm -rf usr/lib/python3.11/{distutils,ensurepip,idlelib,lib2to3,pydoc_data,test,tkinter,turtle.py,turtledemo}
chroot . python3 -m compileall -q --invalidation-mode unchecked-hash usr/lib/python3.11
# Accounts that the modules run as have no names, and nobody logs in.
printf 'root:x:0:0:root:/root:/sbin/nologin\n' >etc/passwd
printf 'root:x:0:\nedge:x:10000:\n' >etc/group
HOOK
chmod +x "$work/strip"

mmdebstrap --quiet --variant=extract --include=python3.11,libstdc++6,tzdata,ca-certificates \
    --extract-hook="$work/strip" bookworm "$work/base.tar"
docker import --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8' "$work/base.tar" "$image" >/dev/null
docker image inspect --format '{{index .RepoTags 0}} {{.Size}} bytes' "$image"

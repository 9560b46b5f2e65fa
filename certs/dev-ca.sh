#!/usr/bin/env bash
# Makes a CA and a serving pair for a development cluster: dev-ca.sh DIR [NAME...]
# Writes DIR/{ca.crt,tls.crt,tls.key}; the CA's own key is thrown away, so that nothing else can be signed with it.
set -euo pipefail
umask 077

dir=${1:?usage: dev-ca.sh DIR [NAME...]}
shift
names=("${@:-trainshift.trainshift-system.svc}")
if [ -e "$dir/tls.key" ]; then
    echo "dev-ca.sh: $dir/tls.key is there already; remove it first" >&2
    exit 1
fi
mkdir -p "$dir"
ca_key=$(mktemp)
trap 'rm -f "$ca_key" "$dir/tls.csr"' EXIT

openssl ecparam -name prime256v1 -genkey -noout -out "$ca_key"
openssl req -x509 -new -key "$ca_key" -days 365 -subj "/CN=trainshift development CA" -out "$dir/ca.crt"
openssl ecparam -name prime256v1 -genkey -noout -out "$dir/tls.key"
openssl req -new -key "$dir/tls.key" -subj "/CN=${names[0]}" -out "$dir/tls.csr"
openssl x509 -req -in "$dir/tls.csr" -CA "$dir/ca.crt" -CAkey "$ca_key" -CAcreateserial -CAserial "$ca_key.srl" -days 365 \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$(printf 'DNS:%s,' "${names[@]}" | sed 's/,$//')") \
    -out "$dir/tls.crt" 2>/dev/null
rm -f "$ca_key.srl"
echo "wrote $dir/ca.crt, $dir/tls.crt and $dir/tls.key for ${names[*]}"

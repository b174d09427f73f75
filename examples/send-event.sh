#!/bin/sh
# Sign one event and post it to EventGate, with nothing but curl and openssl.
#
#   examples/send-event.sh                     a sample alert, settings from ./data/bootstrap.json
#   examples/send-event.sh event.json          your own event: one JSON object, or an array of them
#   echo '{…}' | examples/send-event.sh -      the same from standard input
#   examples/send-event.sh -b FILE [EVENT]     settings from another bootstrap.json
#
# Each setting may come from the environment instead, and then wins over the file:
#   EVENTGATE_URL            http://127.0.0.1:8080
#   EVENTGATE_KEY            the auth key, egk_…
#   EVENTGATE_VERIFY_KEY_ID  which verify key the gate shall check with
#   EVENTGATE_SIGNING_KEY    file with the private key (PEM, on P-256, P-384 or P-521)
#
# Prints the gate's answer. Ends with 0 if the event is stored, 1 if it was refused, 2 if a setting is missing.
set -eu

fail() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 2
}

settings=${EVENTGATE_DATA:-data}/bootstrap.json
if [ "${1-}" = -b ]; then
    settings=${2:?-b wants a file}
    shift 2
fi

# bootstrap.json has one member a line, and no value in it needs an escape.
setting() {
    if [ -r "$settings" ]; then
        sed -n 's/^ *"'"$1"'": *"\(.*\)",\{0,1\}$/\1/p' "$settings"
    fi
}

url=${EVENTGATE_URL:-$(setting url)}
auth_key=${EVENTGATE_KEY:-$(setting authKey)}
verify_key_id=${EVENTGATE_VERIFY_KEY_ID:-$(setting verifyKeyId)}
signing_key=${EVENTGATE_SIGNING_KEY:-$(setting signingKeyFile)}
[ -n "$url" ] || fail "no address: set EVENTGATE_URL, or name a bootstrap.json with -b"
[ -n "$auth_key" ] || fail "no auth key: set EVENTGATE_KEY, or name a bootstrap.json with -b"
[ -n "$verify_key_id" ] || fail "no verify key id: set EVENTGATE_VERIFY_KEY_ID, or name a bootstrap.json with -b"
[ -r "$signing_key" ] || fail "cannot read the signing key '$signing_key': set EVENTGATE_SIGNING_KEY"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# 1. The body. Its bytes are what counts, so it stays in a file that nothing rewrites.
case ${1-} in
    '') printf '{"timestamp":"%s","alertCode":"DEAUTHFLOOD","severity":7,"message":"%s","data":{"bssid":"%s","channel":6}}' \
            "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "Deauthentication flood against Lobby" "00:0b:86:4f:12:90" >"$work/body" ;;
    -) cat >"$work/body" ;;
    *) cat -- "$1" >"$work/body" ;;
esac

# 2. Its digest (RFC 9530).
openssl dgst -sha256 -binary -out "$work/digest" "$work/body"
digest="sha-256=:$(openssl base64 -A -in "$work/digest"):"

# 3. What the signature covers, and the lines it is made over (RFC 9421, section 2.5): no line feed after the last.
base_url=${url%/}
after_scheme=${base_url#*://}
path=/v2/events
case $after_scheme in */*) path=/${after_scheme#*/}$path ;; esac
parameters="(\"@method\" \"@path\" \"content-digest\");created=$(date +%s);keyid=\"$verify_key_id\""
printf '"@method": POST\n"@path": %s\n"content-digest": %s\n"@signature-params": %s' \
    "$path" "$digest" "$parameters" >"$work/base"

# 4. The signature: ECDSA, with the hash that belongs to the key's curve.
case $(openssl pkey -in "$signing_key" -noout -text) in
    *P-384*) hash=sha384 ;;
    *P-521*) hash=sha512 ;;
    *) hash=sha256 ;;
esac
openssl dgst "-$hash" -sign "$signing_key" -out "$work/signature" "$work/base"
signature=$(openssl base64 -A -in "$work/signature")

# 5. The request. The auth key goes in by standard input, so that no process list shows it.
status=$(printf 'header = "Authorization: %s"\n' "$auth_key" | curl -K - -sS -o "$work/answer" -w '%{http_code}' \
    -H 'Content-Type: application/json' \
    -H "Content-Digest: $digest" \
    -H "Signature-Input: eg=$parameters" \
    -H "Signature: eg=:$signature:" \
    --data-binary "@$work/body" "$base_url/v2/events")
cat "$work/answer"
echo
case $status in 200 | 201) ;; *) exit 1 ;; esac

#!/usr/bin/env bash
# A walk through a running demo with curl: a guest's question on WhatsApp, a change at the PMS, an
# edit by staff that nothing overwrites, its way back, and what another organization sees of it.
#
#   cargo run --release -p stayzr-server -- demo        # in one terminal
#   examples/walkthrough.sh                             # in another
#
# Needs curl, jq and openssl. Give the path of demo.json if it is not in the usual place.
set -euo pipefail

demo="${1:-.stayzr-demo/demo.json}"
for tool in curl jq openssl; do
    command -v "$tool" >/dev/null || { echo "this walk needs $tool: install it first" >&2; exit 1; }
done
[ -r "$demo" ] || { echo "no $demo: start the demo first, or give the path of its demo.json" >&2; exit 1; }

value() { jq -er "$1" "$demo"; }
title() { printf '\n\033[1m%s\033[0m\n' "$1"; }

base="$(value .base_url)"
token="$(value '.organizations[0].api_token')"
property="$(value '.organizations[0].properties[0].id')"
sandbox="$(value '.organizations[0].properties[0].sandbox_url')"
integration="$(value '.organizations[0].properties[0].integration_id')"
number_id="$(value '.organizations[0].properties[0].whatsapp_phone_number_id')"
api() { curl -fsS -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$@"; }
wait_for() { # description, then a command that succeeds once it has happened
    local what="$1"; shift
    for _ in $(seq 1 100); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.2
    done
    echo "never happened: $what" >&2
    exit 1
}

title "1. $(value '.organizations[0].properties[0].name') came in from its PMS"
for noun in rooms guests reservations; do
    printf '%-14s' "$noun"
    api "$base/api/v1/$noun?property_id=$property&limit=1000" | jq '.items | length'
done

title "2. A guest asks on WhatsApp"
question="When is breakfast, and what is the wifi password policy?"
echo "   $question"
guest_number="16505550199"
message_id="wamid.WALK$(date +%s)"
body="$(jq -cn --arg number "$number_id" --arg from "$guest_number" --arg id "$message_id" \
    --arg time "$(date +%s)" --arg text "$question" '{object:"whatsapp_business_account",entry:[{id:"1",
    changes:[{field:"messages",value:{messaging_product:"whatsapp",
    metadata:{display_phone_number:"15550783881",phone_number_id:$number},
    contacts:[{profile:{name:"Sheena"},wa_id:$from}],
    messages:[{from:$from,id:$id,timestamp:$time,type:"text",text:{body:$text}}]}}]}]}')"
signature="$(printf %s "$body" | openssl dgst -sha256 -hmac "$(value .whatsapp.app_secret)" -r | cut -d' ' -f1)"
curl -fsS -o /dev/null -w '   acknowledged with %{http_code} in %{time_total} s\n' \
    -H 'Content-Type: application/json' -H "X-Hub-Signature-256: sha256=$signature" \
    -d "$body" "$(value .whatsapp.webhook_url)"
reply() {
    api "$base/api/v1/outbox?limit=100" |
        jq -e --arg to "$guest_number" '[.items[] | select(.to // "" | gsub("[^0-9]";"") == $to)][0] // empty'
}
wait_for "a reply" reply
reply | jq -r '"   " + (.text | gsub("\n"; "\n   ")), "   cited: " + ([.citations[].file_name] | unique | join(", "))'

title "3. Something changes at the PMS and arrives through a webhook"
guest="$(api "$base/api/v1/reservations?property_id=$property&limit=1000" |
    jq -r '[.items[] | select(.status == "confirmed" and .guest_id != null)][0].guest_id')"
there="$(api "$base/api/v1/guests/$guest" | jq -r '.external_refs[0].id')"
curl -fsS -X PATCH -H 'Content-Type: application/json' -d '{"Notes":"Prefers a quiet room."}' \
    "$sandbox/_sandbox/guests/$there" >/dev/null
curl -fsS -X POST "$sandbox/_sandbox/deliver" >/dev/null
arrived() { api "$base/api/v1/guests/$guest" | jq -e '.notes == "Prefers a quiet room."'; }
wait_for "the change" arrived
api "$base/api/v1/guests/$guest/changes" |
    jq -r '.items[0] | "   \(.field): \(.old) → \(.new)  (\(.source.kind), \(.source.event // "-"))"'

title "4. Staff correct the guest's telephone number; nothing overwrites it"
phone="+351 91 $((RANDOM % 900 + 100)) $((RANDOM % 9000 + 1000))"
curl -fsS -X POST -H 'Content-Type: application/json' \
    -d '{"kind":"stale_read","operation":"customers/getAll","count":1}' "$sandbox/_sandbox/faults" >/dev/null
api -X PATCH -d "$(jq -cn --arg phone "$phone" '{phone:$phone}')" "$base/api/v1/guests/$guest" |
    jq -r '"   here:       " + .phone'
pushed() { curl -fsS "$sandbox/_sandbox/guests/$there" | jq -e --arg phone "$phone" '.Phone == $phone'; }
wait_for "the push" pushed
curl -fsS "$sandbox/_sandbox/guests/$there" | jq -r '"   at the PMS: " + .Phone'
api -X POST -d '{"mode":"incremental"}' "$base/api/v1/integrations/$integration/sync" >/dev/null
sleep 2
api "$base/api/v1/guests/$guest" | jq -r '"   after a sync with a stale read: " + .phone'

title "5. The journal has every value, and brings one back"
api "$base/api/v1/guests/$guest/changes?limit=3" |
    jq -r '.items[] | "   \(.field // "made"): \(.old) → \(.new)  (\(.outcome), \(.source.kind))"'
line="$(api "$base/api/v1/guests/$guest/changes" | jq -r --arg phone "$phone" '[.items[] | select(.new == $phone)][0].id')"
api -X POST "$base/api/v1/guests/$guest/changes/$line/restore" | jq -r '"   restored:   " + .phone'
api "$base/api/v1/conflicts" | jq -r '"   waits for a person: \(.items | length)"'

title "6. Another organization sees none of it"
other="$(value '.organizations[1].api_token')"
curl -sS -H "Authorization: Bearer $other" "$base/api/v1/guests/$guest" | jq -c '{status, code, detail}'

title "Go on"
echo "   docs/use-the-crates.md, docs/write-a-provider.md, docs/run-the-server.md, docs/sync.md"
